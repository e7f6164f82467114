"""The relay as the sealer asks it: at its source socket, like any visitor, and on the visitor's circuit."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from relay.circuits import line_of
from relay.errors import Refused
from relay.settings import Address

GIVE_UP = 300  # seconds: a relay that is restarted is back long before
PATIENCE = 120  # seconds for one answer
_LONGEST = 16 << 20  # bytes of an answer: the largest board, and twice as much
_LONGEST_WAIT = 5.0  # seconds between two attempts
_PASSING = {408, 500, 503}


@dataclass(frozen=True)
class Upstream:
    """Where the relay is, and on which circuit the visitor came for whom it is asked."""

    address: Address
    circuit: int | None

    async def ask(self, method: str, target: str, body: bytes = b"") -> bytes:
        """The body of the answer, asked for again until there is one; refuses what the relay refuses, and
        (503) when it is away for long. Whatever is asked for here may be done twice."""
        loop = asyncio.get_running_loop()
        end, wait = loop.time() + GIVE_UP, 0.1
        while True:
            try:
                async with asyncio.timeout(PATIENCE):
                    status, answer = await self._once(method, target, body)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                status, answer = 503, b""
            if status < 300:
                return answer
            if status not in _PASSING or loop.time() > end:
                raise Refused(status, "the relay refused")
            await asyncio.sleep(wait)
            wait = min(2 * wait, _LONGEST_WAIT)

    async def _once(self, method: str, target: str, body: bytes) -> tuple[int, bytes]:
        reader, writer = await self._connect()
        try:
            head = f"{method} {target} HTTP/1.1\r\nHost: relay\r\nConnection: close\r\n"
            length = f"Content-Length: {len(body)}\r\n" if body else ""
            start = b"" if self.circuit is None else line_of(self.circuit)
            writer.write(start + f"{head}{length}\r\n".encode())
            writer.write(body)
            await writer.drain()
            head_lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower().split("\r\n")
            return int(head_lines[0].split(" ")[1]), await reader.readexactly(_length(head_lines))
        finally:
            writer.transport.abort()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        if self.address.path is None:
            return await asyncio.open_connection("127.0.0.1", self.address.port)
        return await asyncio.open_unix_connection(self.address.path)


def _length(head: list[str]) -> int:
    for line in head:
        if line.startswith("content-length:"):
            return min(int(line.partition(":")[2]), _LONGEST)
    return 0
