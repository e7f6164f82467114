"""A part on its way into a folder.

One flush makes both it and what says that it is there durable, before anybody is told. A power cut may leave
the second without the first: `relay.incoming` sees that.
"""

from __future__ import annotations

import os
from contextlib import ExitStack
from types import TracebackType
from typing import TYPE_CHECKING, Self

from relay.parse import PART

if TYPE_CHECKING:
    from relay.folder import FolderStore


class FolderPart:
    """See `relay.store.Part`."""

    def __init__(self, store: FolderStore, id_: str, n: int, size: int) -> None:
        self._store = store
        self._id = id_
        self._n = n
        self._size = size
        self._at = n * PART
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        incoming = self._store.incoming
        with ExitStack() as stack:
            incoming.begin(self._id, self._n, self._size)
            stack.callback(incoming.leave, self._id)
            stack.enter_context(self._store.space.taken(self._size))
            self._fd = os.open(incoming.path(self._id), os.O_RDWR | os.O_CREAT, 0o600)
            stack.callback(os.close, self._fd)
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stack.__exit__(kind, error, trace)

    def write(self, chunk: bytes) -> None:
        while chunk and not self._store.has_place(self._id):  # a straggler changes nothing
            written = os.pwrite(self._fd, chunk, self._at)
            self._at += written
            chunk = chunk[written:]

    async def keep(self) -> None:
        if not self._store.has_place(self._id):
            self._store.incoming.mark(self._id, self._n, self._size)
        await self._store.flush()
        self._store.incoming.count(self._id, self._n, self._size)
