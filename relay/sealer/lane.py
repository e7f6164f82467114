"""A source's journey by forms alone. Nothing is kept between two requests: what is needed is in the form."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import cast

from aiohttp import web

from keys import codename, line
from keys.errors import BadCodename
from relay.answers import Answer, head
from relay.circuits import Shares
from relay.connection import Connection
from relay.errors import Refused, Unsure
from relay.patience import Patience
from relay.sealer import values
from relay.sealer.draft import Draft, Mistake, choices, entropy_of, first_difference, only, typed_wrong
from relay.sealer.form import Form, Texts
from relay.sealer.house import House
from relay.sealer.pages import Values
from relay.sealer.places import Places
from relay.sealer.receive import pass_on, seal
from relay.sealer.settings import Settings
from relay.sealer.upstream import Upstream

HTML = "text/html; charset=utf-8"
HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src data:; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_SMALL = 16 << 10  # bytes of a form without a message
_BOARD = 60  # seconds for the board: a page can do without, and Firefox may have waited for long already
# What a source is told, by the status of a refusal.
_SAID = {404: "lost", 408: "slow", 409: "lost", 413: "too_large", 503: "busy", 507: "full"}


@dataclass(frozen=True)
class Visit:
    """One request, and in which language it is answered."""

    request: web.BaseRequest
    language: str
    upstream: Upstream

    @property
    def size(self) -> int:
        """Bytes of its form; refuses (411) one that does not say."""
        size = self.request.content_length
        if size is None:
            raise Refused(411, "say the body's Content-Length")
        return size


class Lane:
    """Answers every request of the sealer's socket."""

    def __init__(self, house: House, settings: Settings) -> None:
        self._house = house
        self._settings = settings
        self._places = Places(settings.uploads)
        self._shares = Shares()

    async def __call__(self, request: web.BaseRequest) -> web.StreamResponse:
        circuit = cast(Connection, request.protocol).circuit
        language, _, step = request.raw_path.partition("?")[0].lstrip("/").partition("/")
        if language not in self._house.newsroom.languages:
            language = self._house.newsroom.languages[0]
        visit = Visit(request, language, Upstream(self._settings.relay, circuit))
        try:
            answer = await self._answer(visit, step)
        except TimeoutError:
            answer = self._problem(visit, 408)
            answer.force_close()
            return answer
        try:
            await self._drain(visit)
        except TimeoutError:
            answer.force_close()  # what it says of a drop is true all the same
        return answer

    async def _drain(self, visit: Visit) -> None:
        """Lets the rest of a form come and go: Firefox looks at no answer before all of its form is sent, and
        what the source wrote is in that answer."""
        body = visit.request.content
        if not body.is_eof():
            size = visit.request.content_length or 0
            async with Patience(self._settings.idle_seconds, size) as patience:
                while await body.readany():
                    patience.progress()

    async def _answer(self, visit: Visit, step: str) -> Answer:
        circuit = visit.upstream.circuit
        try:
            if circuit is not None:
                tor = cast(Connection, visit.request.protocol).tor
                await asyncio.sleep(self._shares.of(circuit, tor).take(visit.request.content_length or 0))
            if visit.request.method in ("GET", "HEAD"):
                return self._get(visit)
            if visit.request.method != "POST":
                raise Refused(405, "this is not done here")
            if step == ("send" if self._house.seals else "sealed"):
                with self._places.take(circuit):
                    return await (self._send(visit) if self._house.seals else self._sealed(visit))
            return await self._step(visit, step)
        except Refused as refused:
            return self._problem(visit, refused.status)

    async def _step(self, visit: Visit, step: str) -> Answer:
        if not self._house.seals or visit.size > _SMALL:
            raise Refused(400, "this is not a form of these pages")
        async with Patience(self._settings.idle_seconds, visit.size) as patience:
            texts = await Form(visit.request, patience).texts()
        match step:
            case "words":
                entropy = entropy_of(only(texts, "codename")) if "codename" in texts else codename.new()
                return self._page(visit, "words", values.words(entropy, visit.language))
            case "confirm":
                return self._confirm(visit, entropy_of(only(texts, "codename")))
            case "write":
                return self._write(visit, texts)
            case "answers":
                return await self._answers(visit, texts)
        raise Refused(400, "this is not a form of these pages")

    def _get(self, visit: Visit) -> Answer:
        path = visit.request.raw_path.partition("?")[0]
        if file := self._house.file(path):
            return Answer(file.head, file.body)
        if not self._house.seals:
            return self._page(visit, "sealed")
        # Whoever comes to a step by its address, as by loading it again, begins anew.
        return self._page(visit, "answers" if path.endswith("/answers.html") else "start")

    def _confirm(
        self, visit: Visit, entropy: bytes, typed: str = "", mistake: Mistake | None = None
    ) -> Answer:
        filled = values.typed(self._house, visit.language, typed, mistake, entropy)
        return self._page(visit, "confirm", filled, 400 if mistake else 200)

    def _write(self, visit: Visit, texts: Texts) -> Answer:
        entropy, typed = entropy_of(only(texts, "codename")), only(texts, "typed")
        shown = codename.words(entropy, visit.language)
        if mistake := first_difference(shown, typed, visit.language):
            return self._confirm(visit, entropy, typed, mistake)
        newsroom = self._house.newsroom
        # As on the page: all of them, unless there is a number to keep to.
        everybody = () if newsroom.choose else tuple(choices(newsroom))
        return self._form(visit, Draft(entropy, to=everybody))

    def _form(self, visit: Visit, draft: Draft, wrong: Iterable[Mistake] = (), problem: str = "") -> Answer:
        filled = values.draft(self._house, visit.language, draft, wrong, problem)
        return self._page(visit, "write", filled, 400 if problem else 200)

    async def _send(self, visit: Visit) -> Answer:
        house, language = self._house, visit.language
        async with Patience(self._settings.idle_seconds, visit.size) as patience:
            form = Form(visit.request, patience)
            draft = Draft.of(await form.texts(), house.newsroom)
            wrong = list(draft.mistakes(house.newsroom, language))
            problem = "again" if wrong else ""
            if not wrong:
                try:
                    if not await seal(form, draft, house, visit, patience):
                        wrong, problem = [Mistake("message", "empty")], "again"
                except Refused as refused:
                    problem = _SAID.get(refused.status, "failed")
                except Unsure:
                    problem = "unsure"
        if not problem:
            return self._page(visit, "done")
        if draft.follows:
            return await self._thread(visit, draft, wrong, problem)
        return self._form(visit, draft, wrong, problem)

    async def _answers(self, visit: Visit, texts: Texts) -> Answer:
        typed = only(texts, "typed")
        if "codename" in texts:
            entropy = entropy_of(only(texts, "codename"))
        else:
            try:
                entropy = codename.parse(typed, visit.language)
            except BadCodename as error:
                filled = values.typed(self._house, visit.language, typed, typed_wrong(error))
                return self._page(visit, "answers", filled, 400)
        return await self._thread(visit, Draft(entropy, follows=True))

    async def _thread(
        self, visit: Visit, draft: Draft, wrong: Iterable[Mistake] = (), problem: str = ""
    ) -> Answer:
        newsroom = self._house.newsroom
        key = codename.thread_key(draft.entropy, newsroom.id)
        signers = {bytes.fromhex(one.signer): one.name for one in newsroom.recipients}
        board, known = b"", True
        try:
            async with asyncio.timeout(_BOARD):
                board = await visit.upstream.ask("GET", "/board")
        except (Refused, Unsure, TimeoutError):
            known, problem = False, problem or "board_failed"
        found = line.find(board, key, list(signers), newsroom.id)
        if not problem:
            draft = draft.answering(newsroom, line.whole(found), signers)
        filled = values.draft(self._house, visit.language, draft, wrong, problem)
        filled = {**filled, **values.conversation(self._house, visit.language, found, known=known)}
        return self._page(visit, "thread", filled, 400 if problem else 200)

    async def _sealed(self, visit: Visit) -> Answer:
        wrong, problem = None, ""
        async with Patience(self._settings.idle_seconds, visit.size) as patience:
            form = Form(visit.request, patience)
            await form.texts()
            try:
                wrong = await pass_on(form, self._house, visit, patience)
            except Refused as refused:
                problem = _SAID.get(refused.status, "failed")
            except Unsure:
                problem = "unsure"
        if not wrong and not problem:
            return self._page(visit, "sealed-done")
        filled = values.marked(self._house, visit.language, [wrong] if wrong else [])
        filled["problem"] = [{"says": self._house.say(visit.language, problem)}] if problem else []
        return self._page(visit, "sealed", filled, 400)

    def _problem(self, visit: Visit, status: int) -> Answer:
        says = self._house.say(visit.language, _SAID.get(status, "stale"))
        return self._page(visit, "problem", {"says": says}, status)

    def _page(self, visit: Visit, name: str, filled: Values | None = None, status: int = 200) -> Answer:
        body = self._house.pages[visit.language][name].fill(filled or {})
        return Answer(head(status, len(body), HTML, HEADERS), body)
