"""Tor Browser's requests: the same headers in the same order, on as many connections.

When Tor Browser moves to another release of Firefox, TOR_BROWSER is to be that one;
tests/desk/watcher/test_likeness.py says, with that Firefox installed, what else to change here.
"""

from __future__ import annotations

import secrets
import socket
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import cast

from keys.desk.client import connection, new_circuit
from keys.desk.watcher.links import Answer, Pool, Stale, Wire
from keys.errors import Unreachable


@dataclass(frozen=True)
class Release:
    """A release of Firefox, and what it says that others do not."""

    version: int
    languages: str
    tracking: tuple[str, ...]  # what it asks not to be done with what it sends


RELEASES = (
    Release(140, "en-US,en;q=0.5", ("DNT: 1", "Sec-GPC: 1")),
    Release(153, "en-US,en;q=0.9", ("Sec-GPC: 1",)),
)
TOR_BROWSER = RELEASES[-1]

# Tor Browser says which system it runs on; this is about how many run on which.
_SYSTEMS = (
    *4 * ("Windows NT 10.0; Win64; x64",),
    "X11; Linux x86_64",
    "Macintosh; Intel Mac OS X 10.15",
)
_DOCUMENT = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"

_NEXT = 0.003  # seconds after which Firefox asks for the next thing that a page needs


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

    def head(self, host: str, agent: str, release: Release) -> bytes:
        accept = {"document": _DOCUMENT, "style": "text/css,*/*;q=0.1"}.get(self.dest, "*/*")
        lines = [f"{self.method} {self.path} HTTP/1.1", f"Host: {host}", f"User-Agent: {agent}"]
        lines += [
            f"Accept: {accept}",
            f"Accept-Language: {release.languages}",
            "Accept-Encoding: gzip, deflate",
        ]
        if self.method != "GET":
            lines += [f"Content-Length: {len(self.body)}", f"Origin: http://{host}"]
        lines += [*release.tracking, "Connection: keep-alive"]
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
class Exchange:
    """A request, its answer, and when each was there (of a monotonic clock, in seconds)."""

    request: Request
    head: bytes  # of the request
    answer: Answer
    asked: float
    got: float


class Browser:
    """A browser that was opened for one visit to http://HOST:PORT, unix:/PATH or an onion, on a circuit that
    it shares with nobody; close it afterwards. Another thread may break it off."""

    def __init__(self, url: str, proxy: str, release: Release = TOR_BROWSER) -> None:
        circuit = new_circuit()
        made = connection(url, proxy, circuit)
        self._host = made.host if made.port == 80 else f"{made.host}:{made.port}"
        self._release = release
        system = f"{secrets.choice(_SYSTEMS)}; rv:{release.version}.0"
        self._agent = f"Mozilla/5.0 ({system}) Gecko/20100101 Firefox/{release.version}.0"

        def dial() -> socket.socket:
            opened = connection(url, proxy, circuit)
            opened.connect()
            return cast(socket.socket, opened.sock)

        self._pools = (Pool(dial), Pool(dial))
        self.broken: list[Exchange] = []  # those whose answer came to an end too early
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
        self, request: Request, longest: int, wire: Wire | None, take: Callable[[Exchange], None]
    ) -> None:
        take(self.ask(request, longest, wire))

    def ask(self, request: Request, longest: int, wire: Wire | None = None) -> Exchange:
        """Gives the answer to one request, at most so many bytes of its body; raises Unreachable, also where
        an answer breaks off, of which a browser shows and runs what came."""
        head = request.head(self._host, self._agent, self._release)
        pool = self._pools[request.anonymous]
        asked = time.monotonic()
        while True:
            wire = wire or pool.take()
            good = False
            try:
                answer = wire.ask(head, request.body, longest)
                good = answer.whole
                got = Exchange(request, head, answer, asked, time.monotonic())
                if answer.broken:
                    self.broken.append(got)
                    raise Unreachable(answer.broken)
                return got
            except Stale:
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
