"""The machines that an image can be for: their processor, their packages, and how their disk is laid out."""

from __future__ import annotations

import platform
from dataclasses import dataclass

MIB = 1 << 20


@dataclass(frozen=True)
class Part:
    """A partition, in the disk's order; one without a size takes the rest, and grows on the first start."""

    label: str
    kind: str
    mib: int = 0
    mount: str = ""  # where the box has its files, if it reads them again


@dataclass(frozen=True)
class Board:
    name: str
    machine: str  # as the kernel says it
    debian: str  # as Debian says it
    components: str  # of Debian, from which its packages are
    packages: tuple[str, ...]
    starter: str  # the module that makes it start
    table: str  # of partitions, as sfdisk calls it
    parts: tuple[Part, ...]
    uploads: int  # how many sources without JavaScript may send at once, on the smallest of them
    emulated: str = ""  # the package that has its processor for a computer of another kind

    def is_this(self) -> bool:
        """Says whether this computer's processor runs its programs."""
        return platform.machine() == self.machine


# A rented server has firmware of one of two kinds: GRUB stands in the first partition for the one, in the
# second for the other, and reads the third. The kernel for clouds has their disks and cards, and little else.
VPS = Board(
    name="vps",
    machine="x86_64",
    debian="amd64",
    components="main",
    packages=("linux-image-cloud-amd64",),
    starter="grub",
    table="gpt",
    parts=(
        Part("GRUB", "21686148-6449-6E6F-744E-656564454649", 1),
        Part("ESP", "C12A7328-F81F-11D2-BA4B-00A0C93EC93B", 16),
        Part("ROOT", "0FC63DAF-8483-4772-8E79-3D69D8477DE4"),
    ),
    uploads=12,
)

# A Pi starts from files: its boot ROM, which knows no GPT before the Pi 4, reads them from the first FAT.
# There is room for three kernels, each with its initramfs. No firmware for radios: they get no power.
PI = Board(
    name="pi",
    machine="aarch64",
    debian="arm64",
    components="main non-free-firmware",
    packages=("linux-image-arm64", "raspi-firmware"),
    starter="raspi",
    table="dos",
    parts=(Part("FIRMWARE", "c", 512, "/boot/firmware"), Part("ROOT", "83")),
    uploads=5,
    emulated="qemu-system-arm",
)

BOARDS = {board.name: board for board in (VPS, PI)}
