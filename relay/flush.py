"""Group commit: many writers, one flush."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from relay.errors import DiskFailed

GATHER = (
    0.004  # seconds that a flush waits for company: nothing beside a Tor circuit, and it saves most flushes
)

_Group = list["asyncio.Future[None]"]


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
        self._failed = failed
        self._broken = False
        self._loop = asyncio.get_running_loop()
        self._waiting: _Group = []  # for the next flush
        self._busy = False  # a flush is running or about to
        self._groups: SimpleQueue[_Group | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._work, name="flush")

    async def __call__(self) -> None:
        """Returns once all that was written before is durable; raises DiskFailed if it may not be."""
        if self._broken:
            raise DiskFailed()
        durable = self._loop.create_future()
        self._waiting.append(durable)
        if not self._busy:
            self._busy = True
            self._loop.call_later(GATHER, self._begin)
        await durable

    def _begin(self) -> None:
        self._groups.put(self._waiting)
        self._waiting = []

    def _work(self) -> None:
        while (group := self._groups.get()) is not None:
            ok = self._syncfs(self._fd) == 0
            self._loop.call_soon_threadsafe(self._end, group, ok)

    def _end(self, group: _Group, ok: bool) -> None:
        if not ok:
            self._broken = True
            group += self._waiting
            self._waiting = []
            self._failed()
        for durable in group:
            if not durable.done():
                durable.set_result(None) if ok else durable.set_exception(DiskFailed())
        self._busy = bool(self._waiting)
        if self._busy:
            self._loop.call_later(GATHER, self._begin)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._busy:
            await self()
        self._groups.put(None)
        self._thread.join()
        os.close(self._fd)
