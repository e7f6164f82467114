"""The one kind of tar a drop holds (FORMAT.md section 2, "Tar"): ustar, regular files, nothing but name
and size."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from io import BytesIO

from keys.errors import BadDrop
from keys.streams import Readable, Writable

BLOCK = 512
END = bytes(2 * BLOCK)
LARGEST = 8**11 - 1  # bytes: what eleven octal digits hold
_LONGEST = 100  # bytes of a name
_CHUNK = 1 << 20


def header(name: str, size: int) -> bytes:
    """Gives the header of a member; raises ValueError for a name or a size that does not fit one."""
    encoded = name.encode()
    if not 0 < len(encoded) <= _LONGEST or b"\0" in encoded or not 0 <= size <= LARGEST:
        raise ValueError("the name or the size does not fit a tar header")
    zero, time = b"0000000\0", b"00000000000\0"
    before = encoded.ljust(_LONGEST, b"\0") + b"0000600\0" + zero + zero + b"%011o\0" % size + time
    after = b"0" + bytes(100) + b"ustar\x0000" + bytes(64) + zero + zero + bytes(167)
    return before + b"%06o\0 " % (sum(before) + 8 * ord(" ") + sum(after)) + after


class TarWriter:
    """Writes a tar's members in turn."""

    def __init__(self, sink: Writable) -> None:
        self._sink = sink
        self._hash = hashlib.sha256()
        self._length = 0

    def add(self, name: str, data: bytes) -> None:
        """Writes a member that is in memory."""
        self.copy(name, len(data), BytesIO(data))

    def copy(self, name: str, size: int, source: Readable) -> None:
        """Writes a member of exactly `size` bytes; raises BadDrop for a source that holds fewer."""
        self._write(header(name, size))
        left = size
        while left:
            data = source.read(min(left, _CHUNK))
            if not data:
                raise BadDrop("a file became shorter while it was read")
            left -= len(data)
            self._write(data)
        self._write(bytes(-size % BLOCK))

    def digest(self) -> bytes:
        """Gives SHA-256 of every byte written so far."""
        return self._hash.digest()

    def end(self, padded: Callable[[int], int]) -> None:
        """Writes the two closing blocks, then zeros up to the size that `padded` makes of the tar's."""
        self._write(END)
        left = padded(self._length) - self._length
        for at in range(0, left, _CHUNK):
            self._sink.write(bytes(min(_CHUNK, left - at)))

    def _write(self, data: bytes) -> None:
        self._sink.write(data)
        self._hash.update(data)
        self._length += len(data)


class TarReader:
    """Reads a tar's members in turn with flat memory; every method raises BadDrop where the tar is not
    one."""

    def __init__(self, source: Readable) -> None:
        self._source = source
        self._left = self._fill = 0
        self._hash: hashlib._Hash | None = hashlib.sha256()
        self.before = b""  # SHA-256 of every byte before the current member's header

    def trust(self) -> None:
        """Stops the hashing behind `before`, which only a signed tar needs."""
        self._hash = None

    def next(self) -> tuple[str, int] | None:
        """Gives the next member's name and size, whatever was left of the last one skipped; None at the
        end, once everything behind it was seen to be zero."""
        while self._left:
            self.read(_CHUNK)
        if any(self._exactly(self._fill)):
            raise BadDrop("there is something hidden behind a file")
        if self._hash:
            self.before = self._hash.digest()
        block = self._exactly(BLOCK)
        if not any(block):
            self._fill = 0
            self._end()
            return None
        name, size = _parse(block)
        self._left, self._fill = size, -size % BLOCK
        return name, size

    def read(self, n: int) -> bytes:
        """Gives at most n bytes of the current member; none only at its end."""
        if not self._left:
            return b""
        data = self._source.read(min(n, self._left))
        if not data:
            raise BadDrop("it ends in the middle of a file")
        if self._hash:
            self._hash.update(data)
        self._left -= len(data)
        return data

    def all(self, limit: int) -> bytes:
        """Gives the rest of the current member, which may have at most `limit` bytes."""
        if self._left > limit:
            raise BadDrop(f"a member is larger than {limit} bytes")
        return b"".join(iter(lambda: self.read(limit), b""))

    def _exactly(self, n: int) -> bytes:
        data = b""
        while len(data) < n:
            more = self._source.read(n - len(data))
            if not more:
                raise BadDrop("it ends before its tar does")
            data += more
        if self._hash:
            self._hash.update(data)
        return data

    def _end(self) -> None:
        rest = self._exactly(BLOCK)
        while rest:
            # bytes.count is twenty times faster than any() over a padding of many megabytes.
            if rest.count(0) != len(rest):
                raise BadDrop("there is something hidden behind its end")
            rest = self._source.read(_CHUNK)


def _parse(block: bytes) -> tuple[str, int]:
    """The header is parsed by writing it again: only the one way to write it is read."""
    try:
        name = block[:_LONGEST].rstrip(b"\0").decode()
        size = int(block[124:135], 8)
        if header(name, size) == block:
            return name, size
    except ValueError:
        pass
    raise BadDrop("its tar has a header that no drop has")
