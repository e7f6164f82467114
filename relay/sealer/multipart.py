"""multipart/form-data as browsers write it (RFC 7578, and HTML's "multipart/form-data encoding algorithm").

No I/O: bytes in, events out, whatever the pieces they come in. aiohttp's own reader repeats a malformed head
in a warning on stderr, and a head can name a file.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import Enum
from typing import NamedTuple

from relay.errors import Refused

LONGEST_HEAD = 8 << 10  # bytes of a part's head; a file's name has a few hundred
_BOUNDARY = re.compile(
    r"multipart/form-data; ?boundary=(\"?)([0-9A-Za-z'()+_,./:=?-]{1,70})\1", re.IGNORECASE
)
_DISPOSITION = re.compile(
    rb'content-disposition: ?form-data; ?name="([^"\r\n]{1,100})"(?:; ?filename="([^"\r\n]*)")?',
    re.IGNORECASE,
)
_ESCAPES = ((b"%22", b'"'), (b"%0D", b"\r"), (b"%0A", b"\n"))


class Begin(NamedTuple):
    """A field begins; with a file name it is a file."""

    name: str
    filename: str | None


class Data(NamedTuple):
    """Some of the field's bytes, never none, where they came in: they may belong to more."""

    data: memoryview


class End(NamedTuple):
    """The field is complete."""


Event = Begin | Data | End


class _State(Enum):
    START = 0
    BOUNDARY = 1  # two bytes after it say whether another field follows
    HEAD = 2
    BODY = 3
    DONE = 4


class Parser:
    """Takes a body of this Content-Type; refuses (400) whatever no browser writes."""

    def __init__(self, content_type: str) -> None:
        found = _BOUNDARY.fullmatch(content_type)
        if found is None:
            raise _malformed()
        self._delimiter = b"\r\n--" + found[2].encode()
        self._held = b"\r\n"  # the first boundary has no line before it: this stands for one
        self._state = _State.START

    @property
    def done(self) -> bool:
        """Whether the last boundary was there."""
        return self._state is _State.DONE

    def feed(self, data: bytes) -> Iterator[Event]:
        """Gives what these bytes complete, and keeps those that complete nothing yet. All of it must be taken
        before the next feed."""
        self._held += data
        steps = {
            _State.START: self._start,
            _State.BOUNDARY: self._boundary,
            _State.HEAD: self._head,
            _State.BODY: self._body,
        }
        before = None
        while self._state is not before and self._state is not _State.DONE:
            before = self._state
            yield from steps[before]()
        if self._state is _State.DONE:
            self._held = b""  # what follows the last boundary means nothing

    def _start(self) -> tuple[Event, ...]:
        if len(self._held) < len(self._delimiter):
            return ()
        if not self._held.startswith(self._delimiter):
            raise _malformed()
        return self._to(_State.BOUNDARY, len(self._delimiter))

    def _boundary(self) -> tuple[Event, ...]:
        mark = self._held[:2]
        if len(mark) < 2:
            return ()
        if mark not in (b"\r\n", b"--"):
            raise _malformed()
        return self._to(_State.DONE if mark == b"--" else _State.HEAD, 2)

    def _head(self) -> tuple[Event, ...]:
        end = self._held.find(b"\r\n\r\n", 0, LONGEST_HEAD)
        if end < 0:
            if len(self._held) >= LONGEST_HEAD:
                raise _malformed()
            return ()
        return self._to(_State.BODY, end + 4, _begin(self._held[:end]))

    def _body(self) -> tuple[Event, ...]:
        at, whole = self._held.find(self._delimiter), memoryview(self._held)
        if at >= 0:
            data = (Data(whole[:at]),) if at else ()
            return self._to(_State.BOUNDARY, at + len(self._delimiter), *data, End())
        ready = len(whole) - len(self._delimiter) + 1  # the rest may begin a boundary
        return self._to(_State.BODY, ready, Data(whole[:ready])) if ready > 0 else ()

    def _to(self, state: _State, taken: int, *events: Event) -> tuple[Event, ...]:
        self._state, self._held = state, self._held[taken:]
        return events


def _begin(head: bytes) -> Begin:
    found = [match for line in head.split(b"\r\n") if (match := _DISPOSITION.fullmatch(line))]
    if len(found) != 1:
        raise _malformed()
    name, filename = found[0].groups()
    return Begin(_text(name), None if filename is None else _text(filename))


def _text(raw: bytes) -> str:
    for escape, byte in _ESCAPES:
        raw = raw.replace(escape, byte)
    return raw.decode(errors="replace")


def _malformed() -> Refused:
    return Refused(400, "this is not a form")
