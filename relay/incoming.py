# ruff: noqa: PTH123 - `Path` costs more than the system calls here
"""Unfinished drops: for each a file with the parts that came, and a list of their sizes."""

from __future__ import annotations

import os
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from relay.errors import Refused
from relay.parse import PART, parts_of

STALE = 3600  # seconds after which an unfinished drop may have to make room for another
_MISSING = 100  # part numbers named to a client that did not send them
_SLOT = 4  # bytes
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(slots=True)
class _Unfinished:
    touched: float = field(default_factory=time.monotonic)
    parts: dict[int, int] = field(default_factory=dict)  # number -> size in bytes, of those that are durable
    size: int = 0  # bytes of all of them
    writers: int = 0  # parts on their way in

    def add(self, n: int, size: int) -> None:
        self.size += size - self.parts.get(n, 0)
        self.parts[n] = size


class Incoming:
    """`{root}/{id}` holds part n at n MiB; slot n of `{root}/{id}.sizes` holds its size.

    One flush makes both durable. What a power cut kept from the disk is a hole in the file, and a part with a
    hole in it is not there.

    `throw` gets rid of a file in one step, if it is there.
    """

    def __init__(self, root: str, most: int, drop_bytes: int, throw: Callable[[str], None]) -> None:
        self._root = root
        self._most = most
        self._drop_bytes = drop_bytes
        self._throw = throw
        # By id, the longest untouched first. After a restart all are as if touched: no hour is kept.
        self._drops: dict[str, _Unfinished] = {}
        for name in {entry.name.removesuffix(".sizes") for entry in os.scandir(root)}:
            drop = self._read(name)
            if drop.parts and _ID.fullmatch(name):
                self._drops[name] = drop
            else:
                self._clear(name)

    def _read(self, id_: str) -> _Unfinished:
        drop = _Unfinished()
        try:
            with open(self._sizes(id_), "rb") as sizes, open(self.path(id_), "rb") as parts:
                slots = sizes.read()
                for n in range(len(slots) // _SLOT):
                    size = int.from_bytes(slots[n * _SLOT : (n + 1) * _SLOT])
                    if 0 < size <= PART and _is_whole(parts.fileno(), n * PART, size):
                        drop.add(n, size)
        except FileNotFoundError:
            pass
        return drop

    def __len__(self) -> int:
        return len(self._drops)

    def path(self, id_: str) -> str:
        return f"{self._root}/{id_}"

    def _sizes(self, id_: str) -> str:
        return f"{self._root}/{id_}.sizes"

    def begin(self, id_: str, n: int, size: int) -> None:
        """Expects a part until `leave`; refuses (413) too large a drop and (503) to begin one too many."""
        known = self._drops.get(id_)
        others = known.size - known.parts.get(n, 0) if known else 0
        if max(n * PART, others) + size > self._drop_bytes:
            raise too_large()
        if known is None:
            self._make_room()
            known = _Unfinished()
        known.writers += 1
        self._touch(id_, known)

    def _make_room(self) -> None:
        """Lets go of a drop that nobody has touched for long, so that a full house does not stay one."""
        if len(self._drops) < self._most:
            return
        id_, longest = next(iter(self._drops.items()))
        if time.monotonic() - longest.touched < STALE:
            raise Refused(503, "too many drops are being sent; try again later")
        self.forget(id_)

    def leave(self, id_: str) -> None:
        """Expects a part no longer, and no drop of which none came."""
        drop = self._drops.get(id_)
        if drop is not None:
            drop.writers -= 1
            if not drop.writers and not drop.parts:
                self.forget(id_)

    def mark(self, id_: str, n: int, size: int) -> None:
        """Writes down that a part is there; until `count` says that it is durable, no commit has it."""
        if id_ not in self._drops:
            raise Refused(503, "this drop has expired; send it again")
        slots = os.open(self._sizes(id_), os.O_WRONLY | os.O_CREAT, 0o600)
        try:
            os.pwrite(slots, size.to_bytes(_SLOT), n * _SLOT)
        finally:
            os.close(slots)

    def count(self, id_: str, n: int, size: int) -> None:
        """Counts a part, unless the drop is no longer unfinished."""
        drop = self._drops.get(id_)
        if drop is not None:
            drop.add(n, size)
            self._touch(id_, drop)

    def _touch(self, id_: str, drop: _Unfinished) -> None:
        drop.touched = time.monotonic()
        self._drops.pop(id_, None)
        self._drops[id_] = drop

    def check(self, id_: str, parts: int, size: int) -> None:
        """Refuses a commit too large (413), of no drop (404), with parts missing (409) or others (400)."""
        if size > self._drop_bytes:
            raise too_large()
        if id_ not in self._drops or not self._drops[id_].parts:
            raise Refused(404, "no part of this drop is here")
        drop = self._drops[id_]
        missing = [n for n in range(parts) if n not in drop.parts]
        if missing:
            raise Refused(409, "parts are missing", missing=missing[:_MISSING])
        whole = all(drop.parts[n] == PART for n in range(parts - 1))
        if len(drop.parts) != parts or drop.size != size or not whole or parts != parts_of(size):
            raise Refused(400, "the parts that are here do not add up to this size")

    def forget(self, id_: str) -> None:
        """Deletes a drop, or what its commit left of it, if there is any."""
        if self._drops.pop(id_, None) is not None:
            self._clear(id_)

    def _clear(self, id_: str) -> None:
        self._throw(self.path(id_))
        self._throw(self._sizes(id_))

    def expire(self, age: float) -> None:
        """Forgets the drops that nobody has touched for `age` seconds."""
        now = time.monotonic()
        for id_ in [id_ for id_, drop in self._drops.items() if now - drop.touched > age]:
            self.forget(id_)


def _is_whole(file: int, start: int, size: int) -> bool:
    """Whether these bytes were all written (lseek(2): the end of a file is a hole)."""
    try:
        return os.lseek(file, start, os.SEEK_HOLE) >= start + size
    except OSError:  # it ends before
        return False


def too_large() -> Refused:
    return Refused(413, "the drop is larger than this newsroom takes")
