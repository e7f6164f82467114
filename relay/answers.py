"""Answers as bytes. Nothing is added to them: no Date, no Server, no cookie, and no word of the request."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Iterable, Mapping
from http import HTTPStatus

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from relay.store import Slice

PIECE = 1 << 16  # bytes handed to a connection at once: what a reader who stopped can make the relay hold
SLOWEST = 512  # bytes a second: whoever is slower is taken for dead
PATIENCE = 60.0  # seconds on top of that

_JSON = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}


def head(status: int, size: int, media_type: str = "", headers: Mapping[str, str] = {}) -> bytes:
    """The lines before the body, without the empty one that ends them."""
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}"]
    if status != HTTPStatus.NO_CONTENT:
        lines.append(f"Content-Length: {size}")
    if media_type:
        lines.append(f"Content-Type: {media_type}")
    lines += (f"{name}: {value}" for name, value in headers.items())
    return "".join(f"{line}\r\n" for line in lines).encode("ascii")


def json_head(status: int, size: int) -> bytes:
    """The head of an answer that is one JSON object of `size` bytes."""
    return head(status, size, "application/json", _JSON)


def json_answer(status: int, said: Mapping[str, object]) -> Answer:
    """An answer that is one JSON object."""
    body = json.dumps(said).encode()
    return Answer(json_head(status, len(body)), body)


class Answer(web.StreamResponse):
    """A head as `head` makes it, and the body that goes with it."""

    def __init__(self, head: bytes, body: bytes = b"") -> None:
        super().__init__()
        self._head = head
        self._whole = body
        self._request: web.BaseRequest

    async def prepare(self, request: web.BaseRequest) -> AbstractStreamWriter | None:
        # In place of aiohttp's own, which adds Date and Server to every answer.
        self._request = request
        if self._keep_alive is None:
            self._keep_alive = request.keep_alive and request.version >= (1, 1)
        return request.writer

    async def write_eof(self, data: bytes = b"") -> None:  # noqa: ARG002
        start = self._head + (b"\r\n" if self._keep_alive else b"Connection: close\r\n\r\n")
        if self._request.method == "HEAD":
            await self._send(start)
        elif len(self._whole) <= PIECE:
            await self._send(start + self._whole)
        else:
            await self._send(start)
            rest = memoryview(self._whole)
            for at in range(0, len(rest), PIECE):
                await self._send(rest[at : at + PIECE])

    async def _send(self, piece: bytes | memoryview) -> None:
        self._transport().write(piece)
        if self._request.protocol.writing_paused:
            await patiently(self._request.writer.drain(), PIECE)

    def _transport(self) -> asyncio.Transport:
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the reader is gone")
        return transport


class DropAnswer(Answer):
    """Bytes `start` to `stop` of a drop, sent from its files by the kernel without passing through here."""

    def __init__(self, head: bytes, slices: Iterable[Slice]) -> None:
        super().__init__(head)
        self._slices = slices

    async def write_eof(self, data: bytes = b"") -> None:
        await super().write_eof(data)
        if self._request.method == "HEAD":
            return
        loop = asyncio.get_running_loop()
        for piece in self._slices:
            try:
                file = open(piece.path, "rb", buffering=0)  # noqa: ASYNC230, PTH123, SIM115 - sendfile reads it
            except FileNotFoundError:
                raise ConnectionResetError("the drop was deleted meanwhile") from None
            with file:
                sending = loop.sendfile(self._transport(), file, piece.offset, piece.count)
                await patiently(sending, piece.count)


async def patiently(sending: Awaitable[object], size: int) -> None:
    """Waits until `size` bytes are taken; raises ConnectionResetError when only the dead are as slow."""
    try:
        async with asyncio.timeout(PATIENCE + size / SLOWEST):
            await sending
    except TimeoutError:
        raise ConnectionResetError("the reader stopped reading") from None
