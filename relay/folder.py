# ruff: noqa: PTH104, PTH108, PTH123, PTH208 - `Path` costs more than the system calls here
"""A store in a folder.

    tmp/{k}                         small drops, being written
    incoming/{id}                   the parts of an unfinished drop; see `relay.incoming`
    drops/{seq}-{day}-{size}-{id}   a committed drop
    drops/{seq}-{day}-{count}       small ones that came together; see `relay.batch`
    gone/{k}                        what was deleted, until its space is free

A file goes from folder to folder by rename, so at any instant a drop is there or it is not. Names and slots
say all that is to be known: the index is a listing, and nothing else has to be kept in step.
"""

from __future__ import annotations

import asyncio
import itertools
import os
import re
import secrets
from contextlib import suppress
from datetime import date
from functools import partial
from pathlib import Path

from relay.batch import NAME as _BATCH_NAME
from relay.batch import Batch, Batches, erase
from relay.day import expires, today, touch
from relay.errors import Refused
from relay.flush import Flush
from relay.incoming import Incoming, too_large
from relay.parse import AgeHead, Cursor
from relay.space import Space
from relay.store import Drop, Limits, Listing, Slice
from relay.writing import FolderPart

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
        self._batches = Batches()
        self._drops = _read_drops(f"{root}/drops", self._batches)  # by id, in order of arrival
        self._landing: set[str] = set()  # those that are not durable at their place yet
        self._gathering: Batch | None = None
        self._pending: dict[str, Batch] = {}  # drops that no place has yet, by id
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

    async def add(self, id_: str, drop: bytes) -> None:
        if len(drop) > self._limits.drop_bytes:
            raise too_large()
        self._check_head(drop)
        if not self.has_place(id_):
            await self._batch(id_, drop).wait()
        await self._settle(id_, len(drop))

    def _batch(self, id_: str, drop: bytes) -> Batch:
        """The batch that a drop is in, or is now."""
        if id_ in self._pending:
            return self._pending[id_]
        batch = self._gathering
        if batch is None or batch.full:
            batch = self._gathering = Batch(f"{self._root}/tmp/{next(self._numbers)}")  # noqa: S108
            # A task of its own: whoever leaves takes nobody along.
            batch.keeping = asyncio.create_task(self._keep(batch))
        batch.drops[id_] = drop
        self._pending[id_] = batch
        return batch

    async def _keep(self, batch: Batch) -> None:
        failed: BaseException | None = None
        try:
            await self.flush(partial(self._land_batch, batch), partial(self._write, batch))
        except Exception as error:
            failed = error
            with suppress(FileNotFoundError):
                os.unlink(batch.path)
        for id_ in batch.drops:
            del self._pending[id_]
            if failed is None:
                self._landed(id_)
        batch.end(failed)

    def _write(self, batch: Batch) -> None:
        if batch is self._gathering:
            self._gathering = None
        with self.space.taken(batch.size):
            batch.write()

    def _land_batch(self, batch: Batch) -> None:
        day = today()
        path = f"{self._root}/drops/{batch.name(self._seq + 1, day)}"
        os.rename(batch.path, path)
        self._batches.add(path, batch)
        for id_, drop in batch.drops.items():
            self._list(id_, len(drop), day)

    async def commit(self, id_: str, parts: int, size: int) -> None:
        if id_ in self._pending:
            await self._pending[id_].wait()
        if not self.has_place(id_):
            self.incoming.check(id_, parts, size)
            self._land(id_, size)
        await self._settle(id_, size)

    def _check_head(self, start: bytes) -> None:
        """Refuses (400) what begins as no drop for this edition does."""
        if not self._head.begins(start):
            raise Refused(400, "this does not begin as a drop for this newsroom's recipients")

    def _land(self, id_: str, size: int) -> None:
        """Moves a file whose parts are durable to the drops."""
        path = self.incoming.path(id_)
        with open(path, "r+b", buffering=0) as file:
            self._check_head(file.read(self._head.size))
            file.truncate(size)  # a part that was given up may lie behind the last
            touch(file.fileno())
        os.rename(path, f"{self._root}/drops/{_name(self._list(id_, size, today()))}")

    def _list(self, id_: str, size: int, day: date) -> Drop:
        """Gives a drop its number; `_landed` shows it, once it is durable at its place."""
        self._seq += 1
        drop = self._drops[id_] = Drop(self._seq, day, size, id_)
        self._landing.add(id_)
        return drop

    def _landed(self, id_: str) -> None:
        self._landing.discard(id_)
        self.incoming.forget(id_)

    async def _settle(self, id_: str, size: int) -> None:
        """Returns once a drop that has a place is durable there; refuses (409) when that is another one."""
        if id_ in self._landing:
            await self.flush()
            self._landed(id_)
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
        if drop.id in self._batches:
            place = self._batches.place(drop.id)
            return Slice(place.path, place.offset + start, stop - start)
        return Slice(self._path(drop), start, stop - start)

    async def delete(self, id_: str) -> None:
        await self._remove([self._drops[id_]] if id_ in self._drops else [])
        await asyncio.to_thread(self._empty)

    async def _remove(self, drops: list[Drop]) -> None:
        places = []
        for drop in drops:
            del self._drops[drop.id]
            path = self.slice(drop, 0, 0).path
            place = self._batches.remove(drop.id) if drop.id in self._batches else None
            if place is None:
                self._throw(path)
            else:
                places.append(place)
        # Also when there is nothing, for what another one deleted may not be durable yet.
        await self.flush(partial(erase, places) if places else None)

    async def sweep(self) -> None:
        self.incoming.expire(self._limits.unfinished_hours * 3600)
        days = self._limits.retention_days
        expired = [drop for drop in self._drops.values() if today() >= expires(drop.day, days, drop.id)]
        if expired:
            await self._remove(expired)
        await asyncio.to_thread(self._empty)

    def status(self) -> dict[str, int]:
        return {
            "free_bytes": self.space.free(),
            "reserve_bytes": self.space.reserve,
            "drops": len(self._drops) - len(self._landing),
            "unfinished": len(self.incoming),
        }

    def _path(self, drop: Drop) -> str:
        return f"{self._root}/drops/{_name(drop)}"

    def _throw(self, path: str) -> None:
        with suppress(FileNotFoundError):
            os.rename(path, f"{self._root}/gone/{secrets.token_hex(8)}")

    def _empty(self) -> None:
        # In a thread, for freeing a large file takes long.
        for gone in Path(self._root, "gone").iterdir():
            gone.unlink(missing_ok=True)


def _name(drop: Drop) -> str:
    return f"{drop.seq:012}-{drop.day.isoformat()}-{drop.size}-{drop.id}"


def _read_drops(folder: str, batches: Batches) -> dict[str, Drop]:
    drops: list[Drop] = []
    for name in sorted(os.listdir(folder)):
        if one := _NAME.fullmatch(name):
            drops.append(Drop(int(one[1]), date.fromisoformat(one[2]), int(one[3]), one[4]))
        elif several := _BATCH_NAME.fullmatch(name):
            first, day, count = int(several[1]), date.fromisoformat(several[2]), int(several[3])
            drops += batches.read(f"{folder}/{name}", first, day, count)
    return {drop.id: drop for drop in drops}
