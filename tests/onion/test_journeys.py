"""From the guidance to the desk and back, over both onions, at each of Tor Browser's security levels; and
nothing of it is on the box."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.firefox import Firefox
from support.firefox_prefs import LEVELS
from support.forms import Forms
from support.onions import Onions
from support.source import Source
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


@pytest.fixture(scope="module")
def journeys(
    firefox_at: Callable[[str], Firefox], onions: Onions, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Future[Journey]]:
    """One at each level, all at once, and ended."""
    ways = {**dict.fromkeys(LEVELS, with_the_page), "safest": with_the_forms}
    with ThreadPoolExecutor(len(ways)) as pool:
        # They end in here: what `desk` prints in this process would go astray when pytest begins a test.
        return {
            level: pool.submit(way, level, firefox_at(level), onions, tmp_path_factory.mktemp(level))
            for level, way in ways.items()
        }


@pytest.mark.parametrize("level", [*LEVELS, "safest"])
def test_the_whole_way(level: str, journeys: dict[str, Future[Journey]]) -> None:
    assert len(journeys[level].result().words) == 12


def test_nothing_of_it_is_on_the_box(journeys: dict[str, Future[Journey]], onions: Onions) -> None:
    made = [one.result() for one in journeys.values()]
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


def with_the_page(level: str, firefox: Firefox, onions: Onions, folder: Path) -> Journey:
    file, text = some_file(folder), message(level)
    firefox.errors()
    source = Source(firefox, f"http://{onions.source_onion}")
    source.open("")
    firefox.click('main a[href$="send.html"]')
    source.reach("write")
    assert firefox.script("return isSecureContext")
    source.write(text, answers=ANSWERS, files=[file], to=["ada"])
    words = source.send()
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


def with_the_forms(level: str, firefox: Firefox, onions: Onions, folder: Path) -> Journey:
    file, text = some_file(folder), message(level)
    source = Forms(firefox, f"http://{onions.source_onion}:8080")
    firefox.open(f"http://{onions.source_onion}")
    firefox.click('main a[href$="send.html"]')
    firefox.click(f'#no-script a[href^="{source.origin}"]')
    words = source.words()
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
