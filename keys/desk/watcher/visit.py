"""A visit to the page as a source makes it: in which order what is asked for, and with which pauses."""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from html.parser import HTMLParser

from keys.desk.watcher.browser import Browser, Exchange, Request
from keys.edition import Manifest
from keys.errors import KnotholeError
from keys.line import LINE

_CHANCE = random.SystemRandom()
_MOST_NEEDS = 10  # of one page, whatever it says
_LONGEST_WORD = 64 << 10  # bytes of an answer that is neither a file nor the board
# site/scripts/http.js: how a page tries again, in seconds.
_PAUSE, _LONGEST_PAUSE = 1.0, 30.0
_BOARD_TRIES, _DROP_TRIES = 4, 5
_PART, _IN_FLIGHT = 1 << 20, 3
_SEALING = (0.01, 0.1)  # seconds that a browser takes to seal a part


@dataclass(frozen=True)
class Span:
    """A pause of a person's: its median, and its bounds, in seconds."""

    median: float
    least: float
    most: float

    def draw(self) -> float:
        drawn = self.median * _CHANCE.lognormvariate(0, 0.6)
        return min(max(drawn, self.least), self.most)


@dataclass(frozen=True)
class Pace:
    """How long it takes until a visitor comes, how long they read a page, write a message and its twelve
    words, and stay afterwards."""

    coming: Span
    reading: Span
    writing: Span
    staying: Span


PATIENT = Pace(Span(0, 0, 0), Span(25, 5, 150), Span(240, 75, 900), Span(15, 3, 60))
# Inside a sync: somebody who has the message ready.
BRIEF = Pace(Span(5, 0, 15), Span(5, 2, 12), Span(40, 25, 70), Span(2, 1, 5))


@dataclass
class Visit:
    """What a visit saw, and what of it broke off. `trouble` says why it ended early, if it did."""

    exchanges: list[Exchange] = field(default_factory=list)
    broken: list[Exchange] = field(default_factory=list)
    trouble: str = ""

    @property
    def accepted(self) -> Exchange | None:
        """Gives the exchange in which the drop was sent and acknowledged."""
        sent = (one for one in self.exchanges if one.request.path.startswith("/drops/"))
        return next((one for one in sent if one.answer.status == 201), None)


@dataclass(frozen=True)
class Plan:
    """The pages of a visit, and the drop that is sent from the last of them, if one is."""

    pages: tuple[str, ...]
    longest: int  # bytes of an answer that are looked at
    drop: bytes = field(default=b"", repr=False)
    id: str = ""


def plan(manifest: Manifest, drop: bytes = b"", id_: str = "") -> Plan:
    """Gives the way of one visitor through an edition: in at the front door, and on to the page for sending,
    or, without a drop, perhaps to the one for answers; now and then in another language."""
    there = {file.path: file for file in manifest.files}
    sending = sorted(path for path in there if path.endswith("/send.html"))
    pages = ["/"]
    if sending:
        last = _CHANCE.choice(sending)
        home = last.replace("send.html", "index.html")
        if home in there and there[home].sha256 != manifest.file("/index.html").sha256:
            pages.append(home)
        reading = last.replace("send.html", "answers.html")
        pages.append(reading if reading in there and not drop and _CHANCE.random() < 0.5 else last)
    longest = max(manifest.terms.board_lines * LINE, *(file.size for file in manifest.files)) + 1
    return Plan(tuple(pages), longest, drop, id_)


def visit(browser: Browser, plan: Plan, pace: Pace, report: Callable[[str], None]) -> Visit:
    """Makes the visit and gives what it saw; whatever goes wrong ends it, and is said in it."""
    seen = Visit(broken=browser.broken)
    try:
        browser.pause(pace.coming.draw())
        for number, page in enumerate(plan.pages):
            if number:
                browser.pause(pace.reading.draw())
            report(f"the watcher is at {page}")
            if not _open(browser, page, number == 0, plan.longest, seen):
                return seen
        if plan.drop:
            report("the watcher writes a canary")
            browser.pause(pace.writing.draw())
            _send(browser, plan, seen)
        browser.pause(pace.staying.draw())
    except KnotholeError as error:
        seen.trouble = error.detail or str(error)
    return seen


