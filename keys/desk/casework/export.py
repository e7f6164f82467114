"""A case as a folder or a zip: the source's drops as they came, cleaned copies, hashes, and the history."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from keys.desk import bare, extract, files
from keys.desk import show as shows
from keys.desk.casework import clean
from keys.desk.casework import show as caseshow
from keys.desk.casework.cases import Cases
from keys.desk.conversation import conversation
from keys.desk.desk import Desk
from keys.desk.show import SHORT
from keys.errors import DeskError

SUMS = "SHA256SUMS"
_ABOUT = """\
case.txt and case.json say where the case stood on {day} and who said what. The signature of every line
of the history was checked when this was written.

drops/ holds what the source sent, as it came, and under cleaned/ what a program could make of it without
metadata. Look at those yourself before you publish them: a program does not find everything.

`sha256sum -c SHA256SUMS` checks that nothing was altered since. Nothing locks this folder: keep it where
only you can read it.
"""


@dataclass(frozen=True)
class Exported:
    """How many files of the source's were written, how many of them cleaned too, and which could not be read
    or cleaned."""

    files: int
    cleaned: int
    uncleaned: tuple[str, ...]
    gone: tuple[str, ...]


def export(desk: Desk, thread: bytes, target: Path, today: date, report: Callable[[str], None]) -> Exported:
    """Writes a case into a new folder, or a new zip if that is how the name ends. Raises DeskError when it is
    there already; whatever goes wrong, nothing is there then."""
    with _appearing(target) as folder:
        gone = _write_drops(desk, thread, folder / "drops", report)
        originals = sorted(folder.glob("drops/*/files/*"))
        uncleaned = _clean(originals, report)
        _write_history(desk, thread, folder, today)
        _write_sums(folder)
    names = tuple(path.name for path in uncleaned)
    return Exported(len(originals), len(originals) - len(uncleaned), names, tuple(gone))


def _write_drops(desk: Desk, thread: bytes, folder: Path, report: Callable[[str], None]) -> list[str]:
    """Writes the source's drops, and gives the ids of those whose file is here no longer."""
    folder.mkdir(mode=0o700)
    gone = []
    for entry in desk.state.thread(thread):
        if not entry.of_source:
            continue
        if not desk.home.drop(entry.id).exists():
            gone.append(entry.id)
            continue
        name = f"{entry.day}-{entry.id[:SHORT]}"
        report(f"writing {name}")
        with desk.home.drop(entry.id).open("rb") as source:
            drop = bare.read(source, desk.identities, desk.place)
            extract.extract(drop, folder / name, lambda _: None)
    return gone


def _clean(originals: list[Path], report: Callable[[str], None]) -> list[Path]:
    """Writes cleaned copies beside the originals, and gives those of which there is none."""
    if clean.lacking():
        return originals
    uncleaned = []
    for original in originals:
        report(f"cleaning {original.name}")
        folder = original.parent.with_name("cleaned")
        folder.mkdir(mode=0o700, exist_ok=True)
        if not clean.clean(original, folder):
            uncleaned.append(original)
    return uncleaned


def _write_history(desk: Desk, thread: bytes, folder: Path, today: date) -> None:
    case, entries = Cases(desk).of(thread), list(desk.state.thread(thread))
    turns = list(conversation(desk, thread, today))
    told: dict[str, Any] = caseshow.plain(thread, case, today)
    told["conversation"] = [shows.turn_json(turn) for turn in turns]
    text = "\n\n".join([caseshow.whole(thread, case, entries, today), shows.turns(turns, "")])
    files.create(folder / "README.txt", _ABOUT.format(day=today).encode())
    files.create(folder / "case.txt", text.encode() + b"\n")
    files.create(folder / "case.json", json.dumps(told, indent=1, sort_keys=True).encode() + b"\n")


def _write_sums(folder: Path) -> None:
    lines = []
    for path in _files(folder):
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        lines.append(f"{digest}  {path.relative_to(folder)}\n")
    files.create(folder / SUMS, "".join(lines).encode())


def _files(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.is_file())


@contextmanager
def _appearing(target: Path) -> Iterator[Path]:
    """Gives a folder that becomes the target once all of it is written, and is gone if something fails."""
    if os.path.lexists(target):
        raise DeskError(f"{target} is there already", hint="name a folder or a zip that is not")
    if not target.parent.is_dir():
        raise DeskError(f"{target.parent} is no folder", hint="make it first")
    partial = Path(tempfile.mkdtemp(dir=target.parent, prefix=f".{target.name}.", suffix=".partial"))
    try:
        folder = partial / "case"
        folder.mkdir(mode=0o700)
        yield folder
        if target.suffix == ".zip":
            folder = _zipped(folder, partial / "zip")
        files.flush_folder(partial)
        folder.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def _zipped(folder: Path, path: Path) -> Path:
    with zipfile.ZipFile(path, "x", zipfile.ZIP_DEFLATED) as zipped:
        for one in _files(folder):
            # The times would say when the journalist worked.
            inner = zipfile.ZipInfo(str(one.relative_to(folder)))
            inner.external_attr, inner.compress_type = files.PRIVATE << 16, zipfile.ZIP_DEFLATED
            with one.open("rb") as file, zipped.open(inner, "w", force_zip64=True) as out:
                shutil.copyfileobj(file, out, 1 << 20)
    with path.open("rb") as file:
        os.fsync(file.fileno())
    return path
