"""The sealer as a whole: from settings to an open socket, and back."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Callable

from relay.connection import complain
from relay.listening import listening
from relay.sealer import house
from relay.sealer.lane import Lane
from relay.sealer.settings import Settings
from relay.settings import Address


async def serve(settings: Settings, ready: Callable[[Address], None]) -> None:
    """Serves until SIGTERM or SIGINT; `ready` is called with the real address once the socket is open.

    Refuses (CannotServe) an edition and an address it cannot use.
    """
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: complain(context.get("exception")))
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    lane = Lane(house.load(settings.edition), settings)
    async with listening(settings.listen, lane, settings) as address:
        ready(address)
        await stop.wait()
