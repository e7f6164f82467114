"""Tor Browser's requests: the same headers in the same order, on as many connections.

When Tor Browser moves to another release of Firefox, VERSION is to be that one's;
tests/desk/test_likeness.py says, with that Firefox installed, what else to change here.
"""

from __future__ import annotations

import contextlib
import io
import re
import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from http.client import HTTPException, parse_headers
from typing import cast

from keys.desk.client import connection, new_circuit
from keys.errors import KnotholeError, Unreachable

VERSION = "153.0"
# Tor Browser says which system it runs on; this is about how many run on which.
_SYSTEMS = (
    *4 * ("Windows NT 10.0; Win64; x64",),
    "X11; Linux x86_64",
    "Macintosh; Intel Mac OS X 10.15",
)
_LANGUAGES = "en-US,en;q=0.9"
_DOCUMENT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

_BACKUP = 0.25  # seconds after which Firefox opens a second connection beside one that is not there yet
_UNUSED, _USED = 5, 115  # seconds it keeps a connection that nothing went over yet, and one that is idle
_NEXT = 0.003  # and after which it asks for the next thing that a page needs
_PATIENCE = 90  # seconds of silence
_WHOLE = 300  # seconds for one answer
_LONGEST_HEAD = 64 << 10
_STATUS = re.compile(rb"HTTP/1\.1 ([2-5][0-9]{2}) ")


@dataclass(frozen=True)
class Request:
    """What a page asks for. `site` is who asks: none for an address that was typed, else same-origin."""

    method: str
    path: str
    dest: str  # document, style, script or empty, as Sec-Fetch-Dest has it
    body: bytes = field(default=b"", repr=False)
    site: str = "same-origin"

    @property
    def anonymous(self) -> bool:
        """Whether it goes without credentials: Firefox keeps separate connections for those."""
        return self.dest == "empty"

    def head(self, host: str, agent: str) -> bytes:
        accept = {"document": _DOCUMENT, "style": "text/css,*/*;q=0.1"}.get(self.dest, "*/*")
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}", f"User-Agent: {agent}"]
        lines += [f"Accept: {accept}", f"Accept-Language: {_LANGUAGES}", "Accept-Encoding: gzip, deflate"]
        if self.method != "GET":
            lines += [f"Content-Length: {len(self.body)}", f"Origin: http://{host}"]
        lines += ["Sec-GPC: 1", "Connection: keep-alive"]
        if self.dest == "document":
            lines.append("Upgrade-Insecure-Requests: 1")
        mode = {"document": "navigate", "style": "no-cors"}.get(self.dest, "cors")
        lines += [f"Sec-Fetch-Dest: {self.dest}", f"Sec-Fetch-Mode: {mode}", f"Sec-Fetch-Site: {self.site}"]
        lines += {
            "document": ["Sec-Fetch-User: ?1", "Priority: u=0, i"],
            "style": ["Priority: u=2"],
            "empty": ["Priority: u=4", "Pragma: no-cache", "Cache-Control: no-cache"],
        }.get(self.dest, [])
        return "\r\n".join([*lines, "", ""]).encode()


@dataclass(frozen=True)
class Answer:
    """An answer to the byte. `whole` is False where the body is longer than was asked for, or is not said to
    end."""

    status: int
    head: bytes
    headers: Sequence[tuple[str, str]]
    body: bytes = field(repr=False)
    whole: bool = True


@dataclass(frozen=True)
class Exchange:
    """A request, its answer, and when each was there (of a monotonic clock, in seconds)."""

    request: Request
    head: bytes  # of the request
    answer: Answer
    asked: float
    got: float


class _Stale(Exception):  # noqa: N818 - never shown: the request is made again
    """A kept connection was closed before it answered."""


class _Wire:
    """One connection."""

    def __init__(self, plug: socket.socket) -> None:
        self.plug = plug
        self.until = time.monotonic() + _UNUSED  # when it is closed if nothing goes over it
        self._used = False

    def ask(self, head: bytes, body: bytes, longest: int) -> Answer:
        """Gives the answer, with at most so many bytes of its body; raises Unreachable where there is none,
        and _Stale where a connection that was used before is found dead."""
        before, self._used = self._used, True
        end = time.monotonic() + _WHOLE
        start = b""
        try:
            self.plug.sendall(head + body)
            start = self._some(_LONGEST_HEAD, end)
            answer = self._answer(start, longest, end)
        except TimeoutError:
            raise Unreachable("it was silent for too long") from None
        except OSError:
            if before and not start:
                raise _Stale from None
            raise Unreachable("the connection was cut") from None
        self.until = time.monotonic() + _USED
        return answer

    def _answer(self, data: bytes, longest: int, end: float) -> Answer:
        while b"\r\n\r\n" not in data:
            if len(data) > _LONGEST_HEAD:
                raise Unreachable("its answer is no HTTP")
            data += self._some(_LONGEST_HEAD, end)
        head, _, body = data.partition(b"\r\n\r\n")
        found = _STATUS.match(head + b" ")
        try:
            headers = parse_headers(io.BytesIO(head.partition(b"\r\n")[2] + b"\r\n\r\n")).items()
        except HTTPException:
            found = None
        if found is None:
            raise Unreachable("its answer is no HTTP")
        sizes = [value for name, value in headers if name.lower() == "content-length"]
        said = int(sizes[0]) if len(sizes) == 1 and re.fullmatch("[0-9]{1,15}", sizes[0]) else -1
        said = 0 if found[1] == b"204" else said
        while len(body) < min(said, longest):
            body += self._some(min(said, longest) - len(body), end)
        whole = len(body) == said <= longest
        return Answer(int(found[1]), head + b"\r\n\r\n", headers, body[:longest], whole)

    def _some(self, most: int, end: float) -> bytes:
        left = end - time.monotonic()
        if left <= 0:
            raise TimeoutError
        self.plug.settimeout(min(left, _PATIENCE))
        data = self.plug.recv(min(most, 1 << 16))
        if not data:
            raise ConnectionResetError
        return data


