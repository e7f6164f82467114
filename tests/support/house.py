"""A throwaway newsroom: journalists with their keys, a signed edition, and a relay that serves it."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any

from nacl.signing import SigningKey, VerifyKey
from support.relay_process import RelayProcess, ask

from keys import line
from keys.drop import DropReader, File
from keys.edition import Manifest
from keys.identity import Journalist, lock
from keys.letter import Letter
from keys.masthead import MastheadKey
from keys.newsroom import Newsroom, load

ROOT = Path(__file__).resolve().parents[2]
# English is what the templates are written in.
LANGUAGES = ("en", *sorted(path.stem for path in (ROOT / "site/locales").glob("*.po")))
DESK = Path(sys.executable).with_name("desk")
PASSPHRASE = b"throwaway"
_QUICK = 10  # scrypt's work factor: these keys lock nothing of worth

PARTNERS = """
partners:
  - name: gazette
    title: The Gazette
    beat: Town and region
    languages: [en, nl]
    recipients: [ada, bo]
  - {name: radio, title: Radio North, recipients: [cor]}
  - {name: weekly, title: De Week, recipients: [cor, dee]}
choose: 2
"""
_NEWSROOM = """
name: The Harbour Post
operator: The Harbour Post runs the box, in its own building.
address: https://harbourpost.example/tips
languages: [{languages}]
edition: 1
expires: {expires}
masthead: masthead.pub
recipients:
{recipients}
{more}
"""


@dataclass(frozen=True)
class Opened:
    """What a journalist finds in a drop."""

    letter: Letter
    text: str
    files: dict[str, bytes]


class House:
    """Builds into `folder` and serves until the `with` block is left; `more` is further YAML, `settings` are
    the relay's."""

    def __init__(
        self,
        folder: Path,
        journalists: Sequence[str] = ("ada", "bo", "cor"),
        more: str = "",
        settings: Mapping[str, int | str] = {},
    ) -> None:
        folder.mkdir()
        self.folder = folder
        self.journalists = {name: Journalist.generate(name) for name in journalists}
        for name, journalist in self.journalists.items():
            (folder / f"{name}.pub").write_text(journalist.public_file())
            (folder / f"{name}.key").write_bytes(lock(journalist.to_text(), PASSPHRASE, _QUICK))
        self.masthead = MastheadKey.generate()
        (folder / "masthead.pub").write_text(self.masthead.public.to_file())
        (folder / "masthead.key").write_bytes(lock(self.masthead.to_text(), PASSPHRASE, _QUICK))
        listed = "\n".join(f"  - {{file: {name}.pub, title: {name.title()} Smit}}" for name in journalists)
        expires = datetime.now(UTC).date() + timedelta(days=60)
        yaml = folder / "newsroom.yaml"
        languages = ", ".join(LANGUAGES)
        yaml.write_text(_NEWSROOM.format(languages=languages, expires=expires, recipients=listed, more=more))
        self.newsroom: Newsroom = load(yaml)
        self.edition = folder / "out/edition"
        self._build()
        self.relay = RelayProcess(self.edition, folder / "data", **settings)

    def _build(self) -> None:
        build = (sys.executable, ROOT / "build.py", self.folder / "newsroom.yaml", "-o", self.folder / "out")
        _run(*build, "--sign", self.folder / "masthead.key")

    def publish(self) -> None:
        """Builds the next edition of what newsroom.yaml says by now, and has the relay serve it."""
        yaml = self.folder / "newsroom.yaml"
        number = self.newsroom.edition
        yaml.write_text(yaml.read_text().replace(f"edition: {number}", f"edition: {number + 1}"))
        self.newsroom = load(yaml)
        self._build()
        self.relay.stop()
        self.relay.start()

    def __enter__(self) -> House:
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.relay.stop()

    @property
    def url(self) -> str:
        return self.relay.source_url

    @property
    def address(self) -> tuple[str, int]:
        """Where sources reach the relay, for a proxy."""
        host, _, port = self.relay.source.rpartition(":")
        return host, int(port)

    @property
    def manifest(self) -> Manifest:
        return Manifest.from_json((self.edition / "manifest.json").read_bytes())

    def drops(self) -> list[str]:
        """The ids of all drops on the relay, in order of arrival."""
        return [drop["id"] for drop in ask(self.relay.desk, "GET", "/drops").said["drops"]]

    def size(self, drop: str) -> int:
        listed = {one["id"]: one["size"] for one in ask(self.relay.desk, "GET", "/drops").said["drops"]}
        return int(listed[drop])

    def forget(self, drop: str) -> None:
        """Deletes a drop from the relay."""
        assert ask(self.relay.desk, "DELETE", f"/drops/{drop}").status == 204

    def desk(self, name: str, *words: str | Path, text: str = "") -> Any:
        """What this journalist's `desk` prints as JSON; it joins first where it has not."""
        home = self.folder / f"{name}-desk"
        if not home.exists():
            keys = ("--masthead", self.folder / "masthead.pub", "--identity", self.folder / f"{name}.key")
            _run(DESK, "--home", home, "join", self.edition, *keys, "--relay", self.relay.desk_url)
        return json.loads(_run(DESK, "--home", home, *words, "--json", text=text))

    def forge(self, name: str, drop: str, text: str) -> None:
        """Posts a line in this journalist's name, as somebody could who knows the thread's key."""
        forger = _Forger(self.journalists[name].signing_key.verify_key)
        thread = self.open("ada", drop).letter.thread
        lines = line.seal_reply(thread, self.newsroom.id, forger, [0], os.urandom(8), text)  # type: ignore[arg-type]
        lines += [line.cover() for _ in range(self.newsroom.board.post - len(lines))]
        assert ask(self.relay.desk, "POST", "/board", b"".join(lines)).status == 204

    def open(self, name: str, drop: str) -> Opened:
        """What this journalist finds in a drop; NotForYou for one who was not chosen."""
        sealed = ask(self.relay.desk, "GET", f"/drops/{drop}").body
        reader = DropReader(io.BytesIO(sealed), [self.journalists[name].identity])
        files = {file.name: _content(file) for file in reader.files()}
        return Opened(reader.letter, reader.text, files)


def _content(file: File) -> bytes:
    content = b""
    while piece := file.read(1 << 20):
        content += piece
    return content


class _Forger:
    """Signs with a key of its own what it gives out as a journalist's."""

    def __init__(self, verify_key: VerifyKey) -> None:
        self.verify_key = verify_key
        self.sign = SigningKey.generate().sign


def _run(*command: str | Path, text: str = "") -> str:
    """What a program prints that reads the passphrase from a pipe and `text` from another."""
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE + b"\n")
    os.close(writing)
    try:
        words = [*command, "--passphrase-fd", str(reading)]
        done = subprocess.run(words, pass_fds=[reading], input=text, capture_output=True, text=True)
    finally:
        os.close(reading)
    assert done.returncode == 0, done.stderr
    return done.stdout
