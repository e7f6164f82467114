"""The relay as the sealer asks it: at its source socket, like any visitor, and on the visitor's circuit."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import Sequence
from dataclasses import dataclass

from relay.circuits import line_of
from relay.errors import Refused
from relay.settings import Address

GIVE_UP = 300  # seconds: a relay that is restarted is back long before
PATIENCE = 120  # seconds for one answer
_LONGEST = 16 << 20  # bytes of an answer: the largest board, and twice as much
_PIECE = 1 << 18
_LONGEST_WAIT = 5.0  # seconds between two attempts
_PASSING = {408, 500, 503}
_STATUS = re.compile(rb"HTTP/1\.1 ([0-9]{3}) ")
_LENGTH = re.compile(rb"\r\nContent-Length: ([0-9]{1,9})\r\n")


@dataclass(frozen=True)
class Upstream:
    """Where the relay is, and on which circuit the visitor came for whom it is asked."""

    address: Address
    circuit: int | None

    async def ask(self, method: str, target: str, body: Sequence[bytes | memoryview] = ()) -> bytes:
        """The body of the answer, asked for again until there is one; refuses what the relay refuses, and
        (503) when it is away for long. Whatever is asked for here may be done twice."""
        loop = asyncio.get_running_loop()
        end, wait = loop.time() + GIVE_UP, 0.1
        request = self._request(method, target, body)
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    status, answer = _parsed(await self._once(request))
            except (OSError, TimeoutError):
                status, answer = 503, b""
            if status < 300:
                return answer
            if status not in _PASSING or loop.time() > end:
                raise Refused(status, "the relay refused")
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    def _request(self, method: str, target: str, body: Sequence[bytes | memoryview]) -> bytes:
        line = b"" if self.circuit is None else line_of(self.circuit)
        head = f"{method} {target} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n"
        length = f"Content-Length: {sum(map(len, body))}\r\n" if body else ""
        return b"".join((line, f"{head}{length}\r\n".encode(), *body))

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
                    raise Refused(502, "the answer is too long")
        return bytes(answer)


def _parsed(answer: bytes) -> tuple[int, bytes]:
    """Status and body; refuses (502) what no relay says, and raises ConnectionResetError where it was cut."""
    head, end, body = answer.partition(b"\r\n\r\n")
    status, length = _STATUS.match(head), _LENGTH.search(head + b"\r\n")
    if not end or (length and len(body) < int(length[1])):
        raise ConnectionResetError("the answer was cut off")
    if status is None:
        raise Refused(502, "this is no answer of a relay")
    return int(status[1]), body
