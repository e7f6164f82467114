"""From the guidance to the desk and back, over both onions, at each of Tor Browser's security levels."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.firefox import Firefox
from support.firefox_prefs import LEVELS
from support.forms import Forms
from support.onions import Onions
from support.source import Source

pytestmark = pytest.mark.onion
ANSWERS = {"evidence": "Scans of the minutes"}
REPLY = "Thank you.\nWhich came first? <i>Ada</i> 🗝"
FOLLOW_UP = "The minutes came first."


def some_file(folder: Path) -> Path:
    file = folder / "scans 2024.bin"
    file.write_bytes(os.urandom(1_300_000))
    return file


def message(level: str) -> str:
    """One that the desk's list tells from others'."""
    return f"The permit, {level}.\nIt was signed before the meeting. Ætt ünïcode 🗝 and <b>no markup</b>."


@pytest.mark.parametrize("level", LEVELS)
def test_the_whole_way_with_the_page(
    level: str, firefox_at: Callable[[str], Firefox], onions: Onions, tmp_path: Path
) -> None:
    firefox, file, text = firefox_at(level), some_file(tmp_path), message(level)
    firefox.errors()
    source = Source(firefox, f"http://{onions.source_onion}")
    source.open("")
    firefox.click('main a[href$="send.html"]')
    source.reach("write")
    assert firefox.script("return isSecureContext")
    source.write(text, answers=ANSWERS, files=[file], to=["ada"])
    words = source.send()
    drop = arrives(onions, text, file, tmp_path)

    replied = onions.desk("ada", "reply", drop, text=REPLY)
    assert replied.status == 0, replied.err
    source.enter(words)
    source.reach("thread")
    firefox.wait(lambda: source.conversation())
    assert source.conversation() == [{"kind": "reply", "author": "Ada Smit", "note": "", "text": REPLY}]
    source.write(FOLLOW_UP)
    source.submit()
    firefox.wait(lambda: len(source.conversation()) == 2)
    assert turns(onions, text) == [text, REPLY, FOLLOW_UP]
    assert firefox.errors() == []


def test_the_whole_way_with_the_forms(
    firefox_at: Callable[[str], Firefox], onions: Onions, tmp_path: Path
) -> None:
    firefox, file, text = firefox_at("safest"), some_file(tmp_path), message("safest")
    Source(firefox, f"http://{onions.source_onion}").open("")
    firefox.click('main a[href$="send.html"]')
    firefox.wait(lambda: firefox.shown("#no-script"))

    source = Forms(firefox, f"http://{onions.source_onion}:8080")
    source.open("send.html")
    words = source.words()
    assert len(words) == 12
    source.type_back(words)
    source.send(text, answers=ANSWERS, files=[file], to=["ada"])
    drop = arrives(onions, text, file, tmp_path)

    replied = onions.desk("ada", "reply", drop, text=REPLY)
    assert replied.status == 0, replied.err
    source.enter(words)
    assert source.replies() == f"Ada Smit\n{REPLY}"
    source.send(FOLLOW_UP)
    assert turns(onions, text) == [text, REPLY, FOLLOW_UP]


def arrives(onions: Onions, text: str, file: Path, folder: Path) -> str:
    """The id of the drop that the desk fetched and opened: this text and this file, byte for byte."""
    fetched = onions.desk("ada", "fetch")
    assert fetched.status == 0, fetched.err
    [drop] = [one for one in listed(onions) if one.get("begins") == text.partition("\n")[0]]
    assert drop["answers"] == ANSWERS
    opened = onions.desk("ada", "open", drop["id"], "-o", folder / "opened")
    assert opened.status == 0, opened.err
    assert (folder / "opened/message.txt").read_text() == text
    assert (folder / "opened/files" / file.name).read_bytes() == file.read_bytes()
    return str(drop["id"])


def turns(onions: Onions, text: str) -> list[str]:
    """The conversation that began with this text, as the desk has it once it has fetched again."""
    fetched = onions.desk("ada", "fetch")
    assert fetched.status == 0, fetched.err
    [first] = [one for one in listed(onions) if one.get("begins") == text.partition("\n")[0]]
    last = [one for one in listed(onions) if one.get("thread") == first["thread"]][-1]
    shown = onions.desk("ada", "show", last["id"], "--json")
    return [turn["text"] for turn in shown.json["conversation"]]


def listed(onions: Onions) -> list[dict[str, object]]:
    entries: list[dict[str, object]] = onions.desk("ada", "list", "--json").json
    return entries
