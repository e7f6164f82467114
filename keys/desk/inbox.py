"""Drops coming in: fetched whole, read once from end to end, and kept as the ciphertext they came as."""

from __future__ import annotations

import shutil
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import BinaryIO

from keys.casework import note_id
from keys.desk import bare, files
from keys.desk.answers import Gone, Listed
from keys.desk.client import Client
from keys.desk.desk import Desk
from keys.desk.editions import today
from keys.desk.state import Call, Entry
from keys.desk.terminal import Progress, size
from keys.drop import DropReader
from keys.errors import BadAgeFile, BadDrop, DeskError, NotForYou, Replayed, WrongNewsroom
from keys.identity import signer_of
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
    since = desk.state.newest
    if desk.state.edition != desk.newsroom.edition:
        _judge_again(desk, since)
        desk.state.edition = desk.newsroom.edition
    more = True
    while more:
        page = client.drops(desk.state.cursor)
        for number, listed in enumerate(page.drops, 1):
            if listed.id not in desk.state.entries and listed.id not in desk.state.others:
                which = f"drop {number} of {len(page.drops)}"
                _fetch_one(desk, client, listed, since, fetched, progress, which)
        # A cursor that stands still would be asked for again without end.
        more = page.more and page.cursor != desk.state.cursor
        desk.state.cursor = page.cursor
    desk.save()
    return fetched


def _fetch_one(
    desk: Desk,
    client: Client,
    listed: Listed,
    since: date,
    fetched: Fetched,
    progress: Progress,
    which: str,
) -> None:
    path = desk.home.drop(listed.id)
    if listed.size > desk.newsroom.limits.drop:
        return _leave(desk, listed, fetched, "it is larger than the newsroom allows, and was not fetched")
    if listed.size + files.SPARE > shutil.disk_usage(path.parent).free:
        raise DeskError(
            f"there is no room for a drop of {size(listed.size)}", hint=f"free some space at {path.parent}"
        )
    part = path.with_suffix(".part")
    goes_on = part.exists()
    try:
        client.download(listed, part, lambda have: progress(f"{which}: {size(have)} of {size(listed.size)}"))
    except Gone:
        part.unlink(missing_ok=True)
        return _leave(desk, listed, fetched, "the relay no longer had it")
    progress(f"{which}: reading")
    part.replace(path)
    files.flush_folder(path.parent)
    entry = take_in(desk, listed, path, since)
    if goes_on and entry and entry.problem:
        # A power cut may have left bytes in it that the relay never sent.
        path.unlink()
        del desk.state.entries[listed.id]
        return _fetch_one(desk, client, listed, since, fetched, progress, which)
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


def take_in(desk: Desk, listed: Listed, path: Path, since: date = date.min) -> Entry | None:
    """Gives the entry of a fetched drop, which the desk remembers from now on; None for one that is for
    others, or a canary. `since` is the newest day of an earlier listing: nothing new came before it."""
    entry = Entry(listed.id, listed.day, listed.size)
    try:
        with path.open("rb") as source:
            drop = _opened(desk, source)
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
        entry = replace(entry, letter=drop.letter, files=count, title=_title(drop.text))
        entry = _judged(desk, entry, drop, max(listed.day, since))
        if entry.letter and entry.letter.canary and not entry.forged:
            thread = entry.letter.thread
            if not entry.late:
                desk.state.calls.setdefault(thread.hex(), Call(thread, entry.day))
            desk.state.others[entry.id] = entry.day
            return None
        if _is_second_copy(desk, drop.letter, entry):
            desk.state.others[entry.id] = entry.day
            return None
        if entry.letter and entry.letter.author == desk.name and not (entry.forged or entry.late):
            desk.state.learn(entry.letter, drop.text, entry.day)
            desk.state.shown.add(entry.id)
    desk.state.entries[entry.id] = entry
    return entry


def _opened(desk: Desk, source: BinaryIO) -> DropReader | bare.Bare:
    """Gives what one of the journalist's identities opens; remembers when a former one was needed."""
    for identity in desk.identities:
        try:
            drop = bare.read(source, [identity], desk.place)
        except NotForYou:
            source.seek(0)
            continue
        if identity in desk.journalist.former:
            desk.state.former[signer_of(identity).hex()] = today()
        return drop
    raise NotForYou


def _judge_again(desk: Desk, since: date) -> None:
    """Takes in once more what was forged: a newer edition may list who signed it."""
    order = list(desk.state.entries)
    for entry in [one for one in desk.state.entries.values() if one.forged]:
        path = desk.home.drop(entry.id)
        if path.exists():
            del desk.state.entries[entry.id]
            if take_in(desk, Listed(entry.id, entry.size, entry.day), path, since) is None:
                path.unlink()
    desk.state.entries = {id_: desk.state.entries[id_] for id_ in order if id_ in desk.state.entries}


def _judged(desk: Desk, entry: Entry, drop: DropReader, came: date) -> Entry:
    """A drop that is refused keeps no letter: nothing in it counts."""
    if drop.letter.newsroom != desk.newsroom.id:
        return replace(entry, letter=None, title="", problem=str(WrongNewsroom()))
    if drop.letter.author:
        forged, late = _signature(desk, drop.letter.author, drop, came)
        entry = replace(entry, forged=forged, late=late, note=note_id(drop.digest))
    if first := desk.state.holder(entry):
        return replace(entry, letter=None, title="", problem=str(Replayed(first)))
    return entry


def _signature(desk: Desk, author: str, drop: DropReader, came: date) -> tuple[bool, bool]:
    """Gives whether a note is forged or late (FORMAT.md section 9)."""
    signer = desk.signers.get(author)
    if signer and drop.signed_by(signer):
        return False, False
    for one in desk.newsroom.former or ():
        if one.name == author and drop.signed_by(bytes.fromhex(one.signer)):
            return False, came > one.until
    return True, False


def _is_second_copy(desk: Desk, letter: Letter, entry: Entry) -> bool:
    """Whether it was passed on to this desk, which has it already: two colleagues widened the case."""
    return entry.problem.startswith(str(Replayed())) and desk.name not in (*letter.to, letter.author)


def _title(text: str) -> str:
    first = text.strip().split("\n", 1)[0].strip()
    return first if len(first) <= _TITLE else first[: _TITLE - 1] + "…"
