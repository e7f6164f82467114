"""From the guidance to the desk and back, over both onions, at each of Tor Browser's security levels; and
nothing of it is on the box."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.forms import Forms
from support.onions import Onions
from support.source import Source
from support.stage import Stage
from support.strands import Strands, strand
from support.traces import in_files, in_memory, spellings

pytestmark = pytest.mark.onion
ANSWERS = {"evidence": "Scans of the minutes"}
REPLY = "Thank you.\nWhich came first? <i>Ada</i> 🗝"
FOLLOW_UP = "The minutes came first."
CANARY = f"canary {secrets.token_hex(12)}"  # in all that sources send


@dataclass(frozen=True)
class Journey:
    """One that was made: the drop's id and words, and where the desk opened it."""

    drop: str
    words: list[str]
    opened: Path


@strand("standard")
def test_the_whole_way_at_standard(stage: Stage) -> Journey:
    return with_the_page(stage)


@strand("safer")
def test_the_whole_way_at_safer(stage: Stage) -> Journey:
    return with_the_page(stage)


@strand("safest")
def test_the_whole_way_at_safest(stage: Stage) -> Journey:
    return with_the_forms(stage)


JOURNEYS = (test_the_whole_way_at_standard, test_the_whole_way_at_safer, test_the_whole_way_at_safest)


def test_nothing_of_it_is_on_the_box(strands: Strands[Stage], onions: Onions) -> None:
    made: list[Journey] = [strands.result(one) for one in JOURNEYS]
    wanted = [one for journey in made for one in spellings(" ".join(journey.words))]
    wanted += [*spellings(CANARY), *spellings(FOLLOW_UP)]
    for journey in made:
        found = {path.name for path in in_files(journey.opened, wanted)}
        assert found == {"message.txt", "scans 2024.bin"}, "it is found where it must be, at the desk"
    relay = onions.relay.process.pid
    assert in_memory(relay, [made[0].drop.encode()]), "it is searched where nothing can be found"
    assert not in_memory(relay, wanted)
    for process in (onions.relay, onions.sealer):
        process.stop()
        assert not any(one in (process.said + process.errors).encode() for one in wanted)
        process.start()
    searched = [onions.folder / "house/data", onions.folder / "network"]
    assert all(any(path.is_file() for path in place.rglob("*")) for place in searched)
    assert [path for place in searched for path in in_files(place, wanted)] == []


def with_the_page(stage: Stage) -> Journey:
    firefox, onions, folder = stage.firefox, stage.onions, stage.folder
    file, text = some_file(folder), message(stage.strand)
    firefox.errors()
    source = Source(firefox, f"http://{onions.source_onion}")
    source.open("")
    firefox.click('main a[href$="send.html"]')
    source.reach("write")
    assert firefox.script("return isSecureContext")
    source.write(text, answers=ANSWERS, files=[file], to=["ada"])
    words = source.send()
    assert len(words) == 12
    drop = arrives(onions, text, file, folder)

    answer(onions, drop)
    source.enter(words)
    source.reach("thread")
    firefox.wait(lambda: source.conversation())
    assert source.conversation() == [{"kind": "reply", "author": "Ada Smit", "note": "", "text": REPLY}]
    source.write(FOLLOW_UP)
    source.submit()
    firefox.wait(lambda: len(source.conversation()) == 2)
    assert turns(onions, text) == [text, REPLY, FOLLOW_UP]
    assert firefox.errors() == []
    return Journey(drop, words, folder / "opened")


def with_the_forms(stage: Stage) -> Journey:
    firefox, onions, folder = stage.firefox, stage.onions, stage.folder
    file, text = some_file(folder), message(stage.strand)
    source = Forms(firefox, f"http://{onions.source_onion}:8080")
    firefox.open(f"http://{onions.source_onion}")
    firefox.click('main a[href$="send.html"]')
    firefox.click(f'#no-script a[href^="{source.origin}"]')
    words = source.words()
    assert len(words) == 12
    source.type_back(words)
    source.send(text, answers=ANSWERS, files=[file], to=["ada"])
    drop = arrives(onions, text, file, folder)

    answer(onions, drop)
    source.enter(words)
    assert source.replies() == f"Ada Smit\n{REPLY}"
    source.send(FOLLOW_UP)
    assert turns(onions, text) == [text, REPLY, FOLLOW_UP]
    return Journey(drop, words, folder / "opened")


def some_file(folder: Path) -> Path:
    file = folder / "scans 2024.bin"
    file.write_bytes(CANARY.encode().join(os.urandom(400_000) for _ in range(3)))
    return file


def message(level: str) -> str:
    """One that the desk's list tells from others'."""
    return f"The permit, {level}.\nIt was signed before the meeting. Ætt 🗝 and <b>no markup</b>. {CANARY}."


def answer(onions: Onions, drop: str) -> None:
    replied = onions.desk("ada", "reply", drop, text=REPLY)
    assert replied.status == 0, replied.err


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
