# ruff: noqa: PTH123 - `Path` costs more than the system calls here
"""Small drops that came together, in one file: a file each costs more than all else that is done for them.

    {seq}-{day}-{count}     `count` slots of 32 bytes, then the drops, in the same order

A slot holds the id of a drop and its size in bytes. The first drop's number is seq, the next one's follows. A
drop is deleted by filling its slot's id and then its bytes with zeros; the last takes the file with it.
"""

from __future__ import annotations

import asyncio
import ctypes
import errno
import os
import re
import struct
from collections import Counter
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from relay.day import touch
from relay.store import Drop

MOST = 64  # drops

NAME = re.compile(r"([0-9]{12})-([0-9]{4}-[0-9]{2}-[0-9]{2})-([1-9][0-9]?)")
_SLOT = struct.Struct(">16sQ8x")  # of such a size that none lies across two sectors
_NOBODY = bytes(16)

_fallocate = ctypes.CDLL(None, use_errno=True).fallocate64
_fallocate.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
_PUNCH_HOLE = 0x02 | 0x01  # and keep the size, linux/falloc.h


@dataclass(eq=False)
class Batch:
    """One that is gathering: `drops` by id, to be written at `path`, and those who wait for that."""

    path: str
    drops: dict[str, bytes] = field(default_factory=dict)
    waiting: list[asyncio.Future[None]] = field(default_factory=list)
    keeping: asyncio.Task[None] | None = None

    def wait(self) -> asyncio.Future[None]:
        """Done once the drops are durable at their place, or failed."""
        self.waiting.append(asyncio.get_running_loop().create_future())
        return self.waiting[-1]

    def end(self, error: BaseException | None) -> None:
        for waiting in self.waiting:
            if not waiting.done():
                waiting.set_result(None) if error is None else waiting.set_exception(error)

    @property
    def full(self) -> bool:
        return len(self.drops) >= MOST

    @property
    def size(self) -> int:
        return sum(_SLOT.size + len(body) for body in self.drops.values())

    def name(self, seq: int, day: date) -> str:
        return f"{seq:012}-{day.isoformat()}-{len(self.drops)}"

    def write(self) -> None:
        slots = (_SLOT.pack(bytes.fromhex(id_), len(drop)) for id_, drop in self.drops.items())
        fd = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        try:
            if os.writev(fd, (*slots, *self.drops.values())) != self.size:
                raise OSError(errno.ENOSPC, "the disk is full")
            touch(fd)
        finally:
            os.close(fd)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a drop is in which file, and where its slot: all in bytes."""

    path: str
    slot: int
    offset: int
    size: int


class Batches:
    """Where in which file each drop is."""

    def __init__(self) -> None:
        self._places: dict[str, Place] = {}  # by id
        self._left = Counter[str]()  # drops by path

    def read(self, path: str, seq: int, day: date, count: int) -> list[Drop]:
        """The drops that are left in a file; none when it is no batch."""
        with open(path, "rb") as file:
            head = file.read(count * _SLOT.size)
            length = os.fstat(file.fileno()).st_size
        if len(head) < count * _SLOT.size:
            return []
        slots = list(_SLOT.iter_unpack(head))
        if len(head) + sum(size for _, size in slots) != length:
            return []
        self._put(path, [(id_.hex() if id_ != _NOBODY else None, size) for id_, size in slots])
        drops = (Drop(seq + n, day, size, id_.hex()) for n, (id_, size) in enumerate(slots))
        return [drop for drop in drops if drop.id in self._places]

    def add(self, path: str, batch: Batch) -> None:
        """Takes note of a batch that was moved to `path`."""
        self._put(path, [(id_, len(body)) for id_, body in batch.drops.items()])

    def _put(self, path: str, slots: list[tuple[str | None, int]]) -> None:
        offset = len(slots) * _SLOT.size
        for n, (id_, size) in enumerate(slots):
            if id_ is not None:
                self._places[id_] = Place(path, n * _SLOT.size, offset, size)
                self._left[path] += 1
            offset += size

    def __contains__(self, id_: str) -> bool:
        return id_ in self._places

    def place(self, id_: str) -> Place:
        return self._places[id_]

    def remove(self, id_: str) -> Place | None:
        """Deletes a drop's slot; its bytes are for `erase`, once that is durable. None if it was the last."""
        place = self._places.pop(id_)
        self._left[place.path] -= 1
        if not self._left[place.path]:
            del self._left[place.path]
            return None
        with open(place.path, "r+b", buffering=0) as file:
            os.pwrite(file.fileno(), _NOBODY, place.slot)
        return place


def erase(places: Iterable[Place]) -> None:
    """Fills drops' bytes with zeros and gives their space back, where the file system can."""
    for place in places:
        with suppress(FileNotFoundError), open(place.path, "r+b", buffering=0) as file:
            if _fallocate(file.fileno(), _PUNCH_HOLE, place.offset, place.size) != 0:
                os.pwrite(file.fileno(), bytes(place.size), place.offset)
            touch(file.fileno())
