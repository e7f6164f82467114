"""A form as it arrives: its texts first, then its files, each read piece by piece."""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping

from aiohttp import web

from relay.errors import Refused
from relay.patience import Patience
from relay.sealer.multipart import Begin, Data, Event, Parser

LONGEST_TEXT = 1 << 20  # bytes of all texts together: more than a drop may hold, so that a page can say so

MOST_TEXTS = 3000  # a newsroom names 1,000 recipients at most, and asks as many questions

Texts = Mapping[str, "list[str]"]


class Form:
    """Reads the body of a request; refuses (400) what no browser sends, and ends (ConnectionResetError) where
    the body does before its form."""

    def __init__(self, request: web.BaseRequest, patience: Patience) -> None:
        self._body = request.content
        self._patience = patience
        self._parser = Parser(request.headers.get("Content-Type", ""))
        self._events: deque[Event] = deque()
        self._file: str | None = None  # the name of the file that comes next

    async def texts(self) -> Texts:
        """The texts that come before the first file, by name; refuses (413) too much of them, and (400) too
        many."""
        found: dict[str, list[str]] = {}
        size = count = 0
        while isinstance(event := await self._next(), Begin) and event.filename is None:
            count += 1
            if count > MOST_TEXTS:
                raise Refused(400, "too many texts")
            text = bytearray()
            while isinstance(piece := await self._next(), Data):
                size += len(piece.data)
                if size > LONGEST_TEXT:
                    raise Refused(413, "too much text")
                text += piece.data
            found.setdefault(event.name, []).append(_text(text))
        self._file = event.filename if isinstance(event, Begin) else None
        return found

    async def file(self) -> str | None:
        """The name of the next file, which `piece` reads to its end; None when there are no more."""
        while self._file is not None:
            name, self._file = self._file, None
            # A picker with nothing chosen sends one file without a name and without a byte.
            if name or isinstance(await self._peek(), Data):
                return name
            await self.piece()
        return None

    async def piece(self) -> memoryview:
        """The next bytes of the file, none at its end."""
        event = await self._next()
        if isinstance(event, Data):
            return event.data
        following = await self._next()
        if isinstance(following, Begin):
            if following.filename is None:
                raise Refused(400, "a text after a file")
            self._file = following.filename
        return memoryview(b"")

    async def _peek(self) -> Event | None:
        event = await self._next()
        if event is not None:
            self._events.appendleft(event)
        return event

    async def _next(self) -> Event | None:
        """The next event; None after the last boundary."""
        while not self._events:
            if self._parser.done:
                return None
            data = await self._body.readany()
            self._patience.progress()
            if not data:
                raise ConnectionResetError("the body ended early")
            self._events.extend(self._parser.feed(data))
        return self._events.popleft()


def _text(data: bytearray) -> str:
    # A browser ends the lines of a text field with both.
    return data.decode(errors="replace").replace("\r\n", "\n")
