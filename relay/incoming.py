# ruff: noqa: PTH102, PTH104 - `Path` costs more than the system calls here
"""Unfinished drops: the parts that are durable, until a commit makes them a drop."""

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
_ID = re.compile(r"[0-9a-f]{32}")


@dataclass(slots=True)
class _Unfinished:
    touched: float
    parts: dict[int, int] = field(default_factory=dict)  # number -> size in bytes, of those that are durable
    size: int = 0  # of all of them

    def add(self, n: int, size: int) -> None:
        self.remove(n)
        self.parts[n] = size
        self.size += size

    def remove(self, n: int) -> None:
        self.size -= self.parts.pop(n, 0)


class Incoming:
    """The folder `{root}/{id}/{n}`, and an index of it; `throw` gets rid of a folder in one step."""

    def __init__(self, root: str, most: int, drop_bytes: int, throw: Callable[[str], None]) -> None:
        self._root = root
        self._most = most
        self._drop_bytes = drop_bytes
        self._throw = throw
        now = time.monotonic()
        # The longest untouched first. After a restart all count as touched: no hour is kept on the disk.
        self._drops: dict[str, _Unfinished] = {}
        for entry in os.scandir(root):
            if _ID.fullmatch(entry.name):
                drop = self._drops[entry.name] = _Unfinished(now)
                for part in os.scandir(entry):
                    if part.name.isdecimal():
                        drop.add(int(part.name), part.stat().st_size)

    def __len__(self) -> int:
        return len(self._drops)

    def folder(self, id_: str) -> str:
        return f"{self._root}/{id_}"

    def admit(self, id_: str, n: int, size: int, *, alone: bool) -> None:
        """Refuses a part that makes its drop too large (413) or, unless alone, begins one too many (503)."""
        known = self._drops.get(id_)
        others = known.size - known.parts.get(n, 0) if known else 0
        if max(n * PART, others) + size > self._drop_bytes:
            raise too_large()
        if known is None and not alone and len(self._drops) >= self._most:
            self._make_room()

    def _make_room(self) -> None:
        """Lets go of a drop that nobody has touched for long, so that a full house does not stay one."""
        id_, longest = next(iter(self._drops.items()))
        if time.monotonic() - longest.touched < STALE:
            raise Refused(503, "too many drops are being sent; try again later")
        self.forget(id_)

    def name(self, path: str, id_: str, n: int) -> None:
        """Moves a part to its place. Until `count` says that it is durable there, no commit can have it."""
        if id_ not in self._drops:
            os.mkdir(self.folder(id_))
            self._drops[id_] = _Unfinished(time.monotonic())
        self._drops[id_].remove(n)
        os.rename(path, f"{self.folder(id_)}/{n}")

    def count(self, id_: str, n: int, size: int) -> None:
        """Counts a part that is durable now, unless the drop is no longer unfinished."""
        drop = self._drops.pop(id_, None)
        if drop is not None:
            drop.touched = time.monotonic()
            drop.add(n, size)
            self._drops[id_] = drop

    def check(self, id_: str, parts: int, size: int) -> None:
        """Refuses a commit too large (413), of no drop (404), with parts missing (409) or others (400)."""
        if size > self._drop_bytes:
            raise too_large()
        if id_ not in self._drops:
            raise Refused(404, "no part of this drop is here")
        drop = self._drops[id_]
        have = drop.parts
        missing = [n for n in range(parts) if n not in have]
        if missing:
            raise Refused(409, "parts are missing", missing=missing[:_MISSING])
        whole = all(have[n] == PART for n in range(parts - 1))
        if len(have) != parts or drop.size != size or not whole or parts != parts_of(size):
            raise Refused(400, "the parts that are here do not add up to this size")

    def forget(self, id_: str) -> None:
        """Deletes what is left of a drop, if there is anything."""
        if self._drops.pop(id_, None) is not None:
            self._throw(self.folder(id_))

    def expire(self, age: float) -> None:
        """Forgets the drops that nobody has touched for `age` seconds."""
        now = time.monotonic()
        for id_ in [id_ for id_, drop in self._drops.items() if now - drop.touched > age]:
            self.forget(id_)


def too_large() -> Refused:
    return Refused(413, "the drop is larger than this newsroom takes")
