"""An edition: one signed build of the site, its manifest, and how anyone checks it (FORMAT section 6)."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from keys.errors import BadEdition, BadNewsroom
from keys.kinds import Day, Number, Pattern, Text
from keys.masthead import Masthead, MastheadKey
from keys.newsroom import Newsroom
from keys.nodes import Wrong
from keys.options import NEWSROOM_ID
from keys.schema import ListOf, Section, TableOf, canonical, option, parse_canonical

MANIFEST, SIGNATURE = "manifest.json", "manifest.json.minisig"
LONGEST_MANIFEST = 4 << 20
LONGEST_FILE = 32 << 20

_HEADERS = TableOf(Pattern(r"[A-Za-z][A-Za-z0-9-]{0,63}", "Referrer-Policy"), Text(4000))
_BYTES = Number(0, LONGEST_FILE)


@dataclass(frozen=True, kw_only=True)
class File:
    # Each step begins with no dot, so no path climbs and none is hidden.
    path: str = option(
        Pattern(r"(/[A-Za-z0-9_-][A-Za-z0-9._-]{0,99}){1,6}", "/en/send.html"), "Where it is served."
    )
    size: int = option(_BYTES, "Its length in bytes.")
    sha256: str = option(Pattern("[0-9a-f]{64}", "64 hex digits"), "Its SHA-256.")
    type: str = option(Text(80), "Its Content-Type.")
    headers: Mapping[str, str] = option(_HEADERS, "Its own response headers, which win.")


@dataclass(frozen=True, kw_only=True)
class DeskFile:
    name: str = option(Pattern(r"desk-[A-Za-z-]{2,20}\.html", "desk-en.html"), "Its file name.")
    size: int = option(_BYTES, "Its length in bytes.")
    sha256: str = option(Pattern("[0-9a-f]{64}", "64 hex digits"), "Its SHA-256.")


@dataclass(frozen=True, kw_only=True)
class Terms:
    """What the relay that serves an edition keeps to."""

    stanzas: int = option(Number(1, 64), "How many recipients every drop is sealed to.")
    drop_bytes: int = option(Number(1, 10**13), "The largest drop in bytes.")
    retention_days: int = option(Number(1, 365), "How many days a drop is kept.")
    board_lines: int = option(Number(1, 4096), "How many lines the board holds.")
    board_post: int = option(Number(1, 64), "How many lines a sync posts.")

    @staticmethod
    def of(newsroom: Newsroom) -> Terms:
        return Terms(
            stanzas=len(newsroom.recipients),
            drop_bytes=newsroom.limits.drop,
            retention_days=newsroom.retention.days,
            board_lines=newsroom.board.lines,
            board_post=newsroom.board.post,
        )


@dataclass(frozen=True, kw_only=True)
class Manifest:
    version: int = option(Number(1, 1), "The manifest's format.")
    newsroom: str = option(NEWSROOM_ID, "The newsroom's id.")
    edition: int = option(Number(1, 10**9), "A number that only grows.")
    expires: date = option(Day(), "The last day of this edition.")
    terms: Terms = option(Section(Terms), "What the relay keeps to.")
    headers: Mapping[str, str] = option(_HEADERS, "Response headers of every file.")
    files: tuple[File, ...] = option(ListOf(Section(File), 1, 5000), "Every file, by path.")
    desk: tuple[DeskFile, ...] | None = option(
        ListOf(Section(DeskFile), 1, 60), "The journalists' page, given to them and not served.", None
    )

    @staticmethod
    def from_json(data: bytes) -> Manifest:
        """Gives the manifest that canonical JSON holds; raises BadEdition for any other bytes."""
        try:
            manifest = parse_canonical(Manifest, data, LONGEST_MANIFEST)
        except Wrong as found:
            raise BadEdition(f"its manifest is malformed: {found.mistakes[0].says}") from None
        paths = [file.path for file in manifest.files]
        if paths != sorted(set(paths)):
            raise BadEdition("its manifest names a file twice, or out of order")
        return manifest

    @staticmethod
    def open(data: bytes, signature: str, masthead: Masthead, today: date) -> Manifest:
        """Gives the manifest that the masthead signed; raises Forged for another's signature and BadEdition
        for a manifest that is malformed or, on `today`, expired."""
        masthead.verify(data, signature)
        manifest = Manifest.from_json(data)
        if today > manifest.expires:
            raise BadEdition(f"it expired on {manifest.expires}")
        return manifest

    def to_json(self) -> bytes:
        return canonical(self)

    def file(self, path: str) -> File:
        """Gives the entry of a path; raises BadEdition when it has none."""
        for file in self.files:
            if file.path == path:
                return file
        raise BadEdition(f"{path} is no part of it")

    def check(self, path: str, data: bytes) -> None:
        """Raises BadEdition unless data is what the edition has under this path."""
        file = self.file(path)
        if len(data) != file.size or hashlib.sha256(data).hexdigest() != file.sha256:
            raise BadEdition(f"{path} is not what the newsroom signed")

    def check_desk(self, data: bytes) -> str:
        """Gives the name of the journalists' page that data is; raises BadEdition for any other."""
        digest = hashlib.sha256(data).hexdigest()
        for file in self.desk or ():
            if (len(data), digest) == (file.size, file.sha256):
                return file.name
        raise BadEdition("this is not the journalists' page that the newsroom signed")

    def check_newsroom(self, data: bytes, masthead: Masthead) -> Newsroom:
        """Gives the newsroom of the edition's newsroom.json; raises BadEdition when the two do not agree."""
        self.check("/newsroom.json", data)
        try:
            newsroom = Newsroom.from_json(data)
        except BadNewsroom as error:
            raise BadEdition(f"its newsroom.json is malformed: {error.detail}") from None
        said = (newsroom.id, newsroom.edition, newsroom.expires, newsroom.masthead, Terms.of(newsroom))
        if said != (self.newsroom, self.edition, self.expires, str(masthead), self.terms):
            raise BadEdition("its manifest and its newsroom.json do not agree")
        return newsroom