def _open(browser: Browser, page: str, first: bool, longest: int, seen: Visit) -> bool:
    """Opens a page with all that it needs; tells whether all of it was there."""
    site = "none" if first else "same-origin"
    got = browser.ask(Request("GET", page, "document", site=site), longest)
    seen.exchanges.append(got)
    if got.answer.status != 200:
        seen.trouble = f"{page} was answered {got.answer.status}"
        return False
    needs = [Request("GET", path, dest) for path, dest in _needs(got.answer.body)]
    browser.ask_all(needs, longest, seen.exchanges.append)
    lacks = [one for one in seen.exchanges if one.request in needs and one.answer.status != 200]
    # In a browser it is the script that asks for the board.
    if _has_script(needs) and not _has_script(one.request for one in lacks):
        _persist(browser, Request("GET", "/board", "empty"), longest, _BOARD_TRIES, seen)
    if lacks:
        seen.trouble = _trouble(page, lacks)
    return not lacks


def _has_script(requests: Iterable[Request]) -> bool:
    return any(one.dest == "script" for one in requests)


def _trouble(page: str, lacks: Sequence[Exchange]) -> str:
    names = " and ".join(f"{one.request.path} (answered {one.answer.status})" for one in lacks)
    lost = _has_script(one.request for one in lacks)
    return f"{page} came without {names}" + (
        ", and a source could use it only without JavaScript" if lost else ""
    )


def _send(browser: Browser, plan: Plan, seen: Visit) -> None:
    """Sends the drop as site/scripts/upload.js does: whole, or in parts, some at a time, and then commits."""
    path, drop = f"/drops/{plan.id}", plan.drop

    def send(method: str, at: str, body: bytes) -> bool:
        request = Request(method, path + at, "empty", body)
        return _persist(browser, request, _LONGEST_WORD, _DROP_TRIES, seen)

    parts = [drop[at : at + _PART] for at in range(0, len(drop), _PART)]
    if len(parts) == 1:
        send("PUT", "/0?commit", drop)
        return
    with ThreadPoolExecutor(_IN_FLIGHT) as threads:
        sent = []
        for n, part in enumerate(parts):
            sent.append(threads.submit(send, "PUT", f"/{n}", part))
            browser.pause(_CHANCE.uniform(*_SEALING))
    if all(one.result() for one in sent):
        send("POST", "", json.dumps({"parts": len(parts), "size": len(drop)}, separators=(",", ":")).encode())


def _persist(browser: Browser, request: Request, longest: int, tries: int, seen: Visit) -> bool:
    """Asks as a page's script does, again after a pause when the relay cannot answer now; tells whether it
    said yes in the end."""
    pause = _PAUSE
    for left in reversed(range(tries)):
        try:
            got = browser.ask(request, longest)
        except KnotholeError:
            if not left:
                raise
        else:
            seen.exchanges.append(got)
            if got.answer.status in (200, 201, 204):
                return True
            if not left or not _passing(got):
                seen.trouble = f"{request.method} {request.path} was answered {got.answer.status}"
                return False
        browser.pause(pause * _CHANCE.uniform(0.5, 1))
        pause = min(pause * 2, _LONGEST_PAUSE)
    return False


def _passing(exchange: Exchange) -> bool:
    """Whether the page's script takes an answer for one that passes."""
    status = exchange.answer.status
    return status == 408 or (status >= 500 and status != 507)


def _needs(page: bytes) -> list[tuple[str, str]]:
    """Gives what a page has its browser fetch at once, and as what."""
    needs = _Needs()
    with suppress(AssertionError):  # how the parser says of some markup that it is none
        needs.feed(page.decode(errors="replace"))
    return needs.found[:_MOST_NEEDS]


class _Needs(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") == "stylesheet":
            self._add(given.get("href"), "style")
        elif tag == "script":
            self._add(given.get("src"), "script")

    def _add(self, path: str | None, dest: str) -> None:
        # Another host is never asked: whoever altered the page would learn who reads it.
        if path and re.fullmatch(r"/[!-.0-~][!-~]{0,200}", path):
            self.found.append((path, dest))
