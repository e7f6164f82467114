"""ASCII armor (C2SP age.md, "ASCII armor"; RFC 7468, strict): an age file as text, as a stream both ways."""

from __future__ import annotations

from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Iterator
from itertools import islice

from keys.errors import BadAgeFile
from keys.streams import Readable, Writable

_BEGIN = b"-----BEGIN AGE ENCRYPTED FILE-----"
_END = b"-----END AGE ENCRYPTED FILE-----"
_COLUMNS = 64
_LINE = 48  # bytes that one full line holds
_LONGEST = 1024  # bytes of a line of white space around the armor; all others are shorter
_BLOCK = 1 << 16
_BATCH = 1024  # lines decoded at once


class ArmorReader:
    """Reads the bytes inside strict armor, LF or CRLF, white space around it or not; BadAgeFile for all else.

    After a BadAgeFile it is of no more use.
    """

    def __init__(self, src: Readable) -> None:
        self._pieces = _decoded(_lines(src))
        self._held = b""

    def read(self, n: int, /) -> bytes:
        """Gives 1 to n bytes, and none only once the armor has ended as it must."""
        while not self._held and (piece := next(self._pieces, b"")):
            self._held = piece
        data, self._held = self._held[:n], self._held[n:]
        return data


class ArmorWriter:
    """Writes what it is given to `out` as armor; `close` ends the armor and leaves `out` open."""

    def __init__(self, out: Writable) -> None:
        self._out = out
        self._held = b""
        out.write(_BEGIN + b"\n")

    def write(self, data: bytes, /) -> int:
        data, added = self._held + data, len(data)
        whole = len(data) - len(data) % _LINE
        self._held = data[whole:]
        self._out.write(_encoded(data[:whole]))
        return added

    def close(self) -> None:
        self._out.write(_encoded(self._held) + _END + b"\n")


def _encoded(data: bytes) -> bytes:
    return b"".join(b2a_base64(data[at : at + _LINE]) for at in range(0, len(data), _LINE))


def _lines(src: Readable) -> Iterator[bytes]:
    held = b""
    while block := src.read(_BLOCK):
        *lines, held = (held + block).split(b"\n")
        yield from lines
        if len(held) > _LONGEST:
            raise BadAgeFile("armor: a line is too long")
    yield held


def _body(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Gives the lines between the first and the last, each full but the one before the end."""
    ending = False
    for ended in lines:
        line = ended.removesuffix(b"\r")
        if line.rstrip() == _END:
            if any(after.strip() for after in lines):
                raise BadAgeFile("armor: something follows its end")
            return
        if ending or not 0 < len(line) <= _COLUMNS:
            raise BadAgeFile("armor: it is not wrapped at 64 columns")
        ending = len(line) < _COLUMNS or line.endswith(b"=")
        yield line
    raise BadAgeFile("armor: it is cut short")


def _decoded(lines: Iterator[bytes]) -> Iterator[bytes]:
    first = next((line for line in lines if line.strip()), b"")
    if first.lstrip().removesuffix(b"\r") != _BEGIN:
        raise BadAgeFile("armor: it does not begin as it must")
    body = _body(lines)
    while text := b"".join(islice(body, _BATCH)):
        yield _canonical(text)


def _canonical(text: bytes) -> bytes:
    try:
        data = a2b_base64(text)
    except Error:
        raise BadAgeFile("armor: its base64 is malformed") from None
    # Decoding skips foreign characters and ignores spare bits: encoding again finds both.
    if b2a_base64(data, newline=False) != text:
        raise BadAgeFile("armor: its base64 is malformed")
    return data
