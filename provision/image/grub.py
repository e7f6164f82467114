"""A disk that starts by GRUB, whichever kind of firmware the machine has."""

from __future__ import annotations

import struct
import subprocess
import uuid
from pathlib import Path

from image import disk, finish
from image.boards import MIB, Board

GRUB = Path("/usr/lib/grub")
# Program or folder, and Debian's package.
NEEDS = {
    "grub-mkimage": "grub-common",
    f"{GRUB}/i386-pc": "grub-pc-bin",
    f"{GRUB}/x86_64-efi": "grub-efi-amd64-bin",
}
# All that GRUB needs to read its menu on the root partition. It is never made anew: two links lead to
# Debian's newest kernel.
_MODULES = ("part_gpt", "ext2", "search", "search_fs_uuid", "normal", "linux", "test", "echo")
_KINDS = {"i386-pc": ("biosdisk",), "x86_64-efi": ("efi_gop", "all_video")}
_MENU = """\
set timeout=2
menuentry 'knothole' {{
    linux /vmlinuz {line}
    initrd /initrd.img
}}
menuentry 'knothole, with the kernel before' {{
    linux /vmlinuz.old {line}
    initrd /initrd.img.old
}}
"""
LINE = "root=UUID={root} ro console=tty0 console=ttyS0,115200 quiet init_on_free=1"
# Of boot.img and of the first sector of core.img: where each keeps the place of what it loads next.
_CODE, _KERNEL_AT, _DRIVE_CHECK, _NEXT_AT = 440, 0x5C, 0x66, 0x1F4
_TWO_NOPS = b"\x90\x90"


def tell(root: Path, system: uuid.UUID) -> None:
    """Writes into the tree what GRUB offers."""
    menu = root / "boot/grub/grub.cfg"
    menu.parent.mkdir(exist_ok=True)
    menu.write_text(_MENU.format(line=LINE.format(root=system)))


def systems(board: Board, workshop: Path, name: uuid.UUID, epoch: int) -> list[Path]:
    """Makes what stands in the partitions before the root: a GRUB for each kind of firmware."""
    core = _core(workshop, disk.part_name(name, "ROOT"), "i386-pc")
    _patch(core, struct.pack("<Q", disk.places(board, 0)[0].start // disk.SECTOR + 1), _NEXT_AT)
    return [core, _esp(board, workshop, name, epoch)]


def _esp(board: Board, workshop: Path, name: uuid.UUID, epoch: int) -> Path:
    inside, file = workshop / "esp", workshop / "esp.fat"
    boot = inside / "EFI/BOOT"
    boot.mkdir(parents=True)
    _core(workshop, disk.part_name(name, "ROOT"), "x86_64-efi").rename(boot / "BOOTX64.EFI")
    finish.clamp(inside, epoch)
    part = board.parts[1]
    disk.fat(
        inside, file, part.mib * MIB, label=part.label, name=disk.part_name(name, part.label), epoch=epoch
    )
    return file


def _core(workshop: Path, root: uuid.UUID, kind: str) -> Path:
    """Makes a GRUB that knows its root partition by name."""
    told, made = workshop / "early.cfg", workshop / f"core.{kind}"
    told.write_text(f"search --no-floppy --fs-uuid --set=root {root}\nset prefix=($root)/boot/grub\n")
    place: list[str | Path] = ["-d", GRUB / kind, "-p", "/boot/grub", "-c", told, "-o", made]
    make = ["grub-mkimage", "-O", kind, *place, *_MODULES, *_KINDS[kind]]
    subprocess.run(make, check=True)
    return made


def begin(image: Path, board: Board) -> None:
    """Writes the first sector's code, where firmware of the older kind looks; the table there stays."""
    code = (GRUB / "i386-pc/boot.img").read_bytes()[:_CODE]
    _patch(image, code, 0)
    _patch(image, struct.pack("<Q", disk.places(board, 0)[0].start // disk.SECTOR), _KERNEL_AT)
    # Some say that they started from a floppy, and GRUB would believe them.
    _patch(image, _TWO_NOPS, _DRIVE_CHECK)


def _patch(file: Path, data: bytes, at: int) -> None:
    with file.open("r+b") as out:
        out.seek(at)
        out.write(data)
