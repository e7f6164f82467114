# ruff: noqa: PTH108 - `Path` costs more than the system calls here
"""Bytes on their way into a folder.

They are durable before it is written down that they are there, and that is durable before anybody is told.
With one flush for both, a power cut can leave a name of the right size over zeros.
"""

from __future__ import annotations

import os
from types import TracebackType
from typing import TYPE_CHECKING, Self

from relay.day import touch
from relay.parse import PART
from relay.space import refuse_if_full

if TYPE_CHECKING:
    from relay.folder import FolderStore


class _Writing:
    """`size` bytes that go into the file at `path`, from `at` on, as long as the `with` block lasts."""

    def __init__(self, store: FolderStore, id_: str, size: int, path: str, at: int) -> None:
        self._store = store
        self._id = id_
        self._size = size
        self._path = path
        self._at = at

    def __enter__(self) -> Self:
        self._store.space.take(self._size)
        try:
            self._fd = os.open(self._path, os.O_RDWR | os.O_CREAT, 0o600)
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
        if isinstance(error, OSError):
            refuse_if_full(error)

    def write(self, chunk: bytes) -> None:
        while chunk:
            written = os.pwrite(self._fd, chunk, self._at)
            self._at += written
            chunk = chunk[written:]


class FolderPart(_Writing):
    """A part among others; see `relay.store.Part`."""

    def __init__(self, store: FolderStore, id_: str, n: int, size: int) -> None:
        super().__init__(store, id_, size, store.incoming.path(id_), n * PART)
        self._n = n

    def __enter__(self) -> Self:
        self._store.incoming.begin(self._id, self._n, self._size)
        try:
            return super().__enter__()
        except BaseException:
            self._store.incoming.leave(self._id)
            raise

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._store.incoming.leave(self._id)
        super().__exit__(kind, error, trace)

    def write(self, chunk: bytes) -> None:
        if not self._store.has_place(self._id):  # a straggler changes nothing
            super().write(chunk)

    async def keep(self) -> None:
        await self._store.flush(self._mark)
        self._store.incoming.count(self._id, self._n, self._size)

    def _mark(self) -> None:
        if not self._store.has_place(self._id):
            self._store.incoming.mark(self._id, self._n, self._size)


class FolderWhole(_Writing):
    """A drop of one part; see `relay.store.Whole`."""

    def __init__(self, store: FolderStore, id_: str, size: int, path: str) -> None:
        super().__init__(store, id_, size, path, 0)
        self._moved = False

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if not self._moved:
            os.unlink(self._path)
        super().__exit__(kind, error, trace)

    async def commit(self) -> None:
        self._store.check_head(self._fd)
        touch(self._fd)
        await self._store.flush(self._land)
        self._store.landed(self._id, self._size)

    def _land(self) -> None:
        if not self._store.has_place(self._id):
            self._store.land(self._path, self._id, self._size)
            self._moved = True
