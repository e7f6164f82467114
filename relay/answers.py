"""Answers as bytes. Nothing is added to them: no Date, no Server, no cookie, and no word of the request."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Mapping
from http import HTTPStatus

from aiohttp import web
from aiohttp.abc import AbstractStreamWriter

from relay.patience import Patience
from relay.store import Slice

PIECE = 1 << 16  # bytes handed to a connection at once: what a reader who stopped can make the relay hold
BURST = 1 << 22  # bytes handed to the kernel at once
IDLE = 60  # seconds that a reader may take nothing

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

    def add(self, line: bytes) -> None:
        """Puts one more line, with its end, into the head."""
        self._head += line

    @property
    def size(self) -> int:
        """Bytes of the body."""
        return len(self._whole)

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
        transport = self._request.transport
        if transport is None or transport.is_closing():
            raise ConnectionResetError("the reader is gone")
        transport.write(piece)
        if self._request.protocol.writing_paused:
            try:
                async with Patience(IDLE, len(piece)):
                    await self._request.writer.drain()
            except TimeoutError:
                raise ConnectionResetError("the reader stopped reading") from None


class DropAnswer(Answer):
    """A stretch of a file, which the kernel sends without passing it through here."""

    def __init__(self, head: bytes, piece: Slice) -> None:
        super().__init__(head)
        self._piece = piece

    async def write_eof(self, data: bytes = b"") -> None:
        transport = self._request.transport
        if transport is None:
            raise ConnectionResetError("the reader is gone")
        try:
            file = os.open(self._piece.path, os.O_RDONLY)
        except FileNotFoundError:
            raise ConnectionResetError("a desk deleted the drop meanwhile") from None
        # A second descriptor, for asyncio lets nobody else wait for the one its transport waits for.
        inner = transport.get_extra_info("socket")
        if inner.family == socket.AF_UNIX:  # TCP finds its own size
            inner.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BURST)
        outlet = os.dup(inner.fileno())
        try:
            transport.set_write_buffer_limits(0)  # so that the head has left before the rest
            await super().write_eof(data)
            await self._pour(file, outlet)
        finally:
            os.close(outlet)
            os.close(file)

    async def _pour(self, file: int, outlet: int) -> None:
        loop = asyncio.get_running_loop()
        pouring = _Pouring(file, outlet, self._piece)
        try:
            async with Patience(IDLE, self._piece.count) as patience:
                # A callback and no task: a unix socket takes only some 200 KB at once.
                loop.add_writer(outlet, pouring.step, patience)
                await pouring.done
        except TimeoutError:
            raise ConnectionResetError("the reader stopped reading") from None
        finally:
            loop.remove_writer(outlet)


class _Pouring:
    """`done` once all of a piece is with the kernel; each `step` gives it as much as it takes."""

    def __init__(self, file: int, outlet: int, piece: Slice) -> None:
        self.done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._file = file
        self._outlet = outlet
        self._at = piece.offset
        self._end = piece.offset + piece.count

    def step(self, patience: Patience) -> None:
        if self.done.done():
            return
        try:
            sent = os.sendfile(self._outlet, self._file, self._at, min(self._end - self._at, BURST))
        except BlockingIOError:
            return
        except OSError as error:
            self.done.set_exception(error)
            return
        self._at += sent
        patience.progress()
        if sent == 0:
            self.done.set_exception(ConnectionResetError("the file ended early"))
        elif self._at == self._end:
            self.done.set_result(None)
