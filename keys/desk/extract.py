"""Files out of a drop: all of them or none, each where nothing was before."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from keys.desk import files
from keys.desk.bare import Bare, Content
from keys.drop import DropReader, File
from keys.errors import DeskError

_CHUNK = 1 << 20


@dataclass(frozen=True)
class Sum:
    """A file of a drop, as it is listed."""

    name: str
    size: int
    sha256: str


def sums(drop: DropReader | Bare, report: Callable[[int], None]) -> list[Sum]:
    """Gives the files of a drop with their SHA-256, after reading all of it."""
    found: list[Sum] = []
    for file in drop.files():
        found.append(_read(file, _done(found), report, lambda _: None))
    return found


def extract(drop: DropReader | Bare, folder: Path, report: Callable[[int], None]) -> list[Sum]:
    """Writes what there is of message.txt, answers.json and files/ into a new folder, and gives the files.
    Raises DeskError when the folder is there already; whatever goes wrong, there is no folder then."""
    if os.path.lexists(folder):
        raise DeskError(f"{folder} is there already", hint="name a folder that is not")
    if not folder.parent.is_dir():
        raise DeskError(f"{folder.parent} is no folder", hint="make it first")
    # Beside its final place, so that one rename makes all of it appear.
    partial = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}.", suffix=".partial"))
    try:
        found = _write_all(drop, partial, report)
        files.flush_folder(partial)
        partial.rename(folder)
    except BaseException:
        shutil.rmtree(partial, ignore_errors=True)
        raise
    return found


def _write_all(drop: DropReader | Bare, folder: Path, report: Callable[[int], None]) -> list[Sum]:
    if drop.letter:
        files.create(folder / "message.txt", drop.text.encode())
    if drop.letter and drop.letter.answers:
        answers = json.dumps(dict(drop.letter.answers), ensure_ascii=False, indent=1)
        files.create(folder / "answers.json", answers.encode() + b"\n")
    inner = folder / "files"
    inner.mkdir(mode=0o700)
    found: list[Sum] = []
    for file in drop.files():
        if file.size + files.SPARE > shutil.disk_usage(folder).free:
            raise DeskError(f"there is no room at {folder.parent} for what this drop holds")
        found.append(_write(file, inner / file.name, _done(found), report))
    files.flush_folder(inner)
    return found


def _done(found: Sequence[Sum]) -> int:
    return sum(one.size for one in found)


def _write(file: File | Content, path: Path, done: int, report: Callable[[int], None]) -> Sum:
    # O_EXCL never follows a link and never writes into what is there, whatever the name reads as here.
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, files.PRIVATE)
    with os.fdopen(descriptor, "wb") as out:
        found = _read(file, done, report, out.write)
        out.flush()
        os.fsync(descriptor)
    return found


def _read(
    file: File | Content, done: int, report: Callable[[int], None], take: Callable[[bytes], object]
) -> Sum:
    """Hands on one file's bytes, and reports them with those that were done before."""
    digest, size = hashlib.sha256(), 0
    while data := file.read(_CHUNK):
        take(data)
        digest.update(data)
        size += len(data)
        report(done + size)
    return Sum(file.name, size, digest.hexdigest())
