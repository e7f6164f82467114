"""Evil boxes are found out by a watcher, with evidence; honest ones never (FORMAT.md section 7)."""

from __future__ import annotations

import io
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from support.front import Bend, Forward, Front, changed, honest
from support.newsdesk import PASSPHRASE, Newsdesk, Result, Source, put, recipients, run
from support.relay_process import RelayProcess, ask
from support.wires import Message

from keys.desk.watcher import links, verdict, visit, watch
from keys.desk.watcher.visit import Pace, Span
from keys.drop import seal
from keys.letter import Letter
from keys.line import LINE

AT_ONCE = Span(0, 0, 0)


def page(title: str, script: str = "") -> bytes:
    more = f'<script type="module" src="/scripts/{script}"></script>' if script else ""
    return (
        f'<!doctype html><title>{title}</title><link rel="stylesheet" href="/styles/page.css">{more}'.encode()
    )


BUSY = Message(  # what a relay says that has no place for another connection
    "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 50\r\nContent-Type: application/json\r\n"
    "Connection: close\r\n\r\n",
    b'{"error": "too many connections; try again later"}',
)
PAGES = {
    "/index.html": page("home"),
    "/en/index.html": page("home"),
    "/en/send.html": page("send", "send.js"),
    "/en/answers.html": page("answers", "answers.js"),
    "/styles/page.css": b"body { color: black }",
    "/scripts/send.js": b"fetch('/board')",
    "/scripts/answers.js": b"fetch('/board') // and reads it",
}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """No visitor of these tests pauses, and every visit that may send a canary does."""
    for name in ("BRIEF", "PATIENT"):
        monkeypatch.setattr(visit, name, Pace(AT_ONCE, AT_ONCE, AT_ONCE, AT_ONCE))
    monkeypatch.setattr(visit, "_PAUSE", 0)
    monkeypatch.setattr(visit, "_SEALING", (0, 0))
    monkeypatch.setattr(watch, "_DUE", 1)
    monkeypatch.setattr(watch, "_LARGE", 0)


class Box:
    """A newsroom's relay behind a front that may be bent; ada and, if she is there, bea watch it."""

    def __init__(self, folder: Path, *names: str) -> None:
        self.house = Newsdesk(folder, names or ("ada", "bea"), pages=PAGES)
        self.house.start()
        self.front = Front(self.house.relay.source)
        self.join()

    def join(self) -> None:
        for name in self.house.journalists:
            assert self.house.join(name, page=self.front.url).status == 0

    def restart(self, edition: Path | None = None) -> None:
        """Ends the relay in the middle of its work and starts it again, perhaps with another edition."""
        self.house.relay.kill()
        if edition:
            self.house.relay = RelayProcess(edition, self.house.folder / "data")
        else:
            self.house.relay.start()
        self.front.target = self.house.relay.source
        self.join()

    def second_edition(self) -> Path:
        """An edition whose pages say another number, as real ones do."""
        self.house.pages = {path: data + b"<!-- 2 -->" for path, data in PAGES.items()}
        return self.house.publish(edition=2)

    def fetch(self, name: str = "ada") -> Result:
        return self.house.desk(name, "fetch", "--json")

    def watch(self, name: str = "ada") -> Result:
        return self.house.desk(name, "watch", "--json")

    def evidence(self, name: str = "ada") -> list[Path]:
        folder = self.house.home(name) / "evidence"
        return sorted(folder.iterdir()) if folder.exists() else []


@pytest.fixture
def box(tmp_path: Path) -> Iterator[Box]:
    made = Box(tmp_path / "house")
    try:
        with made.front:
            yield made
    finally:
        made.house.stop()


def path_of(request: Message) -> str:
    return request.head.split(" ")[1]


def on(path: str, change: Callable[[Message], Message]) -> Bend:
    """Changes the answers to what is asked for at this path."""
    return lambda request, forward: change(forward()) if path_of(request) == path else forward()


# --- honest -------------------------------------------------------------------------------------------------