class _Pool:
    """Connections to one host, as Firefox has them."""

    def __init__(self, dial: Callable[[], socket.socket]) -> None:
        self._dial = dial
        self._free: list[_Wire] = []
        self._all: set[_Wire] = set()
        self._dialling = 0
        self._failed: Exception | None = None
        self._closed = False
        self._changed = threading.Condition()

    def free(self) -> _Wire | None:
        """Gives a connection that is free now, if one is."""
        with self._changed:
            self.tidy()
            return self._free.pop() if self._free else None

    def take(self) -> _Wire:
        """Gives a connection that is free, or the first to become so; raises what dialling raised."""
        with self._changed:
            self.tidy()
            if not self._free:
                self._open()
                if not self._changed.wait_for(self._ready, _BACKUP):
                    self._open()
                self._changed.wait_for(self._ready)
            if self._free:
                return self._free.pop()
            raise self._failed or Unreachable("the visit was broken off")

    def give(self, wire: _Wire, *, good: bool) -> None:
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
                wire = _Wire(plug)
                self._all.add(wire)
                if self._closed:
                    self._drop(wire)
                else:
                    self._free.insert(0, wire)
            self._changed.notify_all()

    def _drop(self, wire: _Wire) -> None:
        self._all.discard(wire)
        # A thread that reads from it wakes up only when it is shut.
        with contextlib.suppress(OSError):
            wire.plug.shutdown(socket.SHUT_RDWR)
        wire.plug.close()


class Browser:
    """A browser that was opened for one visit to http://HOST:PORT, unix:/PATH or an onion, on a circuit that
    it shares with nobody; close it afterwards. Another thread may break it off."""

    def __init__(self, url: str, proxy: str) -> None:
        circuit = new_circuit()
        made = connection(url, proxy, circuit)
        self._host = made.host if made.port == 80 else f"{made.host}:{made.port}"
        system = f"{secrets.choice(_SYSTEMS)}; rv:{VERSION}"
        self._agent = f"Mozilla/5.0 ({system}) Gecko/20100101 Firefox/{VERSION}"

        def dial() -> socket.socket:
            opened = connection(url, proxy, circuit)
            opened.connect()
            return cast(socket.socket, opened.sock)

        self._pools = (_Pool(dial), _Pool(dial))
        self._broken_off = threading.Event()

    def ask_all(self, requests: Sequence[Request], longest: int, take: Callable[[Exchange], None]) -> None:
        """Makes requests at once, in this order, and hands on the answers as they come."""
        with ThreadPoolExecutor(max(len(requests), 1)) as threads:
            asking = []
            for request in requests:
                # Whoever comes first has the connection that is free.
                wire = self._pools[request.anonymous].free()
                asking.append(threads.submit(self._ask_and_take, request, longest, wire, take))
                self.pause(_NEXT)
        for one in asking:
            one.result()

    def _ask_and_take(
        self, request: Request, longest: int, wire: _Wire | None, take: Callable[[Exchange], None]
    ) -> None:
        take(self.ask(request, longest, wire))

    def ask(self, request: Request, longest: int, wire: _Wire | None = None) -> Exchange:
        """Gives the answer to one request, at most so many bytes of its body; raises Unreachable."""
        head = request.head(self._host, self._agent)
        pool = self._pools[request.anonymous]
        asked = time.monotonic()
        while True:
            wire = wire or pool.take()
            good = False
            try:
                answer = wire.ask(head, request.body, longest)
                good = answer.whole
                return Exchange(request, head, answer, asked, time.monotonic())
            except _Stale:
                continue
            finally:
                pool.give(wire, good=good)
                wire = None

    def pause(self, seconds: float) -> None:
        """Waits, and closes meanwhile what Firefox would; raises Unreachable when the visit is broken off."""
        end = time.monotonic() + seconds
        while (now := time.monotonic()) < end and not self._broken_off.is_set():
            next_ = min(pool.tidy() for pool in self._pools)
            self._broken_off.wait(max(min(next_, end) - now, 0.01))
        if self._broken_off.is_set():
            raise Unreachable("the visit was broken off")

    def break_off(self) -> None:
        """Ends a pause or a request at once."""
        self._broken_off.set()
        self.close()

    def close(self) -> None:
        for pool in self._pools:
            pool.close()


def _reason(error: OSError) -> str:
    return (error.strerror or "the connection was cut").lower()
