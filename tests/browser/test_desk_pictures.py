"""The pictures in keys/desk/README.md show what the page is: made here, and kept by `make pictures`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.desk_page import WITH_DESK, DeskPage
from support.firefox import Firefox
from support.house import ROOT, House
from support.newsdesk import Source
from support.pictures import fewer_colours, size

README = ROOT / "keys/desk/README.md"
KEPT = README.parent / "pictures"
MADE = ROOT / "test-output/pictures"
WIDTH = 720
MOST = 60_000  # bytes
SOIL = "The soil reports were changed after they were signed"


def named() -> set[str]:
    """The pictures that the text shows."""
    return set(re.findall(r"!\[[^]]+\]\(pictures/([a-z]+\.png)\)", README.read_text()))


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path / "house", more=WITH_DESK) as one:
        yield one


def correspond(house: House) -> None:
    """What comes to a newsroom in some days."""
    Source(house, to=("ada", "bo", "cor")).send("Who pays for the new quay?", answers={})
    Source(house, to=("ada",)).send(
        "Pump 3 has been off since March, and the log says otherwise.", answers={}
    )
    source = Source(house, to=("ada", "bo"))
    files = {"Report as signed.pdf": bytes(180_000), "Report as sent.pdf": bytes(210_000)}
    first = source.send(
        f"{SOIL}.\n\nI have both versions. Four numbers differ, all of them for the eastern quay.",
        files,
        answers={"evidence": "Both reports, and a witness who measured"},
    )
    house.desk("bo", "fetch")
    house.desk("bo", "reply", first, text="Thank you. Which of the two reports came first?")
    house.desk("bo", "case", first, "state", "checking")
    house.desk("bo", "case", first, "task", "--to", "ada", text="Ask the laboratory for its copy")
    house.desk("bo", "case", first, "check", "documents", "yes")
    source.look()
    source.send("The one without the stamp. The other came a week later.", answers={})
    house.desk("bo", "fetch", "--all")


def test_the_pictures_show_what_the_page_is(firefox: Firefox, newsroom: House, tmp_path: Path) -> None:
    made: set[str] = set()

    def picture(name: str, css: str = "") -> None:
        firefox.viewport(WIDTH, 2400 if css else 800)  # what is not in sight of an element is cut off
        firefox.screenshot(MADE / name, css)
        smaller = fewer_colours((MADE / name).read_bytes())
        (MADE / name).write_bytes(smaller)
        assert len(smaller) < MOST
        made.add(name)

    correspond(newsroom)
    page = DeskPage(firefox, newsroom, tmp_path)
    page.open()
    page.unlock("ada")
    page.sync()
    picture("inbox.png")
    page.open_thread(f"{SOIL}.")
    firefox.type("#message", "Who stamped it? Do not answer if few people know.")
    picture("conversation.png", ".beside > :first-child")
    picture("case.png", "#case")
    firefox.open("about:blank")
    firefox.viewport(1280)
    assert made == named()


def test_the_pictures_that_are_kept_are_those_of_the_text() -> None:
    assert named()
    assert {path.name for path in KEPT.iterdir()} == named()
    for path in KEPT.iterdir():
        data = path.read_bytes()
        width, height = size(data)
        assert (WIDTH - 80 <= width <= WIDTH, 400 < height < 3000, len(data) < MOST) == (True, True, True)
