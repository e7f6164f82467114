"""A disk that starts a Raspberry Pi: files in its first partition, as Debian's raspi-firmware writes them."""

from __future__ import annotations

import shutil
import uuid
from pathlib import Path

from image import disk, finish
from image.boards import MIB, Board
from image.errors import NoImage

# The package's own file. What it would find out by itself, it would find out of the machine that the image is
# made on. The kernel's own share for the graphics is right for each Pi, and 64M written out starts no Pi 4.
_TOLD = """\
ROOTPART=UUID={root}
CONSOLES="tty0 ttyS1,115200"
CMA=0
"""
# The boot ROM's, the firmware's, and what the firmware is told.
WANTED = ("bootcode.bin", "start.elf", "start4.elf", "config.txt", "cmdline.txt", "vmlinuz-*", "initrd.img-*")


def tell(root: Path, system: uuid.UUID) -> None:
    """Writes into the tree what each new kernel's hook makes cmdline.txt of."""
    (root / "etc/default/raspi-firmware").write_text(_TOLD.format(root=system))


def systems(board: Board, workshop: Path, name: uuid.UUID, epoch: int) -> list[Path]:
    """Makes the first partition of what is in its place in the tree, and takes it out there."""
    part, file = board.parts[0], workshop / "firmware.fat"
    inside = workshop / "root" / part.mount.lstrip("/")
    lacking = [one for one in WANTED if not any(inside.glob(one))]
    root = f"root=UUID={disk.part_name(name, board.parts[-1].label)}"
    if lacking or root not in (inside / "cmdline.txt").read_text().split():
        raise NoImage(f"the box has no {' '.join(lacking) or root} in {part.mount}", "run this again")
    finish.clamp(inside, epoch)
    called = disk.part_name(name, part.label)
    disk.fat(inside, file, part.mib * MIB, label=part.label, name=called, epoch=epoch)
    shutil.rmtree(inside)
    inside.mkdir(mode=0o755)
    return [file]
