"""How long the relay waits for the other end of a connection."""

from __future__ import annotations

import asyncio
from types import TracebackType
from typing import Self

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
        now = self._loop.time()
        if (self._timeout.when() or 0) < now + self._idle:
            self._timeout.reschedule(min(now + 1.5 * self._idle, self._end))

    async def __aenter__(self) -> Self:
        await self._timeout.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._timeout.__aexit__(kind, error, trace)
