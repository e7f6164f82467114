"""desk.html from a file, through a Tor network to the desk onion, and back to a source."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from support.desk_page import DeskPage
from support.firefox import Firefox
from support.onions import Onions, socks_port
from support.pictures import png
from support.source import Source
from support.tornet import Tor

pytestmark = pytest.mark.onion
FILES = {"scan.png": png(40, 30), "notes.txt": b"as it was said"}


def through(firefox: Firefox, tor: Tor) -> None:
    firefox.set_pref("network.proxy.socks_port", int(socks_port(tor).rpartition(":")[2]))


def test_a_journalist_with_a_browser_and_two_files(
    firefox_at: Callable[[str], Firefox], onions: Onions, tmp_path: Path
) -> None:
    firefox, text = firefox_at("safer"), "To the page"  # without a JIT compiler
    firefox.errors()
    paths = []
    for name, data in FILES.items():
        paths.append(tmp_path / name)
        paths[-1].write_bytes(data)
    source = Source(firefox, f"http://{onions.source_onion}")
    source.open_send()
    source.write(text, answers={"evidence": "The minutes"}, files=paths, to=["ada"])
    words = source.send()

    through(firefox, onions.ada)
    page = DeskPage(firefox, onions.house, tmp_path, onion=onions.desk_onion)
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


def test_without_a_key_the_page_finds_no_desk(
    firefox_at: Callable[[str], Firefox], onions: Onions, tmp_path: Path
) -> None:
    firefox = firefox_at("standard")
    through(firefox, onions.source)
    page = DeskPage(firefox, onions.house, tmp_path, onion=onions.desk_onion)
    page.open()
    page.unlock("bea")
    firefox.click("#sync")
    firefox.wait(lambda: page.problem())
    assert page.problem() == page.message("unreachable", relay=f"http://{onions.desk_onion}")
    firefox.errors()
