"""The board: a file of lines that always has the same size."""

from __future__ import annotations

import asyncio
import os
import secrets
from datetime import date
from pathlib import Path

from relay.day import day_of, today, touch
from relay.errors import Refused
from relay.flush import Flush

LINE = 2048  # bytes


class Board:
    """`lines` lines, oldest first; a post moves the oldest out. Nothing but the order is known of a line."""

    def __init__(self, path: Path, lines: int, post: int, flush: Flush) -> None:
        self._path = path
        self._post = post * LINE
        self._flush = flush
        self._turn = asyncio.Lock()
        self.posted = 0
        self.day = day_of(path)  # of the last post, or on which the board was made
        self.lines = _fit(path.read_bytes() if path.exists() else b"", lines * LINE)

    def check(self, size: int) -> None:
        """Refuses (400) a post of another size than every post has."""
        if size != self._post:
            raise Refused(400, f"a post is {self._post} bytes")

    async def keep(self) -> None:
        """Writes the board as it was filled or fitted at the start."""
        async with self._turn:
            await self._replace(self.lines, self.day)

    async def post(self, lines: bytes) -> None:
        """Puts lines at the end, durable once this returns; refuses (400) what `check` does."""
        self.check(len(lines))
        async with self._turn:
            await self._replace(self.lines[len(lines) :] + lines, today())
            self.posted += 1

    async def _replace(self, lines: bytes, day: date) -> None:
        new = self._path.with_suffix(".new")
        with new.open("wb") as file:
            file.write(lines)
            file.flush()
            touch(file.fileno(), day)
        await self._flush(lambda: os.rename(new, self._path))  # noqa: PTH104 - Path.rename returns something
        self.lines, self.day = lines, day


def _fit(lines: bytes, size: int) -> bytes:
    """The newest lines that fit; random ones, which nobody can tell from them, fill up a board."""
    kept = lines[-size:] if len(lines) % LINE == 0 else b""
    return secrets.token_bytes(size - len(kept)) + kept
