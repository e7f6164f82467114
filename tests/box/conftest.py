import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from image.boards import PI, VPS, Board
from support import container
from support.box_machine import TELLS_ALL, Box
from support.box_room import PROVISION, copied, furnish
from support.container import Container


@pytest.fixture(scope="session")
def furnished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The newsroom.yaml of a whole newsroom, which nobody may change."""
    return furnish(tmp_path_factory.mktemp("newsroom"))


@pytest.fixture
def newsroom(furnished: Path, tmp_path: Path) -> Path:
    """A copy of it, to break."""
    return copied(furnished, tmp_path / "newsroom")


@pytest.fixture(scope="session")
def debian(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a bare Debian."""
    return container.make_root(tmp_path_factory.mktemp("debian"))


@pytest.fixture(scope="session", params=[VPS, PI], ids=lambda board: board.name)
def board(request: pytest.FixtureRequest) -> Board:
    found: Board = request.param
    return found


@pytest.fixture(scope="session")
def image(board: Board, furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An image for a board, beside the key that logs in on it; `make image` left nothing else there."""
    folder = tmp_path_factory.mktemp("image")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "operator"], check=True)
    made = folder / "box.img"
    words = ["--board", board.name, "--key", folder / "operator.pub", "--vault", furnished.with_name("vault")]
    subprocess.run([sys.executable, "-m", "image", *words, "-o", made, furnished], cwd=PROVISION, check=True)
    assert sorted(one.name for one in folder.iterdir()) == ["box.img", "operator", "operator.pub"]
    return made


_FIGURES: dict[str, str] = {}


@pytest.fixture(scope="session")
def figures() -> dict[str, str]:
    """What was measured on the way, to be printed at the end; no test is judged by it."""
    return _FIGURES


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    for name, value in _FIGURES.items():
        terminalreporter.write_line(f"{name}: {value}")


@pytest.fixture(scope="session")
def made(
    debian: Path, furnished: Path, figures: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Box:
    """A box that was made of it in one run and switched off: others are booted on top of its disk."""
    with Container(debian, folder=tmp_path_factory.mktemp("made") / "made") as machine:
        box = Box(machine, furnished)
        began = time.monotonic()
        # For test_drill_secrets.py to read.
        assert " failed=0 " in box.converge(*TELLS_ALL), box.said
        figures["minutes from a bare Debian to a box"] = f"{(time.monotonic() - began) / 60:.1f}"
    return box


@pytest.fixture(scope="module")
def box(made: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    """One on top of it for all tests of a file."""
    with made.machine.another(tmp_path_factory.mktemp("machines") / "box") as machine:
        box = Box(machine, made.newsroom)
        for one in ("source", "desk", "sealer"):
            with box.wire(one):  # once it is open
                pass
        yield box
