"""desk.html from a file, through a Tor network to the desk onion, and back to a source."""

from __future__ import annotations

import pytest
from support.desk_page import DeskPage
from support.onions import through
from support.pictures import png
from support.source import Source
from support.stage import Stage
from support.strands import strand

pytestmark = pytest.mark.onion
FILES = {"scan.png": png(40, 30), "notes.txt": b"as it was said"}


@strand("safer")  # without a JIT compiler
def test_a_journalist_with_a_browser_and_two_files(stage: Stage) -> None:
    firefox, onions, folder, text = stage.firefox, stage.onions, stage.folder, "To the page"
    firefox.errors()
    paths = []
    for name, data in FILES.items():
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    source = Source(firefox, f"http://{onions.source_onion}")
    source.open_send()
    source.write(text, answers={"evidence": "The minutes"}, files=paths, to=["ada"])
    words = source.send()

    through(firefox, onions.ada)
    page = DeskPage(firefox, onions.house, folder, onion=onions.desk_onion)
    page.open()
    page.unlock("ada")
    page.sync()
    page.open_thread(text)
    for name, shown in (("notes.txt", "pre"), ("scan.png", "canvas")):
        item = page.file(name)
        firefox.click(f"{item} [data-show]")
        firefox.wait(lambda css=f"{item} {shown}": firefox.shown(css))
    assert page.reply("Read in a browser.") == page.message("sent")

    through(firefox, onions.source)
    source.enter(words)
    source.reach("thread")
    firefox.wait(lambda: source.conversation())
    assert [(one["author"], one["text"]) for one in source.conversation()] == [
        ("Ada Smit", "Read in a browser.")
    ]
    assert firefox.errors() == []


@strand("standard")
def test_without_a_key_the_page_finds_no_desk(stage: Stage) -> None:
    firefox, onions = stage.firefox, stage.onions
    page = DeskPage(firefox, onions.house, stage.folder, onion=onions.desk_onion)
    page.open()
    page.unlock("bea")
    firefox.click("#sync")
    firefox.wait(lambda: page.problem())
    assert page.problem() == page.message("unreachable", relay=f"http://{onions.desk_onion}")
    firefox.errors()
