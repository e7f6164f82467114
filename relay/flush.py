"""Group commit: many writers, one flush."""

from __future__ import annotations

import asyncio
import ctypes
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from relay.errors import DiskFailed

GATHER = (
    0.004  # seconds that a flush waits for company: nothing beside a Tor circuit, and it saves most flushes
)


class Flush:
    """Makes everything written before a call durable, names and data alike, at once for all who wait.

    `syncfs(2)` covers a whole file system, so one call serves any number of files and folders, and since
    Linux 5.8 it reports every write-back error after `folder` was opened. An error belongs to nobody in
    particular: pages that failed are dropped, and later flushes succeed. So the first error fails everyone
    from then on, and `failed` is called once, to end the process.
    """

    def __init__(self, folder: Path, failed: Callable[[], None]) -> None:
        self._syncfs = ctypes.CDLL(None, use_errno=True).syncfs
        self._fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="flush")
        self._next: asyncio.Future[None] | None = None
        self._running: asyncio.Task[None] | None = None
        self._failed = failed
        self._broken = False

    async def __call__(self) -> None:
        """Returns once all that was written before is durable; raises DiskFailed if it may not be."""
        if self._broken:
            raise DiskFailed("the disk failed")
        loop = asyncio.get_running_loop()
        if self._next is None:
            self._next = loop.create_future()
        if self._running is None:
            self._running = loop.create_task(self._run())
        await asyncio.shield(self._next)

    async def _run(self) -> None:
        loop = asyncio.get_running_loop()
        while self._next is not None and not self._broken:
            await asyncio.sleep(GATHER)
            group, self._next = self._next, None
            try:
                await loop.run_in_executor(self._thread, self._sync)
            except OSError:
                self._break(group)
            else:
                group.set_result(None)
        self._running = None

    def _sync(self) -> None:
        if self._syncfs(self._fd) != 0:
            raise OSError(ctypes.get_errno(), "syncfs")

    def _break(self, group: asyncio.Future[None]) -> None:
        self._broken = True
        for waiting in (group, self._next):
            if waiting is not None:
                waiting.set_exception(DiskFailed("the disk failed"))
                waiting.exception()  # whoever waits has it; asyncio need not complain that nobody does
        self._next = None
        self._failed()

    async def close(self) -> None:
        """Ends the flush in progress, then lets go of the folder."""
        if self._running is not None:
            await self._running
        self._thread.shutdown()
        os.close(self._fd)
