"""Requests that a web page makes. On the desk socket those of desk.html are answered, which journalists open
from a disk; those of pages that came from anywhere else are not (PROTOCOL.md)."""

from __future__ import annotations

from typing import cast

from aiohttp import web

from relay.answers import Answer, head, json_answer
from relay.connection import Handler

_FILE = "null"  # what browsers call the origin of a page that comes from a disk
_METHODS = "GET, POST, PUT"
_ALLOWED = b"Access-Control-Allow-Origin: null\r\n"
_PREFLIGHT = {
    "Access-Control-Allow-Methods": _METHODS,
    "Access-Control-Allow-Headers": "Content-Type, Range",
    "Access-Control-Max-Age": "600",  # seconds: it costs a way there and back
}


class FilesOnly:
    """A handler that pages opened from a disk may read the answers of, and no other page may use."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        origins = request.headers.getall("Origin", [])
        if not origins:  # no page: a desk, or somebody who typed the address
            return await self._handler(request)
        if origins != [_FILE] or request.method not in (*_METHODS.split(", "), "OPTIONS"):
            return json_answer(403, {"error": "web pages may not do this"})
        if request.method == "OPTIONS":
            answer = Answer(head(204, 0, "", _PREFLIGHT))
        else:
            answer = cast(Answer, await self._handler(request))
        answer.add(_ALLOWED)
        return answer
