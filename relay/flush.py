"""Group commit: many writers, two flushes."""

from __future__ import annotations

import asyncio
import ctypes
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from queue import SimpleQueue
from typing import Self

from relay.errors import DiskFailed

GATHER = (
    0.004  # seconds that a flush waits for company: nothing beside a Tor circuit, and it saves most flushes
)


@dataclass(slots=True)
class _Waiter:
    done: asyncio.Future[None]
    write: Callable[[], None] | None  # what writes as late as it can, so that it can wait for company, too
    name: Callable[[], None] | None  # what gives its name to that which the first flush made durable

    def did(self, step: Callable[[], None]) -> bool:
        """Takes a step; if that fails, the wait is over."""
        try:
            step()
        except Exception as error:
            self.end(error)
            return False
        return True

    def end(self, error: Exception | None) -> None:
        if not self.done.done():
            self.done.set_result(None) if error is None else self.done.set_exception(error)


class Flush:
    """Makes what was written durable, bytes first and names second, at once for all who wait.

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
        self._waiting: list[_Waiter] = []  # for the next group
        self._busy = False  # a group is being flushed or about to
        self._work: SimpleQueue[Callable[[bool], None] | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._sync, name="flush")

    async def __call__(
        self, name: Callable[[], None] | None = None, write: Callable[[], None] | None = None
    ) -> None:
        """Returns once all that was written is durable, and then what `name` did, which is called in between.

        `write` is called right before the first flush. Raises DiskFailed if anything may not be durable, and
        whatever `write` and `name` raise.
        """
        if self._broken:
            raise DiskFailed
        done = self._loop.create_future()
        self._waiting.append(_Waiter(done, write, name))
        if not self._busy:
            self._busy = True
            self._loop.call_later(GATHER, self._begin)
        await done

    def _begin(self) -> None:
        waiting, self._waiting = self._waiting, []
        group = [waiter for waiter in waiting if waiter.write is None or waiter.did(waiter.write)]
        self._work.put(lambda ok: self._name(group, ok))

    def _sync(self) -> None:
        while (then := self._work.get()) is not None:
            ok = self._syncfs(self._fd) == 0
            self._loop.call_soon_threadsafe(then, ok)

    def _name(self, group: list[_Waiter], ok: bool) -> None:
        named = []
        for waiter in group if ok else ():
            if waiter.name is None:
                waiter.end(None)
            elif waiter.did(waiter.name):
                named.append(waiter)
        if named:
            self._work.put(lambda ok: self._end(named, ok))
        else:
            self._end(group, ok)

    def _end(self, group: list[_Waiter], ok: bool) -> None:
        if not ok:
            self._broken = True
            group += self._waiting
            self._waiting = []
            self._failed()
        for waiter in group:
            waiter.end(None if ok else DiskFailed())
        self._busy = bool(self._waiting)
        if self._busy:
            self._loop.call_later(GATHER, self._begin)

    async def __aenter__(self) -> Self:
        self._thread.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._busy:
            await self()
        self._work.put(None)
        self._thread.join()
        os.close(self._fd)
