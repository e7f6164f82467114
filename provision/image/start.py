"""How a flashed disk starts: what the board's firmware finds on it, and where the kernel finds its root."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

from image import disk, grub, raspi
from image.boards import Board, Part

_STARTERS = {"grub": grub, "raspi": raspi}
_ROOT = "UUID={name} / ext4 noatime,errors=remount-ro 0 1"
# Only a new kernel needs it: without it the box still starts, and says that a unit failed.
_FAT = "UUID={number} {place} vfat noatime,nofail,nodev,nosuid,noexec,umask=0077 0 2"


def tell(board: Board, root: Path, name: uuid.UUID) -> None:
    """Writes into a bare tree where its root will be, for what starts it."""
    _STARTERS[board.starter].tell(root, disk.part_name(name, board.parts[-1].label))


def settle(board: Board, root: Path, name: uuid.UUID) -> None:
    """Writes into the tree of a box what it mounts, and that it has never started yet."""
    (root / "etc/fstab").write_text("".join(f"{line}\n" for line in _mounts(board, name)))
    (root / "etc/knothole/first-start").touch()


def _mounts(board: Board, name: uuid.UUID) -> Iterator[str]:
    *others, last = board.parts
    yield _ROOT.format(name=disk.part_name(name, last.label))
    for part in others:
        if part.mount:
            yield _FAT.format(number=_as_mounted(part, name), place=part.mount)


def _as_mounted(part: Part, name: uuid.UUID) -> str:
    number = disk.fat_number(disk.part_name(name, part.label)).upper()
    return f"{number[:4]}-{number[4:]}"


def firmware(board: Board, workshop: Path, name: uuid.UUID, epoch: int) -> list[Path]:
    """Makes what stands in the partitions before the root."""
    made: list[Path] = _STARTERS[board.starter].systems(board, workshop, name, epoch)
    return made


def begin(image: Path, board: Board) -> None:
    """Writes what the first sector holds beside the table: for GRUB code, for a Raspberry Pi nothing."""
    if board.starter == "grub":
        grub.begin(image, board)
