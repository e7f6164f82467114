"""What a stream must do for us, and reading exact amounts from one that returns less than it is asked for."""

from __future__ import annotations

from typing import Protocol


class Readable(Protocol):
    """A stream of bytes, blocking: none means the end."""

    def read(self, n: int, /) -> bytes: ...


class Writable(Protocol):
    """A stream that takes all it is given."""

    def write(self, data: bytes, /) -> object: ...


class ExactReader:
    """Reads exact amounts from `src`, and lets what was read too far be put back."""

    def __init__(self, src: Readable) -> None:
        self._src = src
        self._held = b""

    def some(self, n: int) -> bytes:
        """Gives 1 to n bytes, none only at the end."""
        data = self._held[:n] or self._src.read(n)
        self._held = self._held[n:]
        return data

    def read(self, n: int, /) -> bytes:
        """Gives n bytes, fewer only at the end."""
        pieces = []
        while n and (piece := self.some(n)):
            pieces.append(piece)
            n -= len(piece)
        return b"".join(pieces)

    def put_back(self, data: bytes) -> None:
        """Makes data what is read next."""
        self._held = data + self._held
