"""A newsroom with two journalists, a relay, and their desks, driven through the command line."""

from __future__ import annotations

import contextlib
import io
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from support.relay_process import RelayProcess, ask, new_id, send

from keys import codename, edition, line
from keys.desk.__main__ import main
from keys.drop import Attachment, seal
from keys.identity import Journalist, lock
from keys.letter import Letter
from keys.masthead import MastheadKey
from keys.newsroom import Newsroom, Recipient
from keys.options import Board, Limits

PASSPHRASE = b"correct horse battery staple"
QUICK = 10  # scrypt's work factor: these keys lock nothing of worth
HEADERS = {"Content-Security-Policy": "default-src 'none'", "Cache-Control": "no-store"}
PAGES = {
    "/index.html": b"<!doctype html><title>home</title>",
    "/en/index.html": b"<!doctype html><title>home</title>",
    "/en/send.html": b"<!doctype html><title>send</title>",
}


@dataclass(frozen=True)
class Result:
    """What a command printed, and its exit status."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


def run(*arguments: str | Path, passphrase: bytes | None = PASSPHRASE, text: str | bytes = b"") -> Result:
    """Runs `desk`, the passphrase in a pipe and `text` on standard input."""
    words = [str(argument) for argument in arguments]
    reading, writing = os.pipe()
    if passphrase is not None:
        os.write(writing, passphrase + b"\n")
        words += ["--passphrase-fd", str(reading)]
    os.close(writing)
    out, err = (io.TextIOWrapper(io.BytesIO(), encoding="utf-8") for _ in range(2))
    mask = os.umask(0o077)
    stdin, sys.stdin = (
        sys.stdin,
        io.TextIOWrapper(io.BytesIO(text.encode() if isinstance(text, str) else text)),
    )
    try:
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            try:
                status = main(words)
            except SystemExit as exit_:
                status = int(str(exit_.code))
            sys.stdout.flush()
            sys.stderr.flush()
    finally:
        sys.stdin = stdin
        os.umask(mask)
        os.close(reading)
    said = [stream.buffer.getvalue().decode() for stream in (out, err)]  # type: ignore[attr-defined]
    return Result(status, *said)


class Newsdesk:
    """Makes keys and an edition in `folder`; `start` serves it."""

    def __init__(
        self,
        folder: Path,
        names: Sequence[str] = ("ada", "bea"),
        *,
        pages: Mapping[str, bytes] = PAGES,
        **changes: Any,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.pages = pages
        self.journalists = {name: Journalist.generate(name) for name in names}
        for name, journalist in self.journalists.items():
            (folder / f"{name}.key").write_bytes(lock(journalist.to_text(), PASSPHRASE, QUICK))
        self.masthead = MastheadKey.generate()
        (folder / "masthead.pub").write_text(self.masthead.public.to_file())
        self.newsroom = newsroom(self.masthead, self.journalists.values(), **changes)
        self.edition = self.publish()

    def publish(self, **changes: Any) -> Path:
        """Gives the folder of a signed edition of the newsroom, with changes."""
        self.newsroom = replace(self.newsroom, **changes)
        folder = self.folder / f"edition-{self.newsroom.edition}"
        folder.mkdir()
        files = {
            path: edition.Content(page, "text/html; charset=utf-8", {}) for path, page in self.pages.items()
        }
        files["/newsroom.json"] = edition.Content(
            self.newsroom.to_json(), "application/json", {"X-Robots": "no"}
        )
        edition.write(folder, self.newsroom, HEADERS, files)
        edition.sign(folder, self.masthead)
        return folder

    def start(self) -> None:
        self.relay = RelayProcess(self.edition, self.folder / "data")

    def stop(self) -> None:
        self.relay.stop()

    def home(self, name: str) -> Path:
        return self.folder / f"{name}-home"

    def join(self, name: str, home: Path | None = None, relay: str = "", page: str = "") -> Result:
        arguments = ("join", self.edition, "--masthead", self.folder / "masthead.pub")
        arguments += ("--identity", self.folder / f"{name.partition('-')[0]}.key")  # type: ignore[assignment]
        arguments += ("--relay", relay or self.relay.desk_url, "--page", page)  # type: ignore[assignment]
        return run("--home", home or self.home(name), *arguments)

    def desk(self, name: str, *arguments: str | Path, **more: Any) -> Result:
        """Runs a command at a journalist's desk."""
        return run("--home", self.home(name), *arguments, **more)


@contextlib.contextmanager
def joined(*given: Any, **changes: Any) -> Iterator[Newsdesk]:
    """A `Newsdesk` whose relay runs and to which all its journalists have joined."""
    newsdesk = Newsdesk(*given, **changes)
    newsdesk.start()
    try:
        for name in newsdesk.journalists:
            assert newsdesk.join(name).status == 0
        yield newsdesk
    finally:
        newsdesk.stop()


def newsroom(masthead: MastheadKey, journalists: Any, **changes: Any) -> Newsroom:
    recipients = [
        Recipient(name=one.name, recipient=str(one.public.recipient), signer=one.public.signer.hex())
        for one in journalists
    ]
    given = {
        "id": masthead.public.newsroom,
        "name": "The Harbour Post",
        "operator": {"*": "The Harbour Post runs the box."},
        "address": "https://harbourpost.example/tips",
        "languages": ("en",),
        "edition": 1,
        "expires": datetime.now(UTC).date() + timedelta(days=60),
        "masthead": str(masthead.public),
        "recipients": tuple(recipients),
        "board": Board(lines=64, post=8),
        "limits": Limits(drop=8 << 20),
    }
    return Newsroom(**(given | changes))


class Source:
    """A source who has a codename, writes drops and reads the board."""

    def __init__(self, newsdesk: Newsdesk, to: Sequence[str] = ("ada", "bea")) -> None:
        self._newsroom = newsdesk.newsroom
        self._relay = newsdesk.relay
        self.to = tuple(to)
        self.thread = codename.thread_key(codename.new(), self._newsroom.id)
        self.read: list[str] = []

    def letter(self, **changes: Any) -> Letter:
        given = {"newsroom": self._newsroom.id, "thread": self.thread, "language": "en", "to": self.to}
        return Letter(**(given | {"read": tuple(self.read), "answers": {"evidence": "papers"}} | changes))

    def sealed(self, text: str, files: Mapping[str, bytes] = {}, **changes: Any) -> bytes:
        out = io.BytesIO()
        attachments = [Attachment(name, len(data), io.BytesIO(data)) for name, data in files.items()]
        seal(out, self.letter(**changes), text, attachments, recipients(self._newsroom))
        return out.getvalue()

    def send(self, text: str, files: Mapping[str, bytes] = {}, **changes: Any) -> str:
        """Sends a drop and gives its id."""
        return put(self._relay, self.sealed(text, files, **changes))

    def look(self) -> list[line.Reply]:
        """Gives the replies on the board, and remembers that they were read."""
        board = ask(self._relay.source, "GET", "/board").body
        signers = [bytes.fromhex(one.signer) for one in self._newsroom.recipients]
        replies = line.open_board(board, self.thread, signers, self._newsroom.id)
        self.read = [reply.id.hex() for reply in replies if not reply.forged]
        return replies


def recipients(newsroom: Newsroom) -> Any:
    from keys.age import parse_recipient

    return {one.name: parse_recipient(one.recipient) for one in newsroom.recipients}


def put(relay: RelayProcess, sealed: bytes) -> str:
    """Puts a drop on the relay and gives its id."""
    id_ = new_id()
    assert send(relay.source, sealed, id_).status == 201
    return id_


def today() -> date:
    return datetime.now(UTC).date()
