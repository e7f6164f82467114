"""The watcher: a visit to the page as a source makes it, beside a sync or alone (FORMAT.md section 7)."""

from __future__ import annotations

import io
import random
import secrets
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

from keys import codename
from keys import drop as drops
from keys.desk.boards import Boards
from keys.desk.desk import Desk, open_again
from keys.desk.home import Pinned
from keys.desk.state import Canary
from keys.desk.watcher import evidence, verdict
from keys.desk.watcher.browser import Browser
from keys.desk.watcher.evidence import Finding
from keys.desk.watcher.visit import Pace, Plan, Visit, plan, visit
from keys.drop import Attachment
from keys.errors import KnotholeError, NotWatched
from keys.letter import Letter

_CHANCE = random.SystemRandom()
_DUE = 0.5  # how likely a sync sends a canary
_DAYS = 2  # in which there is no second one
_LARGE = 0.25  # how likely it holds a file, of so many bytes:
_SIZES = (64 << 10, 4 << 20)


@dataclass(frozen=True)
class Report:
    """What a look brought: findings with the folders of their evidence, how many answers were compared, why
    there was no look or half of one, where the canary is, the days of canaries that nobody answered, and the
    number of a newer edition if one is there."""

    findings: tuple[tuple[Finding, Path], ...]
    compared: int
    trouble: str
    canary: str  # sent, underway, answered or nothing
    unanswered: tuple[date, ...]
    newer: int


@dataclass
class Look:
    """A visit that is under way beside what the desk does meanwhile; `boards` takes what the desk sees."""

    boards: Boards
    url: str = ""
    trouble: str = ""
    canary: str = ""  # the id of the drop it sends
    thread: bytes = field(default=b"", repr=False)
    _at: str = ""
    _browser: Browser | None = None
    _visit: Future[Visit] | None = None

    def start(self, browser: Browser, plan: Plan, pace: Pace) -> None:
        self._browser = browser
        self.canary = plan.id
        pool = ThreadPoolExecutor(1)
        self._visit = pool.submit(visit, browser, plan, pace, self._say)
        pool.shutdown(wait=False)

    def _say(self, text: str) -> None:
        self._at = text

    def wait(self, report: Callable[[str], None]) -> Visit:
        """Gives what the visit saw once it has ended; an interruption breaks it off."""
        if self._browser is None or self._visit is None:
            return Visit(trouble=self.trouble)
        try:
            while True:
                report(self._at)
                try:
                    return self._visit.result(0.3)
                except TimeoutError:
                    continue
        finally:
            self.break_off()

    def break_off(self) -> None:
        if self._browser:
            self._browser.break_off()


def begin(desk: Desk, pace: Pace, *, always: bool = False) -> Look:
    """Starts a visit, with a canary in it when none is on its way: `always`, or by chance. A desk that cannot
    look gets a look that says why."""
    look = Look(Boards(desk.state.board, desk.newsroom.board.post, len(desk.recipients)))
    try:
        look.url, pinned = ready(desk)
        browser = Browser(look.url, desk.home.settings.socks)
    except KnotholeError as error:
        look.trouble = error.detail or str(error)
        return look
    canary = b""
    oldest = verdict.today() - timedelta(days=_DAYS)
    alone = all(canary.day < oldest for canary in desk.state.canaries.values())
    if alone and (always or _CHANCE.random() < _DUE):
        look.thread = codename.thread_key(codename.new(), desk.newsroom.id)
        canary = _canary(desk, look.thread)
    look.start(browser, plan(pinned.manifest, canary, secrets.token_hex(16)), pace)
    return look


def ready(desk: Desk) -> tuple[str, Pinned]:
    """Gives where the page is and what it has to be; raises NotWatched where a desk knows neither."""
    url = desk.home.settings.page or (f"http://{desk.newsroom.onion}" if desk.newsroom.onion else "")
    if not url:
        raise NotWatched("the newsroom names no onion; `desk join --page` says where else the page is")
    if (pinned := desk.home.pinned) is None:
        raise NotWatched("this desk has not kept the edition it joined; `desk join` once more")
    return url, pinned


def conclude(desk: Desk, look: Look, seen: Visit) -> Report:
    """Gives what a look brought, with the evidence kept and all remembered. The home is not to be locked."""
    with open_again(desk) as desk:
        state = desk.state
        pages, newer = verdict.of_pages(desk, look.url, [*seen.exchanges, *seen.broken])
        boards = [one for one in seen.exchanges if one.request.path == "/board" and one.answer.status == 200]
        for one in boards:
            look.boards.saw("source", one.answer.body, one.asked, one.got)
        findings = [*pages, *verdict.of_boards(look.boards), *verdict.of_canaries(desk)]
        answered = verdict.answered(desk, [one.answer.body for one in boards])
        for id_ in answered:
            del state.canaries[id_]
        unanswered = tuple(verdict.unanswered(desk)) if boards else ()
        if taken := seen.accepted:
            receipt = taken.answer.head.decode("latin-1")
            state.canaries[look.canary] = Canary(look.canary, look.thread, verdict.today(), receipt)
        state.board = look.boards.known
        kept = tuple((finding, evidence.keep(desk.home.evidence, finding)) for finding in findings)
        desk.save()
    canary = "sent" if taken else "answered" if answered else "underway" if state.canaries else ""
    return Report(kept, len(seen.exchanges), seen.trouble, canary, unanswered, newer)


def until_next(hours: float) -> float:
    """Gives how many seconds to wait for the next look, in the mean so many hours: when the last one was
    tells nothing of it."""
    return min(_CHANCE.expovariate(1 / hours), 4 * hours) * 3600


def _canary(desk: Desk, thread: bytes) -> bytes:
    """Gives a sealed canary for everybody."""
    out = io.BytesIO()
    letter = Letter(
        newsroom=desk.newsroom.id,
        thread=thread,
        language=desk.newsroom.languages[0],
        to=tuple(desk.recipients),
        author=desk.name,
        canary=True,
    )
    files = []
    if _CHANCE.random() < _LARGE:
        least, most = _SIZES[0], min(_SIZES[1], desk.newsroom.limits.drop // 2)
        size = int(least * (most / least) ** _CHANCE.random())
        files.append(Attachment("canary", size, io.BytesIO(secrets.token_bytes(size))))
    drops.seal(out, letter, "canary", files, desk.recipients, desk.journalist.signing_key)
    return out.getvalue()