@dataclass(frozen=True)
class Content:
    """One file of an edition that is being made."""

    data: bytes
    type: str
    headers: Mapping[str, str]


def write(
    folder: Path,
    newsroom: Newsroom,
    headers: Mapping[str, str],
    files: Mapping[str, Content],
    desk: Mapping[str, bytes] = {},
) -> bytes:
    """Writes an edition's files and manifest into an empty folder, and gives the manifest's bytes. The files
    of the journalists' page are listed in it, and not written."""
    for path, content in files.items():
        put(folder, path, content.data)
    entries = (
        File(
            path=path,
            size=len(c.data),
            sha256=hashlib.sha256(c.data).hexdigest(),
            type=c.type,
            headers=c.headers,
        )
        for path, c in sorted(files.items())
    )
    listed = (
        DeskFile(name=name, size=len(page), sha256=hashlib.sha256(page).hexdigest())
        for name, page in sorted(desk.items())
    )
    data = Manifest(
        version=1,
        newsroom=newsroom.id,
        edition=newsroom.edition,
        expires=newsroom.expires,
        terms=Terms.of(newsroom),
        headers=headers,
        files=tuple(entries),
        desk=tuple(listed) or None,
    ).to_json()
    (folder / MANIFEST).write_bytes(data)
    return data


def put(folder: Path, path: str, data: bytes) -> None:
    """Writes one file where its path says, and the folders it needs."""
    target = folder / path[1:]
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(data)


def sign(folder: Path, key: MastheadKey) -> None:
    """Signs the manifest in a folder; raises BadEdition when it is not this masthead's newsroom."""
    data = (folder / MANIFEST).read_bytes()
    manifest = Manifest.from_json(data)
    manifest.check_newsroom((folder / "newsroom.json").read_bytes(), key.public)
    comment = f"newsroom:{manifest.newsroom}\tedition:{manifest.edition}\texpires:{manifest.expires}"
    (folder / SIGNATURE).write_text(key.sign(data, comment))


def verify(folder: Path, masthead: Masthead, today: date, newsroom: str | None = None) -> Manifest:
    """Gives the manifest of an edition in a folder, once every byte of it is what the masthead signed.
    Raises Forged for a wrong signature, and BadEdition for another newsroom than `newsroom`, a file that is
    missing, altered or not listed, and an edition that on `today` has expired."""
    data = _read(folder, MANIFEST, LONGEST_MANIFEST)
    signature = _read(folder, SIGNATURE, 8192).decode(errors="replace")
    manifest = Manifest.open(data, signature, masthead, today)
    if newsroom not in (None, manifest.newsroom):
        raise BadEdition(f"it is of another newsroom, {manifest.newsroom}")
    for file in manifest.files:
        manifest.check(file.path, _read(folder, file.path[1:], LONGEST_FILE))
    manifest.check_newsroom(_read(folder, "newsroom.json", LONGEST_FILE), masthead)
    listed = {file.path[1:] for file in manifest.files} | {MANIFEST, SIGNATURE}
    for extra in sorted(set(_inside(folder)) - listed):
        raise BadEdition(f"/{extra} was added to it")
    return manifest


def _read(folder: Path, name: str, longest: int) -> bytes:
    try:
        with (folder / name).open("rb") as file:
            data = file.read(longest + 1)
    except OSError:
        raise BadEdition(f"/{name} is missing or cannot be read") from None
    if len(data) > longest:
        raise BadEdition(f"/{name} is too large")
    return data


def _inside(folder: Path) -> Iterator[str]:
    for place, folders, files in os.walk(folder):
        links = [name for name in folders if Path(place, name).is_symlink()]
        for name in files + links:
            yield Path(place, name).relative_to(folder).as_posix()
