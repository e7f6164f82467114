"""The relay as a whole: from settings to two open sockets, and back."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path

from relay import edition as editions
from relay.board import Board
from relay.connection import complain
from relay.errors import CannotServe, DiskFailed
from relay.flush import Flush
from relay.folder import FolderStore
from relay.former import Former
from relay.handlers import Desk, House, Source
from relay.listening import listening
from relay.origin import FilesOnly
from relay.settings import Address, Settings
from relay.store import Limits, Store

SWEEP = 3600  # seconds between two looks for what has expired


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
            close = _closer(settings.control)
            async with (
                listening(settings.source, Source(house, close), settings) as source,
                listening(settings.desk, FilesOnly(Desk(house)), settings) as desk,
                AsyncExitStack() as more,
            ):
                if settings.former:
                    await more.enter_async_context(listening(settings.former, Former(house, close), settings))
                ready(source, desk)
                sweeper = loop.create_task(_sweep(store))
                await asyncio.wait([stop])
                sweeper.cancel()
    stop.result()


def _stop(stop: asyncio.Future[None], error: Exception | None) -> None:
    if not stop.done():
        stop.set_result(None) if error is None else stop.set_exception(error)


def _closer(control: Address | None) -> Callable[[int], None] | None:
    """What has tor close a circuit, where it can be asked."""
    if control is None:
        return None
    from relay.tor import Closer  # for who has no use for it need not load it

    return Closer(control)


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
