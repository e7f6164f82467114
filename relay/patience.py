"""How long the relay waits for the other end of a connection, and how long it leaves it alone."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from types import TracebackType
from typing import Self

LONGEST_REST = 0.5  # seconds
_SHORTEST_REST = 0.005  # seconds: a shorter one costs more than the reads it spares
SLOWEST = 512  # bytes a second: whoever is slower in all is taken for dead


class Patience:
    """An `async with` block in which TimeoutError is raised once there is no progress for `idle` seconds.

    It may take half as long again, for moving a timer costs more than handling the bytes that came: it is set
    so far ahead that it is moved seldom. The whole of `size` bytes may take no longer than at `SLOWEST`.
    """

    def __init__(self, idle: float, size: int) -> None:
        self._loop = asyncio.get_running_loop()
        self._idle = idle
        self._end = self._loop.time() + idle + size / SLOWEST
        self._timeout = asyncio.timeout(1.5 * idle)

    def progress(self) -> None:
        """Says that bytes came or went."""
        now, when = self._loop.time(), self._timeout.when()
        if when is not None and when < now + self._idle:
            self._timeout.reschedule(min(now + 1.5 * self._idle, self._end))

    def done(self) -> None:
        """Says that nothing more is expected of the other end: what else takes time is not its fault."""
        self._timeout.reschedule(None)

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._timeout.__aexit__(kind, error, trace)


class Pace:
    """How fast a body comes: tor hands it over in hundreds of small pieces, which cost less to read as a few.

    `wanted` is how many bytes a rest is to bring. What the other end may have on its way must be a good deal
    more: else it would be held up, look slower, and be left alone for longer.
    """

    def __init__(self, wanted: int, clock: Callable[[], float]) -> None:
        self._wanted = wanted
        self._clock = clock
        self._at = clock()
        self._came = 0

    def rest(self, size: int, left: int, waiting: int) -> float:
        """The seconds to leave it alone after `size` bytes that were read, with `left` to come: until enough
        of these, or the last of them, should be there. While some are `waiting` to be read it is not left
        alone, and its pace is not known: a read takes no more than asyncio lets it."""
        self._came += size
        if waiting:
            return 0
        now = self._clock()
        pace = (now - self._at) / self._came
        self._at, self._came = now, 0
        seconds = pace * min(left, self._wanted)
        return min(seconds, LONGEST_REST) if seconds > _SHORTEST_REST else 0
