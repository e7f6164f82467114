"""Connections: how many there may be, and what happens to those that misbehave."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import sys
import termios
import traceback
from collections.abc import Awaitable, Callable
from typing import Any, cast

from aiohttp import web

from relay.answers import head, json_answer
from relay.circuits import proxy_line
from relay.parse import PART

Handler = Callable[[web.BaseRequest], Awaitable[web.StreamResponse]]

_BUSY = b'{"error": "too many connections; try again later"}'
_BUSY = head(503, len(_BUSY), "application/json", {"Connection": "close"}) + b"\r\n" + _BUSY


def complain(error: BaseException | None) -> None:
    """Says on stderr where the relay's own code failed: no message and no values, which could name a drop."""
    last = traceback.extract_tb(error.__traceback__)[-1:] if error is not None else []
    place = "".join(f" at {frame.filename}:{frame.lineno}" for frame in last)
    print(f"relay: error: {type(error).__name__}{place}", file=sys.stderr, flush=True)


def refuse(transport: asyncio.Transport) -> None:
    """Says that there is no place, and closes."""
    transport.write(_BUSY)
    transport.close()


class Connection(web.RequestHandler):
    """One connection. Where aiohttp's answers and logs would repeat a request, this says nothing of it."""

    circuit: int | None = None  # where it comes from, if tor says so
    tor = 0  # the process that counts the circuits; another one begins anew
    _held = False  # whether reading is paused, for a body that comes faster than it is written

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(self._manager, Connections) and self._manager.full:
            refuse(cast(asyncio.Transport, transport))
        else:
            super().connection_made(transport)

    def pause_reading(self) -> None:
        self._held = True
        super().pause_reading()

    def resume_reading(self, resume_parser: bool = True) -> None:
        # aiohttp asks for this after every piece of a body, and runs its parser on nothing each time.
        if self._held:
            self._held = False
            super().resume_reading(resume_parser)

    @property
    def room(self) -> int:
        """How many bytes the kernel holds for this end, as it counts: a small write for several times its
        size. Of a unix socket that is up to the sender, which has what every socket here begins with."""
        plug = self._plug
        return plug.getsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF) if plug is not None else 0

    @property
    def waiting(self) -> int:
        """How many bytes came and were not read yet."""
        plug = self._plug
        if plug is None:
            return 0
        return int.from_bytes(fcntl.ioctl(plug.fileno(), termios.FIONREAD, bytes(4)), sys.byteorder)

    @property
    def _plug(self) -> socket.socket | None:
        return self.transport.get_extra_info("socket") if self.transport is not None else None

    async def rest(self, seconds: float) -> None:
        """Leaves to the socket's buffer what comes meanwhile."""
        self.pause_reading()
        try:
            await asyncio.sleep(seconds)
        finally:
            self.resume_reading()

    def handle_error(
        self,
        request: web.BaseRequest,  # noqa: ARG002
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002
    ) -> web.StreamResponse:
        if status >= 500:
            if not isinstance(exc, ConnectionError):  # the client left; nobody reads the answer
                complain(exc)
            answer = json_answer(500, {"error": "the relay failed; try again later"})
        else:
            answer = json_answer(400, {"error": "this is not an HTTP request"})
        answer.force_close()
        return answer

    def log_exception(self, *args: Any, **kw: Any) -> None:  # noqa: ARG002
        complain(kw.get("exc_info"))


def _process_behind(plug: socket.socket | None) -> int:
    """The id of the process at the other end of a unix socket (unix(7), SO_PEERCRED), 0 of any other."""
    if plug is None or plug.family != socket.AF_UNIX:
        return 0
    return int.from_bytes(plug.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)[:4], sys.byteorder)


class CircuitConnection(Connection):
    """A connection from tor, which says first which circuit it came on; one that does not is dropped.

    The line is cut off before aiohttp's parser, which goes on with the same socket: it has its own timers and
    its own way to pause.
    """

    _start = b""

    def data_received(self, data: bytes) -> None:
        if self.circuit is None:
            try:
                found = proxy_line(self._start + data)
            except ValueError:
                if self.transport is not None:
                    self.transport.abort()
                return
            if found is None:
                self._start += data
                return
            self.circuit, data = found
            self.tor = _process_behind(self._plug)
            self._start = b""
            if not cast(CircuitConnections, self._manager).admit(self, self.circuit):
                refuse(cast(asyncio.Transport, self.transport))
                return
            if not data:
                return
        super().data_received(data)


class Connections(web.Server):
    """The connections of one socket: at most `most`, each closed after `idle` seconds without a request."""

    kind = Connection

    def __init__(self, handler: Handler, *, most: int, idle: float) -> None:
        super().__init__(handler)
        self._most = most
        self._options: dict[str, Any] = {
            "access_log": None,
            "auto_decompress": False,  # what is not inflated cannot blow up
            "keepalive_timeout": idle,
            "lingering_time": 5.0,
            "read_bufsize": PART,
            "tcp_keepalive": False,  # the other end is this machine's tor
        }

    @property
    def full(self) -> bool:
        return len(self.connections) >= self._most

    def __call__(self) -> Connection:
        return self.kind(self, loop=self._loop, **self._options)


class CircuitConnections(Connections):
    """The same where tor says of each on which circuit it came. When there are too many, the circuit with
    most of them gives up its oldest for one with fewer: some circuits cannot take every place."""

    kind = CircuitConnection

    def __init__(self, handler: Handler, *, most: int, idle: float) -> None:
        super().__init__(handler, most=most, idle=idle)
        self._placed: dict[int, list[CircuitConnection]] = {}  # by circuit, the oldest first

    @property
    def full(self) -> bool:
        # For those of which nothing is known yet; tor says it at once.
        return len(self.connections) >= 2 * self._most

    def admit(self, newcomer: CircuitConnection, circuit: int) -> bool:
        """Whether there is a place for a connection of this circuit, be it another's."""
        if sum(map(len, self._placed.values())) >= self._most:
            largest = max(self._placed.values(), key=len)
            if len(largest) <= len(self._placed.get(circuit, ())) + 1:
                return False
            oldest = largest[0]
            self._forget(oldest)
            cast(asyncio.Transport, oldest.transport).abort()
        self._placed.setdefault(circuit, []).append(newcomer)
        return True

    def connection_lost(self, handler: web.RequestHandler, exc: BaseException | None = None) -> None:
        super().connection_lost(handler, exc)
        self._forget(cast(CircuitConnection, handler))

    def _forget(self, connection: CircuitConnection) -> None:
        if connection.circuit in self._placed and connection in (of := self._placed[connection.circuit]):
            of.remove(connection)
            if not of:
                del self._placed[connection.circuit]
