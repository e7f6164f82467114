"""The relay as a whole: from settings to two open sockets, and back."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

from relay import edition as editions
from relay.board import Board
from relay.connection import CircuitConnections, Connections, Handler, complain
from relay.errors import CannotServe, DiskFailed
from relay.flush import Flush
from relay.folder import FolderStore
from relay.handlers import Desk, House, Source
from relay.settings import Address, Settings
from relay.store import Limits, Store

SWEEP = 3600  # seconds between two looks for what has expired
GRACE = 3  # seconds that requests have to finish when the relay is told to stop


async def serve(settings: Settings, ready: Callable[[Address, Address], None]) -> None:
    """Serves until SIGTERM or SIGINT; `ready` is called with the real addresses once both sockets are open.

    Refuses (CannotServe) folders and addresses it cannot use, and ends (DiskFailed) when the disk fails.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complain(context.get("exception")))
    stop: asyncio.Future[None] = loop.create_future()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, _stop, stop, None)
    edition = editions.load(settings.edition)
    with _claimed(settings.data):
        async with Flush(settings.data, lambda: _stop(stop, DiskFailed())) as flush:
            store = FolderStore(settings.data, _limits(edition.terms, settings), flush)
            board = Board(settings.data / "board", edition.terms.board_lines, edition.terms.board_post, flush)
            await board.keep()
            house = House(edition, store, board, settings.idle_seconds)
            async with (
                _listening(settings.source, Source(house), settings) as source,
                _listening(settings.desk, Desk(house), settings) as desk,
            ):
                ready(source, desk)
                sweeper = loop.create_task(_sweep(store))
                await asyncio.wait([stop])
                sweeper.cancel()
    stop.result()


def _stop(stop: asyncio.Future[None], error: Exception | None) -> None:
    if not stop.done():
        stop.set_result(None) if error is None else stop.set_exception(error)


def _limits(terms: editions.Terms, settings: Settings) -> Limits:
    return Limits(
        stanzas=terms.stanzas,
        drop_bytes=terms.drop_bytes,
        retention_days=terms.retention_days,
        reserve_bytes=settings.reserve_bytes,
        unfinished_drops=settings.unfinished_drops,
        unfinished_hours=settings.unfinished_hours,
    )


@contextmanager
def _claimed(data: Path) -> Iterator[None]:
    """Makes the data folder if it is not there, and keeps every other relay out of it."""
    try:
        data.mkdir(parents=True, exist_ok=True)
        data.chmod(0o700)
        lock = os.open(data / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise CannotServe(f"another relay uses {data}") from None
    except OSError as error:
        raise CannotServe(f"{data} cannot be used: {error.strerror}") from None
    try:
        yield
    finally:
        os.close(lock)


async def _sweep(store: Store) -> None:
    while True:
        try:
            await store.sweep()
        except OSError as error:
            complain(error)
        await asyncio.sleep(SWEEP)


@asynccontextmanager
async def _listening(address: Address, handler: Handler, settings: Settings) -> AsyncIterator[Address]:
    """The real address of an open socket; on leaving, requests in progress are finished first."""
    loop = asyncio.get_running_loop()
    kind = CircuitConnections if settings.circuits == "haproxy" else Connections
    connections = kind(handler, most=settings.connections, idle=settings.idle_seconds)
    try:
        if address.path is None:
            server = await loop.create_server(connections, "127.0.0.1", address.port)
            address = Address(None, server.sockets[0].getsockname()[1])
        else:
            server = await loop.create_unix_server(connections, address.path)
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
