"""Age files that hold no drop: what a source without JavaScript sealed by hand (FORMAT.md section 2)."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from typing import BinaryIO

from keys.age import OpenReader
from keys.drop import DropReader
from keys.errors import NoDrop
from keys.stanza import Identity

CONTENT = "content"  # the name of its one file: nobody said another
_CHUNK = 1 << 20


class Content:
    """All that the age file holds, while it is read; at most `size` bytes."""

    name = CONTENT

    def __init__(self, plain: OpenReader, size: int) -> None:
        self._plain = plain
        self.size = size

    def read(self, n: int) -> bytes:
        return self._plain.read(n)


class Bare:
    """Reads as a drop does, though it is none: there is no letter, no text, and one file of no name."""

    letter = None
    text = ""

    def __init__(self, plain: OpenReader, size: int) -> None:
        self._plain = plain
        self._size = size

    def files(self) -> Iterator[Content]:
        """Gives the one file; when this has ended, all of it was seen. Raises BadAgeFile where it is cut or
        altered."""
        yield Content(self._plain, self._size)
        while self._plain.read(_CHUNK):
            pass


def read(source: BinaryIO, identities: Sequence[Identity], at: int | None = None) -> DropReader | Bare:
    """Gives a drop, or an age file that is none; raises what DropReader does but NoDrop."""
    try:
        return DropReader(source, identities, at)
    except NoDrop:
        size = source.seek(0, os.SEEK_END)
        source.seek(0)
        return Bare(OpenReader(source, identities, at=at), size)
