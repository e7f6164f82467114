"""An open socket, from the moment it is until the last request on it is answered."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Protocol

from relay.connection import CircuitConnections, Connections, Handler
from relay.errors import CannotServe
from relay.settings import Address

GRACE = 3  # seconds that requests have to finish when the process is told to stop

BACKLOG = 1024  # connections that wait to be accepted: a unix socket refuses tor at once when there are more


class Manners(Protocol):
    """What the settings say of connections."""

    @property
    def circuits(self) -> str: ...

    @property
    def connections(self) -> int: ...

    @property
    def idle_seconds(self) -> int: ...


@asynccontextmanager
async def listening(address: Address, handler: Handler, manners: Manners) -> AsyncIterator[Address]:
    """The real address of an open socket; on leaving, requests in progress are finished first. Refuses
    (CannotServe) an address that cannot be had."""
    loop = asyncio.get_running_loop()
    kind = CircuitConnections if manners.circuits == "haproxy" else Connections
    connections = kind(handler, most=manners.connections, idle=manners.idle_seconds)
    try:
        if address.path is None:
            server = await loop.create_server(connections, "127.0.0.1", address.port, backlog=BACKLOG)
            address = Address(None, server.sockets[0].getsockname()[1])
        else:
            server = await loop.create_unix_server(connections, address.path, backlog=BACKLOG)
            address.path.chmod(0o660)  # for tor, which is another user
    except OSError as error:
        raise CannotServe(f"cannot listen at {address}: {error.strerror}") from None
    try:
        yield address
    finally:
        server.close()
        connections.pre_shutdown()
        await connections.shutdown(GRACE)
        if address.path is not None:
            address.path.unlink(missing_ok=True)
