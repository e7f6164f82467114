"""What every store of drops does. There is one, `relay.folder`; an object store can be another."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from types import TracebackType
from typing import Protocol, Self

from relay.parse import Cursor

SMALL = 1 << 16  # bytes of a drop that `Store.add` takes: each connection may hold so much in memory


@dataclass(frozen=True, slots=True)
class Drop:
    """A committed drop."""

    seq: int  # order of arrival
    day: date
    size: int  # bytes
    id: str


@dataclass(frozen=True, slots=True)
class Slice:
    """One stretch of a file."""

    path: str
    offset: int
    count: int


@dataclass(frozen=True, slots=True)
class Listing:
    drops: list[Drop]
    cursor: Cursor  # where the next listing goes on
    more: bool


@dataclass(frozen=True, slots=True)
class Limits:
    stanzas: int
    drop_bytes: int
    retention_days: int
    reserve_bytes: int
    unfinished_drops: int
    unfinished_hours: int


class Part(Protocol):
    """One part of a drop on its way in while the `with` block lasts.

    Entering it refuses (413) too large a drop, (503) to begin one too many and (507) to touch the reserve.
    """

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def write(self, chunk: bytes) -> None:
        """Adds bytes; leaving the block because of an OSError here refuses (507) if the disk is full."""

    async def keep(self) -> None:
        """Makes the part durable; changes nothing if the drop is committed."""


class Store(Protocol):
    """Whatever is awaited here is durable when it returns."""

    def has(self, id_: str) -> bool:
        """Whether this drop is committed, and durable."""

    def part(self, id_: str, n: int, size: int) -> Part:
        """A place for part n, of `size` bytes."""

    async def add(self, id_: str, drop: bytes) -> None:
        """Keeps and commits a small drop in one step; refuses what parts and `commit` do, but (503)."""

    async def commit(self, id_: str, parts: int, size: int) -> None:
        """Makes a drop of its parts, once, however often it is asked.

        Refuses (404) when there is no part, (409) when some are missing or it was committed otherwise, (400)
        when the sizes differ from what was claimed or it begins as no drop for this edition does, (413) when
        it is too large.
        """

    def listing(self, after: Cursor | None) -> Listing:
        """Drops in order of arrival, a page at most; from the beginning when the cursor is of another run."""

    def drop(self, id_: str) -> Drop:
        """The committed drop; refuses (404) when there is none."""

    def slice(self, drop: Drop, start: int, stop: int) -> Slice:
        """Where the bytes from `start` to `stop` are."""

    async def delete(self, id_: str) -> None:
        """Deletes the drop, if there is one."""

    async def sweep(self) -> None:
        """Deletes what has expired: drops past their retention, and unfinished ones nobody goes on with."""

    def status(self) -> dict[str, int]:
        """`free_bytes`, `drops` and `unfinished`."""
