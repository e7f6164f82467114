"""The machines that an image can be for: their processor, their packages, and how their disk is laid out."""

from __future__ import annotations

from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Part:
    """A partition, in the disk's order; one without a size takes the rest, and grows on the first start."""

    label: str
    kind: str
    mib: int = 0


@dataclass(frozen=True)
class Board:
    name: str
    machine: str  # as the kernel says it
    debian: str  # as Debian says it
    packages: tuple[str, ...]
    parts: tuple[Part, ...]
    uploads: int  # how many sources without JavaScript may send at once, on the smallest of them


# A rented server has firmware of one of two kinds: GRUB stands in the first partition for the one, in the
# second for the other, and reads the third. The kernel for clouds has their disks and cards, and little else.
VPS = Board(
    name="vps",
    machine="x86_64",
    debian="amd64",
    packages=("linux-image-cloud-amd64",),
    parts=(
        Part("GRUB", "21686148-6449-6E6F-744E-656564454649", 1),
        Part("ESP", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", 16),
        Part("ROOT", "0FC63DAF-8483-4772-8E79-3D69D8477DE4"),
    ),
    uploads=12,
)

BOARDS = {board.name: board for board in (VPS,)}
