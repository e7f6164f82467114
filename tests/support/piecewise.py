"""A connection within this process, on which no two pieces arrive as one."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from relay.connection import Connection, Connections


class Client:
    """The end that asks; the other end is `connection`."""

    def __init__(self, plug: socket.socket, connection: Connection) -> None:
        self._plug = plug
        self._loop = asyncio.get_running_loop()
        self.connection = connection

    @property
    def open(self) -> bool:
        """Whether the other end has not closed."""
        transport = self.connection.transport
        return transport is not None and not transport.is_closing()

    async def send(self, *pieces: bytes) -> None:
        """Sends each piece once the one before was read; none any more when the other end is closed."""
        with suppress(BrokenPipeError, ConnectionResetError):
            for piece in pieces:
                await self._loop.sock_sendall(self._plug, piece)
                while self.connection.waiting:  # noqa: ASYNC110 - nothing says when
                    await asyncio.sleep(0)
                await asyncio.sleep(0)  # for whoever waits for it

    async def receive(self) -> bytes:
        """The next bytes; none when the other end is closed."""
        with suppress(ConnectionResetError):
            return await self._loop.sock_recv(self._plug, 1 << 16)
        return b""


@asynccontextmanager
async def connected(server: Connections) -> AsyncIterator[Client]:
    """A new connection of this server's, until the `async with` block is left."""
    near, far = socket.socketpair()
    with near:
        near.setblocking(False)
        _, connection = await asyncio.get_running_loop().connect_accepted_socket(server, far)
        yield Client(near, connection)
    while connection.transport is not None:  # noqa: ASYNC110 - nothing says when
        await asyncio.sleep(0)
