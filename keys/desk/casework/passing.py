"""Passing a case on (FORMAT.md section 8): the drops and notes of a thread, sealed again for new readers."""

from __future__ import annotations

import io
import os
import secrets
import shutil
from collections.abc import Callable, Iterable, Iterator, Set
from dataclasses import dataclass

from keys import drop as drops
from keys.age import HybridIdentity, OpenReader
from keys.desk.casework.cases import Cases
from keys.desk.client import Client
from keys.desk.desk import Desk
from keys.desk.files import SPARE
from keys.desk.state import Copy, Entry
from keys.desk.terminal import size
from keys.errors import DeskError
from keys.streams import Writable

_SMALL = 1 << 20  # bytes of a sealed drop that may have the smallest size, however many recipients there are


@dataclass(frozen=True)
class Owed:
    """A drop that this desk passes on, and to whom."""

    entry: Entry
    to: tuple[str, ...]


def owed(desk: Desk) -> Iterator[Owed]:
    """Gives what this desk has to pass on: what its journalist widened a case to, and what somebody lost."""
    cases = Cases(desk)
    new: dict[bytes, set[str]] = {}
    for thread, said in cases.mine("widen"):
        new.setdefault(thread, set()).update(said.more["to"])
    for thread in new | {entry.letter.thread: set() for entry in _lost(desk) if entry.letter}:
        case = cases.of(thread)
        for entry in desk.state.thread(thread):
            letter = entry.letter
            if letter is None or (letter.author and letter.author not in case.readers):
                continue
            if not cases.believes(entry):
                continue
            # Who said to have read it has it, whichever laptop passed it on.
            has = {*letter.to, letter.author, *case.reads.get(letter.message, ())}
            has.update(desk.state.passed.get(entry.id, ()))
            names = (new.get(thread, set()) - has) | desk.state.again.get(entry.id, set())
            to = tuple(name for name in desk.recipients if name in names)
            if to and desk.home.drop(entry.id).exists():
                yield Owed(entry, to)


def again(desk: Desk, thread: bytes, names: Iterable[str]) -> None:
    """Remembers to pass on all that is here of a case to readers who have lost it. The caller saves."""
    for entry in desk.state.thread(thread):
        desk.state.again.setdefault(entry.id, set()).update(names)


def _lost(desk: Desk) -> Iterator[Entry]:
    return (desk.state.entries[id_] for id_ in desk.state.again if id_ in desk.state.entries)


def small(desk: Desk) -> Iterator[Owed]:
    """Gives what has the smallest size, so that it can take the place of a sync's note."""
    return (one for one in owed(desk) if _is_smallest(desk, one.entry))


def take(desk: Desk, one: Owed) -> bytes:
    """Gives a small drop sealed again; it counts as passed on from now."""
    out = io.BytesIO()
    _reseal(desk, one, out)
    _passed(desk, one)
    return out.getvalue()


def upload(desk: Desk, client: Client, report: Callable[[str], None]) -> None:
    """Uploads what is too large for a note; what was begun before goes on where it was."""
    folder = desk.home.outgoing
    large = [one for one in owed(desk) if not _is_smallest(desk, one.entry)]
    _forget(desk, {one.entry.id for one in large})
    for number, one in enumerate(large, 1):
        which = f"passing on drop {number} of {len(large)}"
        copy = desk.state.copies.get(one.entry.id)
        if copy is None or copy.to != one.to or not (folder / copy.drop).exists():
            copy = _begin(desk, one)
        path = folder / copy.drop
        client.upload(copy.drop, path, lambda have, which=which: report(f"{which}: {have}"))  # type: ignore[misc]
        _passed(desk, one)
        del desk.state.copies[one.entry.id]
        desk.save()
        path.unlink()


def _begin(desk: Desk, one: Owed) -> Copy:
    """Seals a drop again, into a file that outlives an interruption: the relay takes the parts of one sealing
    only."""
    copy = Copy(secrets.token_hex(16), one.to)
    path = desk.home.outgoing / copy.drop
    path.parent.mkdir(mode=0o700, exist_ok=True)
    if one.entry.size + SPARE > shutil.disk_usage(path.parent).free:
        raise DeskError(f"there is no room to seal a drop of {size(one.entry.size)} again")
    with path.open("wb") as out:
        _reseal(desk, one, out)
        out.flush()
        os.fsync(out.fileno())
    desk.state.copies[one.entry.id] = copy
    desk.save()
    return copy


def _forget(desk: Desk, wanted: Set[str]) -> None:
    """Removes what is left of copies that nobody waits for."""
    desk.state.copies = {id_: copy for id_, copy in desk.state.copies.items() if id_ in wanted}
    if desk.home.outgoing.exists():
        there = {copy.drop for copy in desk.state.copies.values()}
        for path in desk.home.outgoing.iterdir():
            if path.name not in there:
                path.unlink()


def _reseal(desk: Desk, one: Owed, out: Writable) -> None:
    to = [
        key if name in one.to else HybridIdentity.generate().recipient()
        for name, key in desk.recipients.items()
    ]
    with desk.home.drop(one.entry.id).open("rb") as source:
        drops.reseal(source, out, desk.identities, to, desk.place)


def _passed(desk: Desk, one: Owed) -> None:
    desk.state.passed.setdefault(one.entry.id, set()).update(one.to)
    if lost := desk.state.again.pop(one.entry.id, set()) - set(one.to):
        desk.state.again[one.entry.id] = lost


def _is_smallest(desk: Desk, entry: Entry) -> bool:
    if entry.size > _SMALL:
        return False
    with desk.home.drop(entry.id).open("rb") as source:
        plain = OpenReader(source, desk.identities, desk.place)
        return len(plain.read(drops.SMALLEST + 1)) <= drops.SMALLEST
