# ruff: noqa: PTH104, PTH123 - `Path` costs more than the system calls here
"""A store in a folder.

    tmp/{k}                         a drop of one part, being written
    incoming/{id}                   the parts of an unfinished drop; see `relay.incoming`
    drops/{seq}-{day}-{size}-{id}   a committed drop
    gone/{k}                        what was deleted, until its space is free

A drop is one file that goes from folder to folder by rename, so at any instant it is there or it is not.
Its name says all that is to be known of it: the index is a listing, and nothing else has to be kept in step.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import secrets
from contextlib import suppress
from datetime import date
from pathlib import Path

from relay.day import expires, today, touch
from relay.errors import Refused
from relay.flush import Flush
from relay.incoming import Incoming, too_large
from relay.parse import AgeHead, Cursor
from relay.space import Space
from relay.store import Drop, Limits, Listing, Slice
from relay.writing import FolderPart, FolderWhole

PAGE = 1000  # drops in one listing
_NAME = re.compile(r"([0-9]{12})-([0-9]{4}-[0-9]{2}-[0-9]{2})-([1-9][0-9]{0,14})-([0-9a-f]{32})")


class FolderStore:
    """The store in `root`, which it has to itself; see `relay.store.Store`."""

    def __init__(self, root: Path, limits: Limits, flush: Flush) -> None:
        for name in ("tmp", "incoming", "drops", "gone"):
            (root / name).mkdir(exist_ok=True)
        for leftover in (root / "tmp").iterdir():
            leftover.unlink()
        self._root = str(root)
        self._limits = limits
        self._head = AgeHead(limits.stanzas)
        self._numbers = itertools.count()
        self._run = secrets.token_hex(8)
        self._drops = _read_drops(root / "drops")  # by id, in order of arrival
        self._landing: set[str] = set()  # those that are not durable at their place yet
        self._seq = max((drop.seq for drop in self._drops.values()), default=0)
        self.flush = flush
        self.space = Space(self._root, limits.reserve_bytes)
        self.incoming = Incoming(f"{root}/incoming", limits.unfinished_drops, limits.drop_bytes, self._throw)
        for id_ in self._drops:
            self.incoming.forget(id_)

    def has(self, id_: str) -> bool:
        return id_ in self._drops and id_ not in self._landing

    def has_place(self, id_: str) -> bool:
        """Whether a drop is at its place, durable there or not."""
        return id_ in self._drops

    def part(self, id_: str, n: int, size: int) -> FolderPart:
        return FolderPart(self, id_, n, size)

    def whole(self, id_: str, size: int) -> FolderWhole:
        if size > self._limits.drop_bytes:
            raise too_large()
        return FolderWhole(self, id_, size, f"{self._root}/tmp/{next(self._numbers)}")  # noqa: S108

    async def commit(self, id_: str, parts: int, size: int) -> None:
        if not self.has_place(id_):
            self.incoming.check(id_, parts, size)
            path = self.incoming.path(id_)
            with open(path, "r+b", buffering=0) as file:  # noqa: ASYNC230 - a few KiB
                self.check_head(file.fileno())
                file.truncate(size)  # a part that was given up may lie behind the last
                touch(file.fileno())
            self.land(path, id_, size)
        if id_ in self._landing:
            await self.flush()
        self.landed(id_, size)

    def check_head(self, fd: int) -> None:
        """Refuses (400) a file that begins as no drop for this edition does."""
        if not self._head.begins(os.pread(fd, self._head.size, 0)):
            raise Refused(400, "this does not begin as a drop for this newsroom's recipients")

    def land(self, path: str, id_: str, size: int) -> None:
        """Moves a file that is durable to the drops; `landed` lists it, once that is durable."""
        drop = Drop(self._seq + 1, today(), size, id_)
        os.rename(path, self._path(drop))
        self._seq = drop.seq
        self._drops[id_] = drop
        self._landing.add(id_)

    def landed(self, id_: str, size: int) -> None:
        """Lists a drop that is durable at its place now; refuses (409) when that is another one."""
        if id_ in self._landing:
            self._landing.discard(id_)
            self.incoming.forget(id_)
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
        if not self.has(id_):
            raise Refused(404, "there is no such drop")
        return self._drops[id_]

    def slice(self, drop: Drop, start: int, stop: int) -> Slice:
        return Slice(self._path(drop), start, stop - start)

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

    def _path(self, drop: Drop) -> str:
        return f"{self._root}/drops/{drop.seq:012}-{drop.day.isoformat()}-{drop.size}-{drop.id}"

    def _throw(self, path: str) -> None:
        with suppress(FileNotFoundError):
            os.rename(path, f"{self._root}/gone/{secrets.token_hex(8)}")

    def _empty(self) -> None:
        # In a thread, for freeing a large file takes long.
        for gone in Path(self._root, "gone").iterdir():
            gone.unlink(missing_ok=True)


def _read_drops(folder: Path) -> dict[str, Drop]:
    names = (_NAME.fullmatch(name) for name in sorted(entry.name for entry in folder.iterdir()))
    drops = (Drop(int(name[1]), date.fromisoformat(name[2]), int(name[3]), name[4]) for name in names if name)
    return {drop.id: drop for drop in drops}
