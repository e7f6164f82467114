"""What an onion says to which sources came before: where they go now, on a page signed with the rest."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from relay.answers import Answer
from relay.edition import MANIFEST, File
from relay.errors import CannotServe, Refused
from relay.handlers import House, Source

NOTICE = "moved.html"


class Former(Source):
    """The socket of a former onion: nothing is taken there, and no circuit gets more than its share."""

    def __init__(self, house: House, close: Callable[[int], None] | None = None) -> None:
        """Refuses (CannotServe) an edition that does not say where sources go now."""
        super().__init__(house, close)
        self._files = house.edition.files
        if f"/{NOTICE}" not in self._files:
            raise CannotServe(f"the edition has no /{NOTICE} for the former onion: build it with `onion`")

    async def _answer(self, request: web.BaseRequest, target: str) -> Answer:
        if request.method not in ("GET", "HEAD"):
            raise Refused(405, "nothing is taken here any more")
        file = self._file(target.partition("?")[0])
        return Answer(file.head, file.body)

    def _file(self, path: str) -> File:
        """What the notice needs, or the notice itself: in the language of the page that was asked for."""
        step = path.split("/")[1] if path.startswith("/") else ""
        if (step == "styles" or step.startswith(MANIFEST)) and path in self._files:
            return self._files[path]
        return self._files.get(f"/{step}/{NOTICE}") or self._files[f"/{NOTICE}"]
