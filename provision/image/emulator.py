"""A whole machine with a kernel of its own, emulated by qemu, without any way out."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from image.boards import Board

_KINDS = {
    "x86_64": ("-machine", "q35", "-cpu", "max,la57=off"),
    "aarch64": ("-machine", "virt", "-cpu", "cortex-a72"),
}


class Emulator:
    """One machine with one disk, and a network on which nobody is. `port` of this computer alone leads to its
    ssh; `memory` is in MiB."""

    def __init__(
        self, board: Board, disk: Path, folder: Path, *more: str | Path, memory: int = 1024, port: int = 0
    ) -> None:
        self._console = folder / "console.log"
        line = "user,id=line,restrict=on" + (f",hostfwd=tcp:127.0.0.1:{port}-:22" if port else "")
        self._words = [
            f"qemu-system-{board.machine}",
            *_KINDS[board.machine],
            # KVM is left alone: where it is broken, as on some rented machines, it fails in the middle.
            *("-accel", "tcg,thread=multi", "-smp", "2", "-m", str(memory)),
            *("-nodefaults", "-no-reboot", "-display", "none", "-serial", f"file:{_word(self._console)}"),
            *("-drive", f"id=disk,file={_word(disk)},format=raw,if=none,cache=unsafe"),
            *("-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"),
            *("-netdev", line, "-device", "virtio-net-pci,netdev=line"),
            *map(str, more),
        ]

    def __enter__(self) -> Self:
        self._qemu = subprocess.Popen(self._words, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        if self._qemu.poll() is None:
            self._qemu.kill()
        self._qemu.wait()

    def console(self) -> str:
        """What it said there up to now."""
        return self._console.read_text(errors="replace") if self._console.exists() else ""

    def runs(self) -> bool:
        return self._qemu.poll() is None

    def wait_until_off(self, seconds: float) -> None:
        self._qemu.wait(seconds)


def _word(path: Path) -> str:
    """A path as one word of an option's several."""
    return str(path).replace(",", ",,")


def directly(kernel: Path, initramfs: Path, line: str) -> Sequence[str]:
    """Words that start a kernel without any firmware."""
    return ["-kernel", str(kernel), "-initrd", str(initramfs), "-append", line]
