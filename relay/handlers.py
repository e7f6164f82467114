"""What each request does (relay/PROTOCOL.md)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from relay import parse
from relay.answers import Answer, DropAnswer, head, json_answer, json_head
from relay.board import Board
from relay.circuits import Shares
from relay.connection import Connection
from relay.edition import Edition
from relay.errors import Refused
from relay.patience import Pace, Patience
from relay.store import SMALL, Store

_DONE = head(204, 0)
_COMMITTED = json_head(201, 2)
_BOARD = {"Cache-Control": "no-store", "X-Content-Type-Options": "nosniff"}
_DROP = _BOARD | {"Accept-Ranges": "bytes"}
_BYTES = "application/octet-stream"


@dataclass(frozen=True)
class House:
    """What both sockets serve."""

    edition: Edition
    store: Store
    board: Board
    idle: float  # seconds


class _Socket:
    def __init__(self, house: House) -> None:
        self._house = house

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        try:
            return await self.answer(request, request.raw_path)
        except Refused as refused:
            return json_answer(refused.status, {"error": refused.sentence} | refused.more)

    async def answer(self, request: web.BaseRequest, target: str) -> Answer:
        """The answer on either socket; `Source` and `Desk` have what is only theirs."""
        if target.startswith("/drops/"):
            if request.method == "PUT":
                return await self._put(request, parse.part_target(target))
            if request.method == "POST":
                return await self._commit(request, parse.drop_target(target))
        elif target == "/board":
            if request.method == "GET":
                lines = self._house.board.lines
                return Answer(head(200, len(lines), _BYTES, _BOARD), lines)
        else:
            raise Refused(404, "there is nothing here")
        raise Refused(405, "this is not done here")

    async def _put(self, request: web.BaseRequest, target: parse.PartTarget) -> Answer:
        size = _length(request)
        if size == 0:
            raise Refused(400, "a part is never empty")
        if size > parse.PART:
            raise Refused(413, f"a part is {parse.PART} bytes at most")
        store = self._house.store
        if store.has(target.id):
            await self._receive(request, size, lambda _: None)
            if not target.commit:
                return Answer(_DONE)
            await store.commit(target.id, 1, size)
            return Answer(_COMMITTED, b"{}")
        if target.commit and size <= SMALL:
            await store.add(target.id, await self._body(request))
            return Answer(_COMMITTED, b"{}")
        with store.part(target.id, target.n, size) as part:
            await self._receive(request, size, part.write)
            await part.keep()
        if not target.commit:
            return Answer(_DONE)
        await store.commit(target.id, 1, size)
        return Answer(_COMMITTED, b"{}")

    async def _commit(self, request: web.BaseRequest, id_: str) -> Answer:
        if _length(request) > parse.COMMIT_BODY:
            raise Refused(400, "this is not a commit")
        body = await self._body(request)
        await self._house.store.commit(id_, *parse.commit_body(body))
        return Answer(_COMMITTED, b"{}")

    async def _body(self, request: web.BaseRequest) -> bytes:
        if request.content.is_eof():  # it came along with the head
            return request.content.read_nowait()
        chunks: list[bytes] = []
        await self._receive(request, _length(request), chunks.append)
        return b"".join(chunks)

    async def _receive(self, request: web.BaseRequest, size: int, take: Callable[[bytes], None]) -> None:
        """Hands on the body as it comes; refuses (408) a client that is silent or all but silent for long."""
        if request.headers.get("Expect") and request.transport is not None:
            request.transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = request.content
        if body.is_eof():  # it came along with the head
            take(body.read_nowait())
            return
        connection = cast(Connection, request.protocol)
        pace = Pace(connection.room // 4, asyncio.get_running_loop().time)
        try:
            async with Patience(self._house.idle, size) as patience:
                while size > 0:
                    chunk, _ = await body.readchunk()
                    if not chunk:
                        raise ConnectionResetError("the body ended early")
                    size -= len(chunk)
                    take(chunk)
                    patience.progress()
                    if size > 0 and (rest := pace.rest(len(chunk), size, connection.waiting)):
                        await connection.rest(rest)
        except TimeoutError:
            raise Refused(408, "nothing came for too long") from None


class Source(_Socket):
    """The public socket: the edition, the board, and drops going in; no circuit gets more than its share."""

    def __init__(self, house: House, close: Callable[[int], None] | None = None) -> None:
        """`close` is called, once, with each circuit that keeps asking for more than its share."""
        super().__init__(house)
        self._shares = Shares(close)

    async def answer(self, request: web.BaseRequest, target: str) -> Answer:
        connection = cast(Connection, request.protocol)
        if connection.circuit is None:
            return await self._answer(request, target)
        share = self._shares.of(connection.circuit, connection.tor)
        if wait := share.take(request.content_length or 0):
            await asyncio.sleep(wait)
        if request.method == "PUT" and target.startswith("/drops/"):
            share.begin(parse.part_target(target).id)
        answer = await self._answer(request, target)
        share.answered(answer.size)
        return answer

    async def _answer(self, request: web.BaseRequest, target: str) -> Answer:
        file = self._house.edition.files.get(target.partition("?")[0])
        if file is None:
            return await super().answer(request, target)
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "this is not done here")
        return Answer(file.head, file.body)


class Desk(_Socket):
    """The journalists' socket: drops in and out, the board both ways."""

    async def answer(self, request: web.BaseRequest, target: str) -> Answer:
        match request.method, target.partition("?")[0]:
            case "GET", "/drops":
                return self._list(target)
            case "GET", "/status":
                return self._status()
            case "POST", "/board":
                self._house.board.check(_length(request))
                await self._house.board.post(await self._body(request))
                return Answer(_DONE)
            case "GET", path if path.startswith("/drops/"):
                return self._drop(request, parse.drop_target(target))
            case "DELETE", path if path.startswith("/drops/"):
                await self._house.store.delete(parse.drop_target(target))
                return Answer(_DONE)
        return await super().answer(request, target)

    def _list(self, target: str) -> Answer:
        listing = self._house.store.listing(parse.list_target(target))
        drops = [{"id": drop.id, "size": drop.size, "day": str(drop.day)} for drop in listing.drops]
        return json_answer(200, {"drops": drops, "cursor": str(listing.cursor), "more": listing.more})

    def _drop(self, request: web.BaseRequest, id_: str) -> Answer:
        drop = self._house.store.drop(id_)
        part = parse.byte_range(request.headers.get("Range"), drop.size)
        start, stop = part or (0, drop.size)
        headers = _DROP | ({"Content-Range": f"bytes {start}-{stop - 1}/{drop.size}"} if part else {})
        top = head(206 if part else 200, stop - start, _BYTES, headers)
        return DropAnswer(top, self._house.store.slice(drop, start, stop))

    def _status(self) -> Answer:
        edition = {"edition": self._house.edition.number, "expires": self._house.edition.expires}
        board = {"board_posted": self._house.board.posted, "board_day": str(self._house.board.day)}
        return json_answer(200, edition | self._house.store.status() | board)


def _length(request: web.BaseRequest) -> int:
    """The body's size; refuses (411) one that does not say."""
    size = request.content_length
    if size is None:
        raise Refused(411, "say how long the body is")
    return size
