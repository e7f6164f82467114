"""A sealer as a process of its own, and a visitor without a script who sends what a browser sends."""

from __future__ import annotations

import html
import json
import os
import re
import secrets
import signal
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from support.relay_process import ROOT, Reply, ask

File = tuple[str, bytes]  # name and content

_IMPATIENT = """
import sys
from relay.sealer import upstream
from relay.sealer.__main__ import main
upstream.GIVE_UP = 4
sys.exit(main())
"""


class SealerProcess:
    """A sealer for an edition and a relay, on a free port; use it in a `with` block. Keyword arguments are
    further settings; `wrap` is a command to start it under."""

    def __init__(
        self, edition: Path, relay: str, settings: Path, *, wrap: Sequence[str] = (), **more: int | str
    ) -> None:
        given = {"edition": edition.absolute(), "listen": "127.0.0.1:0", "relay": relay} | more
        settings.write_text("".join(f"{key}: {value}\n" for key, value in given.items()))
        self.command = [*wrap, sys.executable, "-m", "relay.sealer", str(settings)]
        self.start()

    def start(self) -> None:
        """Starts it, again if it was ended; returns once its socket is open."""
        self.process = subprocess.Popen(
            self.command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError(f"the sealer did not start: {self.errors}")
        self.address: str = json.loads(line)["listen"]

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def __enter__(self) -> SealerProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it and returns its exit status; what it said is in `said` and `errors` then."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.said, self.errors = self.process.communicate(timeout=30)
        return self.process.returncode

    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


class ImpatientSealer(SealerProcess):
    """One that gives up a relay after seconds, for tests that wait for it; and its visitors even sooner."""

    def __init__(self, edition: Path, relay: str, settings: Path, **more: int | str) -> None:
        super().__init__(edition, relay, settings, idle_seconds=1, **more)

    def start(self) -> None:
        self.command[1:-1] = ["-c", _IMPATIENT]
        super().start()


class Visitor:
    """Goes from page to page by its forms. `page` is what the browser shows now."""

    def __init__(self, address: str, language: str = "en") -> None:
        self.address = address
        self.language = language
        self.reply: Reply

    @property
    def page(self) -> str:
        return self.reply.body.decode()

    @property
    def text(self) -> str:
        """What a reader sees of it, in one line."""
        return " ".join(html.unescape(re.sub(r"<[^>]*>", " ", self.page.partition("<main")[2])).split())

    def open(self, page: str) -> Reply:
        self.reply = ask(self.address, "GET", f"/{self.language}/{page}")
        return self.reply

    def hidden(self, name: str) -> str:
        """The value of a field of this name in the page."""
        found = re.search(rf'name="{name}"[^>]*? value="([^"]*)"', self.page)
        return html.unescape(found[1]) if found else ""

    def post(self, step: str, fields: Iterable[tuple[str, str]] = (), files: Iterable[File] = ()) -> Reply:
        body, kind = encode(fields, files)
        self.reply = ask(self.address, "POST", f"/{self.language}/{step}", body, {"Content-Type": kind})
        return self.reply

    def words(self) -> str:
        """Gets twelve words, and stands before the field to type them in."""
        self.open("send.html")
        assert self.post("words").status == 200
        words = re.findall(r"<li>([^<]+)</li>", self.page.partition('id="words"')[2].partition("</ol>")[0])
        assert self.post("confirm", [("codename", self.hidden("codename"))]).status == 200
        return " ".join(words)

    def begin(self) -> str:
        """Gets twelve words, types them back and stands before the form."""
        words = self.words()
        assert self.type_back(words).status == 200
        return words

    def type_back(self, words: str) -> Reply:
        return self.post("write", [("codename", self.hidden("codename")), ("typed", words)])

    def send(
        self,
        message: str = "",
        files: Iterable[File] = (),
        to: Iterable[str] = ("ada",),
        answers: Mapping[str, str] = {},
    ) -> Reply:
        """Fills the form of the page and sends it."""
        fields = [("codename", self.hidden("codename"))]
        if 'name="follows"' in self.page:
            fields += [("follows", "yes"), ("read", self.hidden("read"))]
        fields += [("to", name) for name in to] + [("message", message)]
        fields += [(f"q-{id_}", answer) for id_, answer in answers.items()]
        return self.post("send", fields, files or [("", b"")])

    def read(self, words: str) -> Reply:
        self.open("answers.html")
        return self.post("answers", [("typed", words)])


def encode(fields: Iterable[tuple[str, str]], files: Iterable[File] = ()) -> tuple[bytes, str]:
    """A form as a browser writes it, and its Content-Type."""
    boundary = f"----geckoformboundary{secrets.token_hex(16)}"
    parts = [_part(boundary, f'name="{name}"', _lines(text).encode()) for name, text in fields]
    parts += [
        _part(boundary, f'name="file"; filename="{_escaped(name)}"', data, "application/octet-stream")
        for name, data in files
    ]
    return b"".join(parts) + f"--{boundary}--\r\n".encode(), f"multipart/form-data; boundary={boundary}"


def _part(boundary: str, what: str, data: bytes, kind: str = "") -> bytes:
    head = f"--{boundary}\r\nContent-Disposition: form-data; {what}\r\n"
    return head.encode() + (f"Content-Type: {kind}\r\n" if kind else "").encode() + b"\r\n" + data + b"\r\n"


def _lines(text: str) -> str:
    return re.sub(r"\r\n|\r|\n", "\r\n", text)


def _escaped(name: str) -> str:
    return name.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
