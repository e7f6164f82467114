"""Drops coming in: fetched whole, read once from end to end, and kept as the ciphertext they came as."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from pathlib import Path

from keys.casework import note_id
from keys.desk import bare, files
from keys.desk.answers import Gone, Listed
from keys.desk.client import Client
from keys.desk.desk import Desk
from keys.desk.state import Call, Entry
from keys.desk.terminal import Progress, size
from keys.drop import DropReader
from keys.errors import BadAgeFile, BadDrop, DeskError, NotForYou, Replayed, WrongNewsroom
from keys.letter import Letter

_TITLE = 60  # characters


@dataclass
class Fetched:
    """How many drops a sync brought."""

    drops: int = 0
    notes: int = 0
    problems: int = 0
    others: int = 0


def fetch(desk: Desk, client: Client, progress: Progress) -> Fetched:
    """Fetches and reads what arrived since the last time. A drop that is broken is remembered as such and
    stops nothing; after an interruption it goes on where it was."""
    fetched = Fetched()
    more = True
    while more:
        page = client.drops(desk.state.cursor)
        for number, listed in enumerate(page.drops, 1):
            if listed.id not in desk.state.entries and listed.id not in desk.state.others:
                _fetch_one(desk, client, listed, fetched, progress, f"drop {number} of {len(page.drops)}")
        # A cursor that stands still would be asked for again without end.
        more = page.more and page.cursor != desk.state.cursor
        desk.state.cursor = page.cursor
    desk.save()
    return fetched


def _fetch_one(
    desk: Desk, client: Client, listed: Listed, fetched: Fetched, progress: Progress, which: str
) -> None:
    path = desk.home.drop(listed.id)
    if listed.size > desk.newsroom.limits.drop:
        return _leave(desk, listed, fetched, "it is larger than the newsroom allows, and was not fetched")
    if listed.size + files.SPARE > shutil.disk_usage(path.parent).free:
        raise DeskError(
            f"there is no room for a drop of {size(listed.size)}", hint=f"free some space at {path.parent}"
        )
    part = path.with_suffix(".part")
    try:
        client.download(listed, part, lambda have: progress(f"{which}: {size(have)} of {size(listed.size)}"))
    except Gone:
        part.unlink(missing_ok=True)
        return _leave(desk, listed, fetched, "the relay no longer had it")
    progress(f"{which}: reading")
    part.replace(path)
    files.flush_folder(path.parent)
    entry = take_in(desk, listed, path)
    if entry is None:
        path.unlink()
        fetched.others += 1
    elif entry.problem:
        fetched.problems += 1
    else:
        fetched.drops += entry.of_source
        fetched.notes += not entry.of_source and not entry.silent
    return desk.save()


def _leave(desk: Desk, listed: Listed, fetched: Fetched, problem: str) -> None:
    desk.state.entries[listed.id] = Entry(listed.id, listed.day, listed.size, problem=problem)
    fetched.problems += 1


def take_in(desk: Desk, listed: Listed, path: Path) -> Entry | None:
    """Gives the entry of a fetched drop, which the desk remembers from now on; None for one that is for
    others, or a canary."""
    entry = Entry(listed.id, listed.day, listed.size)
    try:
        with path.open("rb") as source:
            drop = bare.read(source, [desk.identity], desk.place)
            count = sum(1 for _ in drop.files())
    except NotForYou:
        desk.state.others[listed.id] = listed.day
        return None
    except (BadAgeFile, BadDrop) as error:
        entry = replace(entry, problem=str(error))
    else:
        if isinstance(drop, bare.Bare):
            desk.state.entries[entry.id] = entry = replace(entry, files=count, bare=True)
            return entry
        entry = _judged(desk, replace(entry, letter=drop.letter, files=count, title=_title(drop.text)), drop)
        if entry.letter and entry.letter.canary and not entry.forged:
            thread = entry.letter.thread
            desk.state.calls.setdefault(thread.hex(), Call(thread, entry.day))
            desk.state.others[entry.id] = entry.day
            return None
        if _is_second_copy(desk, drop.letter, entry):
            desk.state.others[entry.id] = entry.day
            return None
        if entry.letter and entry.letter.author == desk.name and not entry.forged:
            desk.state.learn(entry.letter, drop.text, entry.day)
            desk.state.shown.add(entry.id)
    desk.state.entries[entry.id] = entry
    return entry


def _judged(desk: Desk, entry: Entry, drop: DropReader) -> Entry:
    """A drop that is refused keeps no letter: nothing in it counts."""
    if drop.letter.newsroom != desk.newsroom.id:
        return replace(entry, letter=None, title="", problem=str(WrongNewsroom()))
    if drop.letter.author:
        signer = desk.signers.get(drop.letter.author)
        signed = signer is not None and drop.signed_by(signer)
        entry = replace(entry, forged=not signed, note=note_id(drop.digest))
    if first := desk.state.holder(entry):
        return replace(entry, letter=None, title="", problem=str(Replayed(first)))
    return entry


def _is_second_copy(desk: Desk, letter: Letter, entry: Entry) -> bool:
    """Whether it was passed on to this desk, which has it already: two colleagues widened the case."""
    return entry.problem.startswith(str(Replayed())) and desk.name not in (*letter.to, letter.author)


def _title(text: str) -> str:
    first = text.strip().split("\n", 1)[0].strip()
    return first if len(first) <= _TITLE else first[: _TITLE - 1] + "…"
