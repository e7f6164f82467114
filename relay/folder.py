# ruff: noqa: PTH104, PTH108, PTH123 - `Path` costs more than the system calls here
"""A store in a folder.

    tmp/{k}                         a part that is being written
    incoming/{id}/{n}               part n of an unfinished drop
    drops/{seq}-{day}-{size}-{id}   a committed drop: its only part, or a folder of parts
    gone/{k}                        what was deleted, until its space is free

Things move from one to the next by rename, so at any instant they are there or they are not. The names say
all that is to be known of a drop: the index is a listing, and nothing else has to be kept in step with it.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import secrets
import shutil
from collections.abc import Iterator
from contextlib import suppress
from datetime import date
from pathlib import Path
from types import TracebackType
from typing import Self

from relay.day import expires, today, touch
from relay.errors import Refused
from relay.flush import Flush
from relay.incoming import Incoming
from relay.parse import PART, AgeHead, Cursor
from relay.space import Space, refuse_if_full
from relay.store import Drop, Limits, Listing, Slice

PAGE = 1000  # drops in one listing
_NAME = re.compile(r"([0-9]{12})-([0-9]{4}-[0-9]{2}-[0-9]{2})-([1-9][0-9]{0,14})-([0-9a-f]{32})")


class FolderStore:
    """The store in `root`, which it has to itself; see `relay.store.Store`."""

    def __init__(self, root: Path, limits: Limits, flush: Flush) -> None:
        for name in ("tmp", "incoming", "drops", "gone"):
            (root / name).mkdir(exist_ok=True)
        for leftover in (root / "tmp").iterdir():
            leftover.unlink()
        self.root = str(root)
        self.flush = flush
        self.space = Space(self.root, limits.reserve_bytes)
        self.incoming = Incoming(f"{root}/incoming", limits.unfinished_drops, limits.drop_bytes, self._throw)
        self._limits = limits
        self._head = AgeHead(limits.stanzas)
        self._numbers = itertools.count()
        self._run = secrets.token_hex(8)
        self._drops = _read_drops(root / "drops")  # by id, in order of arrival
        self._landing: set[str] = set()  # those that are not durable at their place yet
        self._seq = max((drop.seq for drop in self._drops.values()), default=0)
        for id_ in self._drops:
            self.incoming.forget(id_)

    def has(self, id_: str) -> bool:
        return id_ in self._drops and id_ not in self._landing

    def has_place(self, id_: str) -> bool:
        """Whether a drop is at its place, durable there or not."""
        return id_ in self._drops

    def part(self, id_: str, n: int, size: int, *, alone: bool) -> FolderPart:
        self.incoming.admit(id_, n, size, alone=alone)
        return FolderPart(self, id_, n, size)

    async def commit(self, id_: str, parts: int, size: int) -> None:
        if not self.has_place(id_):
            self.incoming.check(id_, parts, size)
            folder = self.incoming.folder(id_)
            with open(f"{folder}/0", "rb", buffering=0) as first:  # noqa: ASYNC230 - a few KiB
                self.check_head(first.fileno())
            if parts > 1:
                touch(folder)
            self.land(folder if parts > 1 else f"{folder}/0", id_, size)
        if id_ in self._landing:
            await self.flush()
        self.landed(id_, size)

    def check_head(self, fd: int) -> None:
        """Refuses (400) a file that begins as no drop for this edition does."""
        if not self._head.begins(os.pread(fd, self._head.size, 0)):
            raise Refused(400, "this does not begin as a drop for this newsroom's recipients")

    def land(self, path: str, id_: str, size: int) -> None:
        """Moves a file or folder that is durable to the drops; `landed` lists it, once that is durable."""
        drop = Drop(self._seq + 1, today(), size, id_)
        os.rename(path, self._path(drop))
        self._seq = drop.seq
        self._drops[id_] = drop
        self._landing.add(id_)
        self.incoming.forget(id_)

    def landed(self, id_: str, size: int) -> None:
        """Lists a drop that is durable at its place now; refuses (409) when that is another one."""
        self._landing.discard(id_)
        if id_ in self._drops and self._drops[id_].size != size:
            raise Refused(409, "this drop was committed with another size")

    def listing(self, after: Cursor | None) -> Listing:
        last = after.seq if after is not None and after.run == self._run else 0
        drops: list[Drop] = []
        more = False
        for drop in self._drops.values():
            # What comes after one that is not durable yet has to wait, or a cursor could pass that one by.
            if drop.id in self._landing:
                break
            if drop.seq > last:
                more = len(drops) == PAGE
                if more:
                    break
                drops.append(drop)
        return Listing(drops, Cursor(self._run, drops[-1].seq if drops else last), more)

    def drop(self, id_: str) -> Drop:
        drop = self._drops.get(id_)
        if drop is None or id_ in self._landing:
            raise Refused(404, "there is no such drop")
        return drop

    def slices(self, drop: Drop, start: int, stop: int) -> Iterator[Slice]:
        path = self._path(drop)
        if drop.size <= PART:
            yield Slice(path, start, stop - start)
            return
        while start < stop:
            n, offset = divmod(start, PART)
            count = min(PART - offset, stop - start)
            yield Slice(f"{path}/{n}", offset, count)
            start += count

    async def delete(self, id_: str) -> None:
        drop = self._drops.pop(id_, None)
        if drop is not None:
            self._throw(self._path(drop))
        await self.flush()  # also when it is gone already, for that may not be durable yet
        await asyncio.to_thread(self._empty)

    async def sweep(self) -> None:
        self.incoming.expire(self._limits.unfinished_hours * 3600)
        for drop in list(self._drops.values()):
            if today() >= expires(drop.day, self._limits.retention_days, drop.id):
                self._throw(self._path(self._drops.pop(drop.id)))
        await asyncio.to_thread(self._empty)

    def status(self) -> dict[str, int]:
        return {
            "free_bytes": self.space.free(),
            "reserve_bytes": self.space.reserve,
            "drops": len(self._drops) - len(self._landing),
            "unfinished": len(self.incoming),
        }

    def new_path(self) -> str:
        return f"{self.root}/tmp/{next(self._numbers)}"  # noqa: S108

    def _path(self, drop: Drop) -> str:
        return f"{self.root}/drops/{drop.seq:012}-{drop.day}-{drop.size}-{drop.id}"

    def _throw(self, path: str) -> None:
        # In one step: half of it would be half a drop after a crash.
        with suppress(FileNotFoundError):
            os.rename(path, f"{self.root}/gone/{secrets.token_hex(8)}")

    def _empty(self) -> None:
        for gone in Path(self.root, "gone").iterdir():
            with suppress(FileNotFoundError):
                shutil.rmtree(gone) if gone.is_dir() else gone.unlink()


class FolderPart:
    """A part in a file of its own; see `relay.store.Part`.

    Its bytes are durable before it gets its name, and the name is before anybody is told. With one flush for
    both, a power cut can leave a name of the right size over zeros.
    """

    def __init__(self, store: FolderStore, id_: str, n: int, size: int) -> None:
        self._store = store
        self._id = id_
        self._n = n
        self._size = size
        self._path: str | None = store.new_path()  # None once it has its place
        self._fd = -1

    def __enter__(self) -> Self:
        self._store.space.take(self._size)
        try:
            self._fd = os.open(self._path or "", os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            self._store.space.give_back(self._size)
            refuse_if_full(error)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.space.give_back(self._size)
        os.close(self._fd)
        if self._path is not None:
            os.unlink(self._path)
        if isinstance(error, OSError):
            refuse_if_full(error)

    def write(self, chunk: bytes) -> None:
        written = os.write(self._fd, chunk)
        while written < len(chunk):
            written += os.write(self._fd, chunk[written:])

    async def keep(self) -> None:
        touch(self._fd)
        await self._store.flush(self._name)
        self._store.incoming.count(self._id, self._n, self._size)

    def _name(self) -> None:
        if not self._store.has_place(self._id):
            self._store.incoming.name(self._path or "", self._id, self._n)
            self._path = None

    async def commit(self) -> None:
        self._store.check_head(self._fd)
        touch(self._fd)
        await self._store.flush(self._land)
        self._store.landed(self._id, self._size)

    def _land(self) -> None:
        if not self._store.has_place(self._id):
            self._store.land(self._path or "", self._id, self._size)
            self._path = None


def _read_drops(folder: Path) -> dict[str, Drop]:
    names = (_NAME.fullmatch(name) for name in sorted(entry.name for entry in folder.iterdir()))
    drops = (Drop(int(name[1]), date.fromisoformat(name[2]), int(name[3]), name[4]) for name in names if name)
    return {drop.id: drop for drop in drops}
