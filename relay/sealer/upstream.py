"""The relay as the sealer asks it: at its source socket, like any visitor, and on the visitor's circuit."""

from __future__ import annotations

import asyncio
import re
import socket
from dataclasses import dataclass

from relay.circuits import line_of
from relay.errors import Refused, Unsure
from relay.settings import Address

GIVE_UP = 180  # seconds: a relay that is restarted is back long before, and Firefox waits 300 for a page
PATIENCE = 120  # seconds for one answer
_LONGEST = 16 << 20  # bytes of an answer: the largest board, and twice as much
_PIECE = 1 << 18
_LONGEST_WAIT = 5.0  # seconds between two attempts
_UNSAID = 500  # the relay failed, or was cut off, and may have done it before
_PASSING = {408, _UNSAID, 503}
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
_LENGTH = re.compile(rb"\r\nContent-Length: ([0-9]{1,9})\r\n")


@dataclass(frozen=True)
class Upstream:
    """Where the relay is, and on which circuit the visitor came for whom it is asked."""

    address: Address
    circuit: int | None

    async def ask(self, method: str, target: str, body: bytes | bytearray = b"") -> bytes:
        """The body of the answer, asked for again until there is one; refuses what the relay refuses, and
        (503) when it is away for long. Raises Unsure when it may have done all the same what was asked.
        Whatever is asked for here may be done twice."""
        loop = asyncio.get_running_loop()
        end, wait, sure = loop.time() + GIVE_UP, 0.1, True
        request = self._request(method, target, body)
        while True:
            status, answer = await self._answer(request, min(end, loop.time() + PATIENCE))
            if status < 300:
                return answer
            sure = sure and status != _UNSAID
            if status not in _PASSING or loop.time() + wait > end:
                raise Refused(status, "the relay refused") if sure else Unsure
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    async def _answer(self, request: bytes, end: float) -> tuple[int, bytes]:
        """Status and body of the answer; of none too."""
        try:
            async with asyncio.timeout_at(end):
                return _parsed(await self._once(request))
        except (ConnectionRefusedError, FileNotFoundError):
            return 503, b""  # nobody was there to take it
        except (OSError, TimeoutError):
            return _UNSAID, b""

    def _request(self, method: str, target: str, body: bytes | bytearray) -> bytes:
        line = b"" if self.circuit is None else line_of(self.circuit)
        head = f"{method} {target} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n"
        length = f"Content-Length: {len(body)}\r\n" if body else ""
        return b"".join((line, f"{head}{length}\r\n".encode(), body))

    async def _once(self, request: bytes) -> bytes:
        # On the bare socket, for asyncio's transports copy what they cannot send at once.
        loop = asyncio.get_running_loop()
        path = self.address.path
        with socket.socket(socket.AF_UNIX if path else socket.AF_INET) as plug:
            plug.setblocking(False)
            await loop.sock_connect(plug, str(path) if path else ("127.0.0.1", self.address.port))
            await loop.sock_sendall(plug, request)
            answer = bytearray()
            while more := await loop.sock_recv(plug, _PIECE):
                answer += more
                if len(answer) > _LONGEST:
                    raise Unsure
        return bytes(answer)


def _parsed(answer: bytes) -> tuple[int, bytes]:
    """Status and body; raises Unsure of what no relay says, and ConnectionResetError where it was cut."""
    head, end, body = answer.partition(b"\r\n\r\n")
    status, length = _STATUS.match(head), _LENGTH.search(head + b"\r\n")
    if not end or (length and len(body) < int(length[1])):
        raise ConnectionResetError("the answer was cut off")
    if status is None:
        raise Unsure
    return int(status[1]), body
