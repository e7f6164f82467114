"""From the guidance to the desk and back, over both onions, at each of Tor Browser's security levels; and
nothing of it is on the box."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from support.firefox import Firefox
from support.firefox_prefs import LEVELS
from support.forms import Forms
from support.onions import Onions
from support.relay_process import RelayProcess
from support.sealer_process import SealerProcess
from support.source import Source
from support.traces import in_files, in_memory, spellings

pytestmark = pytest.mark.onion
ANSWERS = {"evidence": "Scans of the minutes"}
REPLY = "Thank you.\nWhich came first? <i>Ada</i> 🗝"
FOLLOW_UP = "The minutes came first."
CANARY = f"canary {secrets.token_hex(12)}"  # in all that sources send


def some_file(folder: Path) -> Path:
    file = folder / "scans 2024.bin"
    file.write_bytes(CANARY.encode().join(os.urandom(400_000) for _ in range(3)))
    return file


def message(level: str) -> str:
    """One that the desk's list tells from others'."""
    return f"The permit, {level}.\nIt was signed before the meeting. Ætt 🗝 and <b>no markup</b>. {CANARY}."


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

    wanted = [*spellings(CANARY), *spellings(" ".join(words)), *spellings(FOLLOW_UP)]
    relay = onions.relay.process.pid
    assert in_memory(relay, [drop.encode()]), "it is searched where nothing can be found"
    assert not in_memory(relay, wanted)
    stands_nowhere_on_the_box(onions, [onions.relay], wanted, tmp_path)


def test_the_whole_way_with_the_forms(
    firefox_at: Callable[[str], Firefox], onions: Onions, tmp_path: Path
) -> None:
    firefox, file, text = firefox_at("safest"), some_file(tmp_path), message("safest")
    source = Forms(firefox, f"http://{onions.source_onion}:8080")
    firefox.open(f"http://{onions.source_onion}")
    firefox.click('main a[href$="send.html"]')
    firefox.click(f'#no-script a[href^="{source.origin}"]')
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
    wanted = [*spellings(CANARY), *spellings(" ".join(words)), *spellings(FOLLOW_UP)]
    stands_nowhere_on_the_box(onions, [onions.relay, onions.sealer], wanted, tmp_path)


def stands_nowhere_on_the_box(
    onions: Onions, processes: Sequence[RelayProcess | SealerProcess], wanted: list[bytes], folder: Path
) -> None:
    """Searches what these processes said, and what relay, sealer and tor have kept; and where it must be
    found, at the desk."""
    assert {path.name for path in in_files(folder / "opened", wanted)} == {"message.txt", "scans 2024.bin"}
    for process in processes:
        process.stop()
        assert not any(one in (process.said + process.errors).encode() for one in wanted)
        process.start()
    searched = [onions.folder / "house/data", onions.folder / "network"]
    assert all(any(path.is_file() for path in place.rglob("*")) for place in searched)
    assert [path for place in searched for path in in_files(place, wanted)] == []


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
