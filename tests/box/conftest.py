import shutil
from pathlib import Path

import pytest
from support.box_room import furnish


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newsroom.yaml of a whole newsroom, which nobody may change."""
    return furnish(tmp_path_factory.mktemp("newsroom"))


@pytest.fixture
def newsroom(furnished: Path, tmp_path: Path) -> Path:
    """A copy of it, to break."""
    shutil.copytree(furnished.parent, tmp_path / "newsroom")
    return tmp_path / "newsroom" / furnished.name
