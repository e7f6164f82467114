"""The edition: every public file in memory, checked against its manifest."""

from __future__ import annotations

import hashlib
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from relay.answers import head
from relay.errors import BadEdition

MANIFEST = "manifest.json"
_SIGNATURE = "manifest.json.minisig"
_PATH = re.compile(r"(?:/(?!\.\.?(?:/|$))[A-Za-z0-9._-]+)+")
_FIELD = re.compile(r"[A-Za-z0-9-]+")
_VALUE = re.compile(r"[\x20-\x7e]+")
# The relay sets these itself, or never sends them.
_RESERVED = {
    "connection",
    "content-length",
    "content-type",
    "date",
    "server",
    "set-cookie",
    "transfer-encoding",
}


@dataclass(frozen=True, slots=True)
class Terms:
    """What this edition promises of the relay that serves it (keys/FORMAT.md, section 6)."""

    stanzas: int
    drop_bytes: int
    retention_days: int
    board_lines: int
    board_post: int


@dataclass(frozen=True, slots=True)
class File:
    head: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Edition:
    number: int
    expires: str
    terms: Terms
    files: dict[str, File]  # by the path as it stands in a request


def load(folder: Path) -> Edition:
    """The edition in `folder`; refuses (BadEdition) files that are missing, altered or strangely named.

    The signature is checked by those who must not trust this box: every desk, over Tor.
    """
    raw = _read(folder / MANIFEST)
    try:
        manifest = json.loads(raw)
        number, expires = int(manifest["edition"]), str(manifest["expires"])
        terms = _terms(manifest["terms"])
        shared = dict(manifest["headers"])
        entries = [(str(entry["path"]), dict(entry)) for entry in manifest["files"]]
        files = {path: _file(folder, path, entry, shared) for path, entry in entries}
    except (ValueError, KeyError, TypeError, RecursionError) as error:
        raise BadEdition(f"{MANIFEST} is not a manifest ({type(error).__name__}: {error})") from None
    files[f"/{MANIFEST}"] = File(_head(shared, "application/json", len(raw)), raw)
    if (folder / _SIGNATURE).exists():
        signature = _read(folder / _SIGNATURE)
        files[f"/{_SIGNATURE}"] = File(_head(shared, "text/plain; charset=utf-8", len(signature)), signature)
    indexes = {
        path.removesuffix("index.html"): file for path, file in files.items() if path.endswith("/index.html")
    }
    return Edition(number, expires, terms, files | indexes)


def _terms(stated: dict[str, Any]) -> Terms:
    for name in Terms.__slots__:
        if type(stated[name]) is not int or stated[name] < 1:
            raise BadEdition(f"{MANIFEST}: {name} is not a positive number")
    if stated["board_post"] > stated["board_lines"]:
        raise BadEdition(f"{MANIFEST}: board_post is more than board_lines")
    return Terms(**{name: stated[name] for name in Terms.__slots__})


def _file(folder: Path, path: str, entry: dict[str, Any], shared: dict[str, str]) -> File:
    if not _PATH.fullmatch(path):
        raise BadEdition(f"{MANIFEST}: {path!r} is not a plain path")
    body = _read(folder / path[1:])
    if len(body) != entry["size"] or hashlib.sha256(body).hexdigest() != entry["sha256"]:
        raise BadEdition(f"{path} is not the file its manifest describes")
    return File(_head(shared | entry.get("headers", {}), entry["type"], len(body)), body)


def _head(headers: dict[str, str], media_type: str, size: int) -> bytes:
    for name, value in headers.items():
        if not _FIELD.fullmatch(name) or not _VALUE.fullmatch(value) or name.lower() in _RESERVED:
            raise BadEdition(f"{MANIFEST}: the header {name!r} is not one an edition may set")
    if not _VALUE.fullmatch(media_type):
        raise BadEdition(f"{MANIFEST}: {media_type!r} is not a media type")
    return head(200, size, media_type, headers)


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except (OSError, ValueError) as error:
        raise BadEdition(f"{path.name} cannot be read: {getattr(error, 'strerror', error)}") from None