def test_an_honest_box_is_never_reported_and_canaries_come_back(box: Box) -> None:
    source = Source(box.house)
    drop = source.send("hello")
    came: list[str] = []
    for turn in range(12):
        for name in ("ada", "bea"):
            done = box.fetch(name)
            assert (done.status, done.err) == (0, "")
            assert done.json["watch"]["compared"] >= 6
            came.append(done.json["watch"]["canary"])
        if turn == 3:
            assert box.house.desk("bea", "reply", drop, text="hi").status == 0
        if turn == 6:
            box.restart()
    assert came.count("sent") > 4
    assert came.count("answered") > 3
    assert box.evidence() == box.evidence("bea") == []
    assert [reply.text for reply in source.look()] == ["hi"]


def test_a_canary_is_nothing_a_journalist_sees(box: Box) -> None:
    drop = Source(box.house).send("hello")
    for _ in range(3):
        assert box.fetch().status == 0
    assert [one["id"] for one in box.house.desk("ada", "list", "--json").json] == [drop]
    told = box.house.desk("ada", "fetch").out
    assert told.startswith("0 new drops, 0 notes\n")
    assert len(list((box.house.home("ada") / "drops").iterdir())) == 1


def test_a_journalist_alone_answers_her_own_canary(tmp_path: Path) -> None:
    box = Box(tmp_path / "house", "ada")
    try:
        with box.front:
            came = [box.fetch().json["watch"]["canary"] for _ in range(4)]
            assert came[0] == "sent"
            assert "answered" in came
    finally:
        box.house.stop()


def test_a_canary_has_a_short_messages_size(box: Box) -> None:
    short = len(Source(box.house).sealed("hello"))
    assert box.watch().json["canary"] == "sent"
    (sent,) = (one for one in box.front.passed if one.request.head.startswith("PUT"))
    assert len(sent.request.body) == short
    assert [one["size"] for one in ask(box.house.relay.desk, "GET", "/drops").said["drops"]] == [short]


def test_a_large_canary_goes_in_parts_and_is_missed_too(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watch, "_LARGE", 1)
    monkeypatch.setattr(watch, "_SIZES", (2 << 20, 3 << 20))
    monkeypatch.setattr(watch, "_DUE", 0)
    assert box.watch().json["canary"] == "sent"
    assert "answered" in [box.fetch().json["watch"]["canary"] for _ in range(2)]
    methods = [one.request.head.split(" ")[0] for one in box.front.passed if "/drops/" in one.request.head]
    assert methods[: methods.index("POST")].count("PUT") in (3, 4)
    assert box.house.desk("ada", "list").out == "no drops\n"
    box.front.bend = lambda request, forward: (
        swallow(request, forward) if request.head.startswith("POST") else forward()
    )
    assert box.watch().json["canary"] == "sent"
    assert [box.fetch().status for _ in range(2)] == [0, 1]


def test_only_what_a_journalist_signed_is_a_canary(box: Box) -> None:
    source = Source(box.house)
    forged = source.letter(author="bea", canary=True, read=(), answers={})
    drop = put(box.house.relay, sealed_by("ada", box, forged))
    assert box.fetch().status == 0
    (listed,) = box.house.desk("ada", "list", "--json").json
    assert (listed["id"], listed["forged"]) == (drop, True)
    for _ in range(2):
        box.fetch()
    assert source.look() == [], "nobody answers it"


def sealed_by(name: str, box: Box, letter: Letter) -> bytes:
    out = io.BytesIO()
    key = box.house.journalists[name].signing_key
    seal(out, letter, "canary", [], recipients(box.house.newsroom), key)
    return out.getvalue()


