"""A desk's home: one folder with the newsroom it belongs to, its drops, and what it remembers."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from keys.desk import files
from keys.desk.socks import TOR
from keys.desk.terminal import read_file
from keys.edition import Manifest
from keys.errors import BadEdition, DeskError, Forged, KnotholeError
from keys.identity import Journalist, unlock
from keys.masthead import Masthead
from keys.newsroom import Newsroom
from keys.passphrase import Passphrases

DEFAULT = Path("~/.local/share/knothole")
_LONGEST_KEY = 64 << 10


@dataclass(frozen=True)
class Settings:
    """desk.json: where the relay is, and where the identity, and tor for a relay that is an onion; and where
    the page is, if it is not at the newsroom's onion."""

    relay: str
    identity: str
    socks: str = TOR
    page: str = ""


@dataclass(frozen=True)
class Pinned:
    """The newest edition this home has seen: its manifest as it was signed."""

    manifest: Manifest
    data: bytes
    signature: str


class Home:
    """The folder and the files in it that need no passphrase."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.drops = folder / "drops"
        self.state = folder / "state.age"
        self.outgoing = folder / "outgoing"
        self.evidence = folder / "evidence"
        self._pages = folder / "pages"
        self.told = folder / "told.json"
        self._settings = folder / "desk.json"
        self._newsroom = folder / "newsroom.json"
        self._masthead = folder / "masthead.pub"
        self._manifest = folder / "manifest.json"
        self._signature = folder / "manifest.json.minisig"

    @property
    def joined(self) -> bool:
        return self._settings.exists()

    @property
    def settings(self) -> Settings:
        try:
            return Settings(**json.loads(self._read(self._settings)))
        except (ValueError, TypeError):
            raise DeskError(f"{self._settings} is damaged", hint="join again") from None

    @property
    def newsroom(self) -> Newsroom:
        return Newsroom.from_json(self._read(self._newsroom))

    @property
    def masthead(self) -> Masthead:
        return Masthead.parse(self._read(self._masthead).decode(errors="replace"))

    @property
    def pinned(self) -> Pinned | None:
        """Gives the newest edition seen; None where there is none yet, or a half-written one."""
        try:
            data, signature = self._manifest.read_bytes(), self._signature.read_text()
            return Pinned(Manifest.open(data, signature, self.masthead, date.min), data, signature)
        except (OSError, ValueError, BadEdition, Forged):
            return None

    def pin(self, data: bytes, signature: str) -> None:
        """Remembers an edition, which the caller has verified, as the newest."""
        files.replace(self._manifest, data)
        files.replace(self._signature, signature.encode())

    def keep_pages(self, pages: Iterable[bytes]) -> None:
        """Keeps the files of the edition it joined, and of no other."""
        shutil.rmtree(self._pages, ignore_errors=True)
        self._pages.mkdir(mode=0o700)
        for name, data in {hashlib.sha256(page).hexdigest(): page for page in pages}.items():
            files.create(self._pages / name, data)

    def page(self, digest: str) -> bytes | None:
        """Gives the file with this SHA-256, if it is kept."""
        try:
            data = (self._pages / digest).read_bytes()
        except OSError:
            return None
        return data if hashlib.sha256(data).hexdigest() == digest else None

    def drop(self, id_: str) -> Path:
        """Gives where the drop with this id is kept."""
        return self.drops / f"{id_}.age"

    def write(self, settings: Settings, newsroom: Newsroom, masthead: Masthead) -> None:
        """Makes this the home of a desk of that newsroom."""
        self.make()
        files.replace(self._masthead, masthead.to_file().encode())
        files.replace(self._newsroom, newsroom.to_json())
        files.replace(self._settings, json.dumps(asdict(settings)).encode() + b"\n")

    def make(self) -> None:
        self.drops.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.folder.chmod(0o700)

    @contextmanager
    def locked(self, *, wait: bool = False) -> Iterator[None]:
        """Keeps every other desk out of this home meanwhile; when one is in it, waits until it has ended or
        raises DeskError."""
        self.make()
        descriptor = os.open(self.folder / "lock", os.O_RDWR | os.O_CREAT, files.PRIVATE)
        try:
            _lock(descriptor, wait=wait)
            yield
        finally:
            os.close(descriptor)

    def _read(self, path: Path) -> bytes:
        if not path.exists():
            raise DeskError(f"no desk has joined a newsroom in {self.folder}", hint="begin with `desk join`")
        return read_file(path, 4 << 20)


def _lock(descriptor: int, *, wait: bool) -> None:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except BlockingIOError:
        raise DeskError("another desk is at work in this home", hint="wait until it has ended") from None


def read_identity(path: Path, passphrases: Passphrases) -> Journalist:
    """Gives the journalist of a locked identity file; raises WrongPassphrase, BadAgeFile or BadIdentity,
    which name the file."""
    locked = read_file(path, _LONGEST_KEY)
    try:
        return Journalist.parse(unlock(locked, passphrases.ask(path.name)))
    except KnotholeError as error:
        raise type(error)(error.detail or path.name, hint=error.hint) from None


def read_masthead(path: Path) -> Masthead:
    """Gives the masthead of a masthead.pub; raises BadMasthead for another file."""
    return Masthead.parse(read_file(path, _LONGEST_KEY).decode(errors="replace"))
