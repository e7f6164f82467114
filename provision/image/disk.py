"""A disk image from a tree: each file system is made in a file, with nothing mounted and no loop device."""

from __future__ import annotations

import os
import shutil
import subprocess
import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from image import finish
from image.boards import MIB, Board
from image.errors import NoImage

SECTOR = 512
SEARCHED = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
_HOLE = bytes(MIB)
_PIECE = 4 * MIB  # in which flash memory is erased
_FIRST = _PIECE  # where the first partition starts
_BEHIND = MIB  # for the second copy of a GPT
_LARGE = 256 * MIB  # a FAT, which then counts with 32 bits; a Pi's type of partition says so too


@dataclass(frozen=True)
class Place:
    """Where a partition lies, in bytes."""

    start: int
    size: int


def names(board: Board, edition: str) -> uuid.UUID:
    """Gives the name from which the disk's others derive: the same input has the same."""
    return uuid.uuid5(uuid.NAMESPACE_URL, f"knothole:{board.name}:{edition}")


def part_name(disk: uuid.UUID, label: str) -> uuid.UUID:
    return uuid.uuid5(disk, label)


def fat_number(name: uuid.UUID) -> str:
    """Gives what is left of a name where there are 32 bits for it."""
    return f"{name.fields[0]:08x}"


def room(root: Path) -> int:
    """Gives the size of the root partition: its files, an eighth for their system, and room to start in."""
    pieces: int = -(-(finish.size(root) * 9 // 8 + 192 * MIB) // _PIECE)
    return pieces * _PIECE


def places(board: Board, last: int) -> list[Place]:
    """Gives where each partition lies when the last has that many bytes."""
    found, start = [], _FIRST
    for part in board.parts:
        found.append(Place(start, part.mib * MIB or last))
        start += found[-1].size
    return found


def table(board: Board, disk: uuid.UUID, last: int) -> str:
    """Gives what sfdisk is told."""
    gpt = board.table == "gpt"
    lines = [f"label: {board.table}", f"label-id: {disk if gpt else f'0x{fat_number(disk)}'}"]
    for part, place in zip(board.parts, places(board, last), strict=True):
        line = f"start={place.start // SECTOR}, size={place.size // SECTOR}, type={part.kind}"
        lines.append(f"{line}, name={part.label}, uuid={part_name(disk, part.label)}" if gpt else line)
    return "\n".join(lines) + "\n"


def ext4(root: Path, file: Path, size: int, *, label: str, name: uuid.UUID, epoch: int) -> None:
    """Makes a file system of a tree, which says that it was made at `epoch`."""
    with file.open("wb") as out:
        out.truncate(size)
    # Two features that Debian 12's tools and GRUB do not know.
    features = "^metadata_csum_seed,^orphan_file"
    _run(
        *("mke2fs", "-q", "-F", "-t", "ext4", "-L", label, "-m", "1", "-O", features),
        *("-U", str(name), "-E", f"hash_seed={name},lazy_itable_init=0,nodiscard", "-d", root, file),
        epoch=epoch,
    )
    # It takes over from the tree when each inode was changed and read, which nobody can set there for long.
    paths = ["/", *(f"/{one.relative_to(root)}" for one in finish.every(root))]
    lines = (
        f'set_inode_field "{path}" {field} @{epoch}'
        for path in paths
        for field in ("atime", "ctime", "crtime")
    )
    _run("debugfs", "-w", "-f", "-", file, text="\n".join(lines), epoch=epoch)


def fat(folder: Path, file: Path, size: int, *, label: str, name: uuid.UUID, epoch: int) -> None:
    """Makes a FAT file system of a folder, with the times of its files."""
    with file.open("wb") as out:
        out.truncate(size)
    bits = "32" if size >= _LARGE else "16"
    made = ("--invariant", "-F", bits, "-n", label, "-i", fat_number(name))
    _run("mkfs.vfat", *made, file, epoch=epoch)
    inside = sorted(folder.iterdir())
    _run("mcopy", "-s", "-m", "-Q", "-i", file, *inside, "::", epoch=epoch)


def write(file: Path, board: Board, disk: uuid.UUID, systems: Sequence[Path]) -> None:
    """Makes the image: the table, and what stands in each partition at its place."""
    last = systems[-1].stat().st_size
    where = places(board, last)
    with file.open("wb") as out:
        out.truncate(where[-1].start + last + _BEHIND)
    _run("sfdisk", "--no-reread", "--no-tell-kernel", file, text=table(board, disk, last))
    for place, system in zip(where, systems, strict=True):
        _put(system, file, place.start)


def _put(system: Path, file: Path, start: int) -> None:
    """Copies a file system to its place, and leaves holes where it is empty."""
    with system.open("rb") as source, file.open("r+b") as out:
        out.seek(start)
        while piece := source.read(MIB):
            if piece == _HOLE[: len(piece)]:
                out.seek(len(piece), os.SEEK_CUR)
            else:
                out.write(piece)


def _run(*words: str | Path, text: str = "", epoch: int = 0) -> None:
    program = shutil.which(words[0], path=SEARCHED) or words[0]
    known = {name: str(epoch) for name in ("SOURCE_DATE_EPOCH", "E2FSPROGS_FAKE_TIME")}
    known |= {"TZ": "UTC", "PATH": SEARCHED, "MTOOLS_SKIP_CHECK": "1"}
    done = subprocess.run(
        [program, *words[1:]], input=text, text=True, env=known, capture_output=True, check=False
    )
    if done.returncode:
        said = f"{words[0]} failed: {done.stderr.strip()}"
        raise NoImage(said, "see that the disk has room, and run this again")
