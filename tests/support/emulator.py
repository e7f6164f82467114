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
    """One machine with one disk, and a network on which nobody is; `console` is what it says there."""

    def __init__(self, board: Board, disk: Path, folder: Path, *more: str | Path) -> None:
        self._words = _words(board, disk, folder, *more)
        self.console = folder / "console.log"

    def __enter__(self) -> Self:
        self._qemu = subprocess.Popen(self._words, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        if self._qemu.poll() is None:
            self._qemu.kill()
        self._qemu.wait()

    def runs(self) -> bool:
        return self._qemu.poll() is None

    def wait_until_off(self, seconds: float) -> None:
        self._qemu.wait(seconds)


def _words(board: Board, disk: Path, folder: Path, *more: str | Path) -> Sequence[str]:
    # KVM is left alone: where it is broken, as on some rented machines, it fails in the middle.
    return [
        f"qemu-system-{board.machine}",
        *_KINDS[board.machine],
        *("-accel", "tcg,thread=multi", "-smp", "2", "-m", "1024"),
        *("-nodefaults", "-no-reboot", "-display", "none", "-serial", f"file:{folder / 'console.log'}"),
        *("-drive", f"id=disk,file={disk},format=raw,if=none,cache=unsafe"),
        *("-device", "virtio-blk-pci,drive=disk", "-device", "virtio-rng-pci"),
        *("-netdev", "user,id=line,restrict=on", "-device", "virtio-net-pci,netdev=line"),
        *map(str, more),
    ]
