import shutil
from pathlib import Path

import pytest
from support import container
from support.box_machine import Box
from support.box_room import furnish
from support.container import Container


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newsroom.yaml of a whole newsroom, which nobody may change."""
    return furnish(tmp_path_factory.mktemp("newsroom"))


@pytest.fixture
def newsroom(furnished: Path, tmp_path: Path) -> Path:
    """A copy of it, to break."""
    shutil.copytree(furnished.parent, tmp_path / "newsroom")
    return tmp_path / "newsroom" / furnished.name


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bare Debian 13."""
    return container.make_root(tmp_path_factory.mktemp("debian"))


@pytest.fixture(scope="session")
def made(debian: Path, furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box that was made of it in one run and switched off: others are booted on top of its disk."""
    with Container(debian, folder=tmp_path_factory.mktemp("made") / "made") as machine:
        box = Box(machine, furnished)
        assert " failed=0 " in box.converge(), box.said
    return box
