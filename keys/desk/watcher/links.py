"""Connections as Firefox keeps them, and answers as they came over them, to the byte."""

from __future__ import annotations

import contextlib
import io
import re
import socket
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from http.client import HTTPException, parse_headers

from keys.errors import KnotholeError, Unreachable

_BACKUP = 0.25  # seconds after which Firefox opens a second connection beside one that is not there yet
_UNUSED, _USED = 5, 115  # seconds it keeps a connection that nothing went over yet, and one that is idle
_PATIENCE = 90  # seconds of silence
_WHOLE = 300  # seconds for one answer
_LONGEST_HEAD = 64 << 10
_SILENT, _CUT = "it was silent for too long", "the connection was cut"
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) ")


@dataclass(frozen=True)
class Answer:
    """An answer to the byte. `status` is 0 of what is no answer in HTTP/1.1, all of which is its `head`.
    `whole` is False where the body is longer than was asked for, is not said to end, or came to an end too
    early, of which `broken` says why."""

    status: int
    head: bytes
    headers: Sequence[tuple[str, str]]
    body: bytes = field(repr=False)
    whole: bool = True
    broken: str = ""


class Stale(Exception):  # noqa: N818 - never shown: the request is made again
    """A kept connection was closed before it answered."""


class Wire:
    """One connection."""

    def __init__(self, plug: socket.socket) -> None:
        self.plug = plug
        self.until = time.monotonic() + _UNUSED  # when it is closed if nothing goes over it
        self._used = False

    def ask(self, head: bytes, body: bytes, longest: int) -> Answer:
        """Gives the answer, with at most so many bytes of its body; raises Unreachable where there is none,
        and Stale where a connection that was used before is found dead."""
        before, self._used = self._used, True
        end = time.monotonic() + _WHOLE
        start = b""
        try:
            self.plug.sendall(head + body)
            start = self._some(_LONGEST_HEAD, end)
            answer = self._answer(start, longest, end)
        except TimeoutError:
            raise Unreachable(_SILENT) from None
        except OSError:
            if before and not start:
                raise Stale from None
            raise Unreachable(_CUT) from None
        self.until = time.monotonic() + _USED
        return answer

    def _answer(self, data: bytes, longest: int, end: float) -> Answer:
        while b"\r\n\r\n" not in data and _may_become_http(data):
            data += self._some(_LONGEST_HEAD, end)
        head, _, body = data.partition(b"\r\n\r\n")
        found = _STATUS.match(head + b" ")
        try:
            headers = parse_headers(io.BytesIO(head.partition(b"\r\n")[2] + b"\r\n\r\n")).items()
        except HTTPException:
            found = None
        if found is None or not _may_become_http(head):
            return Answer(0, data, (), b"", whole=False)
        sizes = [value for name, value in headers if name.lower() == "content-length"]
        said = int(sizes[0]) if len(sizes) == 1 and re.fullmatch("[0-9]{1,15}", sizes[0]) else -1
        said = 0 if found[1] == b"204" else said
        broken = ""
        try:
            while len(body) < min(said, longest):
                body += self._some(min(said, longest) - len(body), end)
        except OSError as error:
            broken = _SILENT if isinstance(error, TimeoutError) else _CUT
        whole = len(body) == said <= longest
        return Answer(int(found[1]), head + b"\r\n\r\n", headers, body[:longest], whole, broken)

    def _some(self, most: int, end: float) -> bytes:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.plug.settimeout(min(left, _PATIENCE))
        data = self.plug.recv(min(most, 1 << 16))
        if not data:
            raise ConnectionResetError
        return data


class Pool:
    """Connections to one host, as Firefox has them."""

    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        self._dial = dial
        self._free: list[Wire] = []
        self._all: set[Wire] = set()
        self._dialling = self._waiting = 0
        self._failed: Exception | None = None
        self._closed = False
        self._changed = threading.Condition()

    def free(self) -> Wire | None:
        """Gives a connection that is free now, if one is."""
        with self._changed:
            self.tidy()
            return self._free.pop() if self._free else None

    def take(self) -> Wire:
        """Gives a connection that is free, or the first to become so; raises what dialling raised."""
        with self._changed:
            self.tidy()
            if not self._free:
                self._waiting += 1
                if self._dialling < self._waiting:
                    self._open()
                    if not self._changed.wait_for(self._ready, _BACKUP):
                        self._open()
                self._changed.wait_for(self._ready)
                self._waiting -= 1
            if self._free:
                return self._free.pop()
            raise self._failed or Unreachable("the visit was broken off")

    def give(self, wire: Wire, *, good: bool) -> None:
        """Takes a connection back."""
        with self._changed:
            if good and not self._closed:
                self._free.append(wire)
            else:
                self._drop(wire)
            self._changed.notify_all()

    def tidy(self) -> float:
        """Closes what Firefox would have closed by now, and gives when there will be more to close."""
        with self._changed:
            now = time.monotonic()
            for wire in [one for one in self._free if one.until <= now]:
                self._free.remove(wire)
                self._drop(wire)
            return min((wire.until for wire in self._free), default=now + _USED)

    def close(self) -> None:
        with self._changed:
            self._closed = True
            self._free.clear()
            for wire in list(self._all):
                self._drop(wire)
            self._changed.notify_all()

    def _ready(self) -> bool:
        return bool(self._free) or not self._dialling or self._closed

    def _open(self) -> None:
        self._dialling += 1
        threading.Thread(target=self._opened, daemon=True).start()

    def _opened(self) -> None:
        plug = None
        try:
            plug = self._dial()
        except (OSError, KnotholeError) as error:
            self._failed = error if isinstance(error, KnotholeError) else Unreachable(_reason(error))
        with self._changed:
            self._dialling -= 1
            if plug:
                wire = Wire(plug)
                self._all.add(wire)
                if self._closed:
                    self._drop(wire)
                else:
                    self._free.insert(0, wire)
            self._changed.notify_all()

    def _drop(self, wire: Wire) -> None:
        self._all.discard(wire)
        # A thread that reads from it wakes up only when it is shut.
        with contextlib.suppress(OSError):
            wire.plug.shutdown(socket.SHUT_RDWR)
        wire.plug.close()


def _may_become_http(start: bytes) -> bool:
    return len(start) <= _LONGEST_HEAD and start.startswith(b"HTTP/1.1 "[: len(start)])


def _reason(error: OSError) -> str:
    return (error.strerror or "the connection was cut").lower()
