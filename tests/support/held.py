"""What the sealer holds in memory of a form that comes byte by byte."""

from __future__ import annotations

import asyncio
import tracemalloc
from dataclasses import dataclass
from pathlib import Path

from support.piecewise import connected

from relay.connection import Connections
from relay.sealer import house
from relay.sealer.lane import Lane
from relay.sealer.settings import Settings
from relay.settings import Address


@dataclass(frozen=True)
class Held:
    size: int  # bytes, more than before
    answer: bytes  # the first of it


def held(edition: Path, relay: str, step: str, kind: str, body: bytes, begin: int, end: int) -> Held:
    """By a sealer in this process, when the form's bytes from `begin` to `end` have come one by one."""
    head = (
        f"POST /en/{step} HTTP/1.1\r\nHost: h\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    single = [bytes([byte]) for byte in body[begin:end]]
    at = Address(None, int(relay.rpartition(":")[2]))

    async def upload() -> Held:
        lane = Lane(house.load(edition), Settings(edition, listen=Address(None), relay=at))
        async with connected(Connections(lane, most=1, idle=60)) as client:
            await client.send(head.encode() + body[:begin])
            tracemalloc.start()
            try:
                await client.send(*single)
                size, _ = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            await client.send(body[end:])
            return Held(size, await client.receive())

    return asyncio.run(upload())