def test_a_board_that_turned_over_is_not_reported(box: Box) -> None:
    assert box.fetch().status == 0
    for _ in range(box.house.newsroom.board.lines // box.house.newsroom.board.post + 1):
        assert box.fetch("bea").status == 0
    for look in (box.watch, box.fetch):
        done = look()
        assert (done.status, done.err) == (0, "")
    assert box.evidence() == []


def test_a_newer_edition_is_no_evil_box_but_going_back_is(box: Box) -> None:
    first = box.house.edition
    assert box.watch().status == 0
    box.restart(box.second_edition())
    for _ in range(2):
        done = box.fetch()
        assert (done.status, done.json["watch"]["newer"]) == (0, 2)
        assert done.err == (
            "desk: warning: the box serves edition 2, newer than this desk's: `desk join` takes it over\n"
        )
    box.house.edition = box.house.folder / "edition-2"
    box.restart(first)
    done = box.watch()
    assert done.status == 1
    assert "the page is edition 1, and this desk has seen edition 2" in done.err


def test_an_older_edition_is_reported(box: Box) -> None:
    box.house.edition = box.second_edition()
    box.join()
    done = box.watch()
    assert done.status == 1
    assert "the page is edition 1, and this desk has seen edition 2" in done.err
    (folder,) = box.evidence()
    assert json.loads((folder / "served-manifest.json").read_text())["edition"] == 1


# --- altered pages ------------------------------------------------------------------------------------------


def other_byte(answer: Message) -> Message:
    return changed(answer, body=answer.body[:-1] + bytes([answer.body[-1] ^ 1]))


def with_header(line: str) -> Callable[[Message], Message]:
    return lambda answer: changed(answer, head=answer.head.replace("\r\n", f"\r\n{line}\r\n", 1))


def without_policy(answer: Message) -> Message:
    return changed(answer, head=re.sub(r"Content-Security-Policy: .*?\r\n", "", answer.head))


def another_script(answer: Message) -> Message:
    return changed(answer, body=answer.body.replace(b"send.js", b"spy.js"))


ALTERED: dict[str, tuple[str, Callable[[Message], Message], str]] = {
    "a byte of the page": ("/en/send.html", other_byte, "/en/send.html is not what the newsroom signed"),
    "a byte of the front page": ("/", other_byte, "/ is not what the newsroom signed"),
    "a byte of the script": ("/scripts/send.js", other_byte, "/scripts/send.js is not what"),
    "a byte of the style": ("/styles/page.css", other_byte, "/styles/page.css is not what"),
    "a longer page": ("/", lambda answer: changed(answer, body=answer.body + b" "), "/ is not what"),
    "another script": ("/en/send.html", another_script, "/en/send.html is not what the newsroom signed"),
    "no policy": (
        "/en/send.html",
        without_policy,
        "other headers than the newsroom's: content-security-policy",
    ),
    "a cookie": (
        "/styles/page.css",
        with_header("Set-Cookie: who=you"),
        "other headers than the newsroom's: set-c",
    ),
    "a cookie with the board": (
        "/board",
        with_header("Set-Cookie: who=you"),
        "/board is answered with set-cookie",
    ),
    "a page that is gone": (
        "/en/send.html",
        lambda answer: changed(answer, head=answer.head.replace("200 OK", "404 Not Found")),
        "/en/send.html is answered 404",
    ),
    "a way elsewhere": (
        "/en/send.html",
        lambda answer: with_header("Location: http://other.onion/")(
            changed(answer, head=answer.head.replace("200 OK", "302 Found"))
        ),
        "/en/send.html is answered 302",
    ),
    "a length that is not said": (
        "/",
        lambda answer: changed(answer, head=answer.head.replace("Content-Length", "X-Length")),
        "/ is not what the newsroom signed",
    ),
}


def under(status: str) -> Callable[[Message], Message]:
    """The same answer under another status."""
    return lambda answer: changed(answer, head=answer.head.replace("200 OK", status))


def refused(answer: Message) -> Message:
    """A relay's own words, but for the page's headers."""
    return changed(under("503 Service Unavailable")(answer), body=BUSY.body)


ALTERED |= {
    "a page under an error": (
        "/en/send.html",
        lambda answer: under("503 Service Unavailable")(another_script(answer)),
        "/en/send.html is answered 503 with more than a relay's refusal",
    ),
    "a page that is gone and says where to": (
        "/",
        lambda answer: changed(under("404 Not Found")(answer), body=b"we moved to another.onion"),
        "/ is answered 404 with more than a relay's refusal",
    ),
    "a script under an error": (
        "/scripts/send.js",
        lambda answer: under("500 Internal Server Error")(other_byte(answer)),
        "/scripts/send.js is answered 500 with more than a relay's refusal",
    ),
    "a refusal with a page's headers": (
        "/en/send.html",
        refused,
        "/en/send.html is answered 503 with more than a relay's refusal",
    ),
    "a refusal that leads elsewhere": (
        "/scripts/send.js",
        lambda _: changed(BUSY, head=BUSY.head.replace("\r\n", "\r\nRefresh: 0; url=/other\r\n", 1)),
        "/scripts/send.js is answered 503 with more than a relay's refusal",
    ),
    "a board under an error": (
        "/board",
        under("503 Service Unavailable"),
        "/board is answered 503 with more than a relay's refusal",
    ),
}


@pytest.mark.parametrize(("path", "change", "says"), ALTERED.values(), ids=ALTERED)
def test_an_altered_page_is_reported(
    box: Box, path: str, change: Callable[[Message], Message], says: str
) -> None:
    box.front.bend = on(path, change)
    done = box.watch()
    assert done.status == 1
    assert done.err.startswith("desk: error: the box does what no honest box does: ")
    assert says in done.err
    (folder,) = box.evidence()
    assert f"desk: hint: see {folder}: it holds the evidence, and says what to do\n" in done.err
    (found,) = done.json["findings"]
    assert (found["kind"], found["evidence"]) == ("page", str(folder))
    assert says in (folder / "README.txt").read_text().replace("\n", " ") or says[0] == "/"


def stalled(answer: Message) -> Message:
    """All of an answer but its last byte, for which a visitor waits while the browser shows the rest."""
    return Message(answer.head, answer.body[:-1])


UNFINISHED: dict[str, tuple[str, Callable[[Message], Message], str]] = {
    "a page": (
        "/en/send.html",
        lambda answer: stalled(another_script(answer)),
        "/en/send.html is not what the newsroom signed",
    ),
    "a script": (
        "/scripts/send.js",
        lambda answer: stalled(changed(answer, body=answer.body.replace(b"board", b"spies"))),
        "/scripts/send.js is not what the newsroom signed",
    ),
    "a page under an error": (
        "/",
        lambda answer: stalled(under("503 Service Unavailable")(answer)),
        "/ is answered 503 with more than a relay's refusal",
    ),
    "a page with a cookie": (
        "/",
        lambda answer: stalled(with_header("Set-Cookie: who=you")(answer)),
        "/ is served with other headers than the newsroom's: set-cookie",
    ),
    "a page in an older HTTP": (
        "/",
        lambda answer: stalled(changed(answer, head=answer.head.replace("HTTP/1.1", "HTTP/1.0"))),
        "/ is answered with what no relay says",
    ),
    "a page without any HTTP": (
        "/",
        lambda answer: Message("", answer.body),
        "/ is answered with what no relay says",
    ),
}


@pytest.mark.parametrize(("path", "change", "says"), UNFINISHED.values(), ids=UNFINISHED)
def test_an_altered_answer_without_an_end_is_reported(
    box: Box, path: str, change: Callable[[Message], Message], says: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_PATIENCE", 0.5)
    box.front.bend = on(path, change)
    done = box.watch()
    assert done.status == 1
    assert says in done.err
    (folder,) = box.evidence()
    assert (folder / "1-answer-head.txt").read_bytes() + (folder / "1-answer-body").read_bytes()


@pytest.mark.parametrize("path", ["/", "/en/send.html", "/scripts/send.js", "/board"])
def test_an_honest_answer_without_an_end_is_no_finding(
    box: Box, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_PATIENCE", 0.5)
    for change in (stalled, lambda _: stalled(BUSY)):
        box.front.bend = on(path, change)
        done = box.watch()
        assert (done.status, done.json["findings"]) == (1, [])
        assert "it was silent for too long" in done.err


def test_a_desk_that_has_not_kept_the_pages_doubts_no_answer_for_its_beginning(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_PATIENCE", 0.5)
    shutil.rmtree(box.house.home("ada") / "pages")
    box.front.bend = on("/en/send.html", lambda answer: stalled(another_script(answer)))
    assert box.watch().json["findings"] == []
    assert box.house.join("ada", page=box.front.url).status == 0
    assert len(box.watch().json["findings"]) == 1


def test_the_evidence_is_what_somebody_else_can_check(box: Box) -> None:
    box.front.bend = on("/en/send.html", other_byte)
    assert box.watch().status == 1
    (folder,) = box.evidence()
    assert folder.stat().st_mode & 0o777 == folder.parent.stat().st_mode & 0o777 == 0o700
    assert {file.stat().st_mode & 0o777 for file in folder.iterdir()} == {0o600}
    command = ["minisign", "-Vm", "manifest.json", "-p", "masthead.pub"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    facts = json.loads((folder / "facts.json").read_text())
    assert re.fullmatch(r"20\d\d-\d\d-\d\d \d\dh UTC", facts["when"])
    (answer,) = facts["answers"]
    signed = {one["path"]: one for one in json.loads((folder / "manifest.json").read_text())["files"]}
    assert answer["expected"] == signed["/en/send.html"]["sha256"] != answer["sha256"]
    assert (folder / "1-answer-body").read_bytes() == other_byte(Message("", PAGES["/en/send.html"])).body
    assert (folder / "1-answer-head.txt").read_bytes().startswith(b"HTTP/1.1 200 OK\r\n")
    assert (folder / "1-request.txt").read_bytes().startswith(b"GET /en/send.html HTTP/1.1\r\n")
    assert "Stop using the page." in (folder / "README.txt").read_text()


def test_a_page_that_only_the_second_visitor_gets_altered_is_reported(box: Box) -> None:
    visitors: list[Message] = []

    def bend(request: Message, forward: Forward) -> Message:
        if path_of(request) == "/":
            visitors.append(request)
        return other_byte(forward()) if len(visitors) == 2 and path_of(request) == "/" else forward()

    box.front.bend = bend
    assert [box.fetch().status for _ in range(4)] == [0, 1, 0, 0]
    assert len(box.evidence()) == 1


def test_a_sync_does_its_duty_beside_an_evil_page(box: Box) -> None:
    box.front.bend = on("/", other_byte)
    source = Source(box.house)
    drop = source.send("hello")
    done = box.house.desk("ada", "fetch")
    assert done.status == 1
    assert done.out == "1 new drop, 0 notes\n"
    assert "/ is not what the newsroom signed" in done.err
    assert box.house.desk("ada", "reply", drop, text="hi").status == 1
    assert [reply.text for reply in source.look()] == ["hi"]


# --- drops and the board ------------------------------------------------------------------------------------


def swallow(request: Message, forward: Forward) -> Message:
    if not request.head.startswith(("PUT /drops/", "POST /drops/")):
        return forward()
    return Message(
        "HTTP/1.1 201 Created\r\nContent-Length: 2\r\nContent-Type: application/json\r\n\r\n", b"{}"
    )


def test_a_box_that_swallows_drops_is_reported(box: Box) -> None:
    box.front.bend = swallow
    assert box.watch().json["canary"] == "sent"
    assert box.fetch().status == 0, "once may be an accident"
    done = box.fetch()
    assert done.status == 1
    assert "is not there: it swallows what sources send" in done.err
    (folder,) = box.evidence()
    assert (folder / "answer-head.txt").read_bytes().startswith(b"HTTP/1.1 201 Created\r\n")
    facts = json.loads((folder / "facts.json").read_text())
    assert facts["drop"] in " ".join(box.front.heads())


def test_a_drop_that_comes_back_altered_is_reported(box: Box) -> None:
    def bend(request: Message, forward: Forward) -> Message:
        if not request.head.startswith("PUT /drops/"):
            return forward()
        altered = request.body[:-1] + bytes([request.body[-1] ^ 1])
        assert ask(box.house.relay.source, "PUT", path_of(request), altered).status == 201
        return swallow(request, forward)

    box.front.bend = bend
    assert box.watch().json["canary"] == "sent"
    done = box.fetch()
    assert done.status == 1
    assert "came back altered" in done.err
    assert (box.evidence()[0] / "drop.age").read_bytes().startswith(b"age-encryption.org/v1\n")


def freeze(box: Box) -> None:
    frozen = box.front.target
    board = ask(frozen, "GET", "/board").body
    box.front.bend = on("/board", lambda answer: changed(answer, body=board))


def test_a_frozen_board_is_reported(box: Box) -> None:
    assert box.fetch().status == 0
    freeze(box)
    statuses = [box.fetch().status for _ in range(3)]
    assert 1 in statuses
    (folder, *_) = box.evidence()
    assert "-board-" in folder.name
    assert (folder / "later-board").stat().st_size == box.house.newsroom.board.lines * LINE


def test_a_frozen_board_is_seen_without_a_sync(box: Box) -> None:
    assert box.fetch().status == 0
    freeze(box)
    for _ in range(2):
        box.house.desk("ada", "fetch")
    shutil.rmtree(box.house.home("ada") / "evidence", ignore_errors=True)
    done = box.watch()
    assert done.status == 1
    assert "it showed a board" in done.err


def test_two_boards_are_reported(box: Box) -> None:
    size = box.house.newsroom.board.lines * LINE
    box.front.bend = on("/board", lambda answer: changed(answer, body=os.urandom(size)))
    done = box.fetch()
    assert done.status == 1
    assert "it showed two different boards at the same time" in done.err


def test_a_board_whose_lines_only_begin_as_they_should_is_reported(box: Box) -> None:
    """A source finds their line by its beginning, and could not open it."""

    def spoilt(answer: Message) -> Message:
        lines = [answer.body[at : at + LINE - 1] for at in range(0, len(answer.body), LINE)]
        return changed(answer, body=b"".join(line + b"x" for line in lines))

    box.front.bend = on("/board", spoilt)
    done = box.fetch()
    assert done.status == 1
    assert "it showed two different boards at the same time" in done.err


def test_a_board_of_another_size_is_reported(box: Box) -> None:
    box.front.bend = on("/board", lambda answer: changed(answer, body=answer.body + bytes(LINE)))
    done = box.fetch()
    assert done.status == 1
    assert "the board has another size than the newsroom's" in done.err


def after_days(days: int, monkeypatch: pytest.MonkeyPatch) -> None:
    day = verdict.today() + timedelta(days=days)
    monkeypatch.setattr(verdict, "today", lambda: day)


UNANSWERED = (
    "desk: warning: no answer to the canary of {} was seen: no desk fetched in that week, or what desks post "
    "does not reach sources; ask whether one did\n"
)


def test_a_canary_that_nobody_answers_is_told_once(box: Box, monkeypatch: pytest.MonkeyPatch) -> None:
    """Ada's desk only looks, and is shown noise each time: nothing that it knows says otherwise."""
    noise = on("/board", lambda answer: changed(answer, body=os.urandom(len(answer.body))))
    sent = verdict.today()
    for _ in range(6):
        box.front.bend = noise
        done = box.watch()
        assert (done.status, done.err) == (0, "")
        box.front.bend = honest
        assert box.fetch("bea").status == 0
    box.front.bend = noise
    after_days(8, monkeypatch)
    done = box.watch()
    assert (done.status, done.err) == (0, UNANSWERED.format(sent))
    assert done.json["unanswered"] == [str(sent)]
    assert box.watch().err == ""
    assert box.evidence() == []


def test_a_canary_that_was_answered_or_seldom_looked_for_is_not_told(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    for _ in range(4):
        assert box.watch().json["canary"] in ("sent", "underway")
    after_days(8, monkeypatch)
    assert box.watch().err == ""
    for _ in range(4):
        assert (box.watch().status, box.fetch("bea").status) == (0, 0)
    assert "answered" in [box.watch().json["canary"] for _ in range(2)]
    after_days(8, monkeypatch)
    assert box.watch().err == ""


# --- boxes that cannot be looked at -------------------------------------------------------------------------


def busy(_: Message, __: Forward) -> Message:
    return BUSY


def silent(_: Message, __: Forward) -> None:
    return None


@pytest.mark.parametrize(
    ("bend", "why"), [(busy, "/ was answered 503"), (silent, "it was silent for too long")]
)
def test_a_box_that_does_not_answer_is_no_evil_box(
    box: Box, bend: Bend, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "_PATIENCE", 0.2)
    box.front.bend = bend
    done = box.fetch()
    assert done.status == 0
    assert done.err == f"desk: warning: the watcher could not look: {why}\n"
    assert done.json["watch"]["findings"] == []
    done = box.watch()
    assert (done.status, done.err) == (1, f"desk: error: the watcher could not look: {why}\n")
    assert box.evidence() == []


LACKING = {
    "script": (
        "/scripts/send.js",
        "/en/send.html came without /scripts/send.js (answered 503), and a source could use it only without "
        "JavaScript",
    ),
    "style": ("/styles/page.css", "/ came without /styles/page.css (answered 503)"),
}


@pytest.mark.parametrize(("path", "why"), LACKING.values(), ids=LACKING)
def test_a_page_that_never_comes_whole_is_told_each_time_and_is_no_finding(
    box: Box, path: str, why: str
) -> None:
    """A box under a flood refuses a visitor's second connection again and again, too."""
    box.front.bend = on(path, lambda _: BUSY)
    for _ in range(3):
        done = box.fetch()
        assert (done.status, done.json["watch"]["findings"]) == (0, [])
        assert done.err == f"desk: warning: the watcher could not look: {why}\n"
    done = box.watch()
    assert (done.status, done.err) == (1, f"desk: error: the watcher could not look: {why}\n")
    assert box.evidence() == []


def test_a_watcher_without_its_script_does_no_more_than_a_source(box: Box) -> None:
    box.front.bend = on("/scripts/send.js", lambda _: BUSY)
    assert box.watch().status == 1
    assert "GET /scripts/send.js" in box.front.heads()
    assert [head for head in box.front.heads() if head.startswith(("GET /board", "PUT", "POST"))] == []


def test_a_box_that_is_down_is_no_evil_box(box: Box) -> None:
    box.house.join("ada", page="http://127.0.0.1:1")
    done = box.watch()
    assert (done.status, done.err) == (1, "desk: error: the watcher could not look: connection refused\n")


def test_a_desk_that_cannot_watch_says_so(house: Newsdesk) -> None:
    done = house.desk("ada", "watch")
    assert done.status == 1
    assert "the newsroom names no onion; `desk join --page` says where else the page is" in done.err
    house.join("ada", page="http://127.0.0.1:1")
    (house.home("ada") / "manifest.json").unlink()
    assert (
        "this desk has not kept the edition it joined; `desk join` once more"
        in house.desk("ada", "watch").err
    )
    house.join("ada", page="example.org")
    assert "a relay's address is http://HOST:PORT" in house.desk("ada", "fetch").err


def test_a_look_that_is_interrupted_ends_at_once_and_reports_nothing(box: Box) -> None:
    came = threading.Event()

    def bend(_: Message, __: Forward) -> None:
        came.set()

    box.front.bend = bend
    command = [sys.executable, "-m", "keys.desk", "--home", box.house.home("ada"), "watch"]
    look = subprocess.Popen(
        [*command, "--passphrase-fd", "0"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert look.stdin
    look.stdin.write(PASSPHRASE + b"\n")
    look.stdin.flush()
    assert came.wait(60)
    look.send_signal(signal.SIGINT)
    out, err = look.communicate(timeout=60)  # less than a silent box is given
    assert (look.returncode, out) == (1, b"")
    assert re.fullmatch(rb"desk: error: .*interrupted\n", err)
    box.front.bend = honest
    assert box.watch().status == 0, "the home is free again"
    assert box.evidence() == []


def test_a_desk_that_goes_on_looking_says_at_once_what_it_finds(
    box: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []

    def until_next(hours: float) -> float:
        waits.append(hours)
        box.front.bend = on("/", other_byte) if len(waits) == 1 else honest
        if len(waits) == 3:
            raise KeyboardInterrupt
        return 0

    monkeypatch.setattr(watch, "until_next", until_next)
    done = box.house.desk("ada", "watch", "--every", "6")
    assert (done.status, waits) == (1, [6, 6, 6])
    assert done.out.count("answers came") == 3
    assert done.err.count("desk: error: the box does what no honest box does: / is not what") == 1
    assert len(box.evidence()) == 1


def test_the_next_look_comes_when_nobody_expects_it() -> None:
    waits = [watch.until_next(6) / 3600 for _ in range(4000)]
    assert 0 <= min(waits) < 0.5
    assert 20 < max(waits) <= 24
    assert 5 < sum(waits) / len(waits) < 6.5


@pytest.mark.parametrize("hours", ["0", "nan", "-1", "1e9", "often"])
def test_hours_that_are_none(hours: str) -> None:
    done = run("watch", "--every", hours)
    assert done.status == 2
    assert "a number of hours from 0.1 to 1000" in done.err
