"""A drop's way to the relay: in parts, each as soon as it is whole, some of them at a time."""

from __future__ import annotations

import asyncio
import json
import secrets
from collections.abc import Callable
from types import TracebackType
from typing import Self

from relay.errors import Refused, Unsure
from relay.parse import PART, parts_of
from relay.sealer.upstream import Upstream

AT_ONCE = 2  # parts under way: the relay is near, so more would only fill memory
_LOOK = 5  # seconds until whoever waits is told that the visitor is not to blame


class Delivery:
    """Collects a drop's bytes into parts; an `async with` block, left early, gives up what is under way."""

    def __init__(self, upstream: Upstream) -> None:
        self._upstream = upstream
        self._target = f"/drops/{secrets.token_hex(16)}"
        self._parts: dict[int, _Part] = {}  # those that are not under way
        self._begun = 0  # how many parts there are so far
        self._whole: list[int] = []
        self._under_way: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)

    def take(self, at: int, data: bytes | memoryview) -> None:
        """Puts bytes in their place, each once."""
        left = memoryview(data)
        while left:
            n, offset = divmod(at, PART)
            piece = left[: PART - offset]
            if n not in self._parts:
                self._parts[n] = _Part()
                self._begun = max(self._begun, n + 1)
            if self._parts[n].take(offset, piece) == PART:
                self._whole.append(n)
            at += len(piece)
            left = left[len(piece) :]

    async def carry(self, waiting: Callable[[], None] = lambda: None) -> None:
        """Sends the parts that are whole, and returns when there is room for more; `waiting` is called now
        and then meanwhile. Refuses what the relay refuses."""
        # A drop of one part goes with its commit, so the first waits until there is another.
        while self._whole and self._begun > 1:
            await self._room(AT_ONCE, waiting)
            self._send(self._whole.pop())

    async def commit(self, size: int) -> None:
        """Sends what is left of a drop of `size` bytes, and returns once it is stored and listed; refuses
        what the relay refuses, and raises Unsure."""
        parts = parts_of(size)
        if parts == 1:
            await self._upstream.ask("PUT", f"{self._target}/0?commit", self._parts.pop(0).data)
            return
        for n in sorted(self._parts):
            await self._room(AT_ONCE)
            self._send(n)
        await self._room(1)
        claim = json.dumps({"parts": parts, "size": size}).encode()
        await self._upstream.ask("POST", self._target, claim)

    def _send(self, n: int) -> None:
        self._under_way.add(asyncio.create_task(self._put(n, self._parts.pop(n))))

    async def _put(self, n: int, part: _Part) -> None:
        try:
            await self._upstream.ask("PUT", f"{self._target}/{n}", part.data)
        except Unsure:  # of a part, which is nothing without the commit
            raise Refused(503, "the relay does not answer") from None

    async def _room(self, most: int, waiting: Callable[[], None] = lambda: None) -> None:
        """Waits until fewer than `most` parts are under way."""
        while len(self._under_way) >= most:
            done, self._under_way = await asyncio.wait(
                self._under_way, timeout=_LOOK, return_when=asyncio.FIRST_COMPLETED
            )
            for task in done:
                task.result()
            waiting()


class _Part:
    """The bytes of a part. Pieces are copied, for to keep one of a single byte takes hundreds."""

    def __init__(self) -> None:
        self.data = bytearray()
        self._size = 0

    def take(self, at: int, piece: memoryview) -> int:
        """Puts a piece in its place, and gives how many bytes there are."""
        self.data += bytes(max(0, at - len(self.data)))
        self.data[at : at + len(piece)] = piece
        self._size += len(piece)
        return self._size
