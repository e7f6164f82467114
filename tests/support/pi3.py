"""A Raspberry Pi 3 as qemu has it, which starts from a card; of what it says only the console is seen."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Self

from image.emulator import directly
from support import firmware

_TREE = "bcm2837-rpi-3-b.dtb"


class Pi3:
    def __init__(self, card: Path, folder: Path) -> None:
        found = firmware.take(card, folder)
        self._console = folder / "serial.log"
        self._words = [
            *("qemu-system-aarch64", "-machine", "raspi3b", "-display", "none", "-no-reboot"),
            *("-drive", f"file={card},format=raw,if=sd,cache=unsafe"),
            # The second line is the one on its pins.
            *("-serial", "null", "-serial", f"file:{self._console}"),
            *directly(found.kernel, found.initramfs, f"{found.line} {firmware.PATIENT}"),
            *("-dtb", str(firmware.copy(found.fat, _TREE, folder))),
        ]

    def __enter__(self) -> Self:
        self._qemu = subprocess.Popen(self._words, stdin=subprocess.DEVNULL)
        return self

    def __exit__(self, *_: object) -> None:
        self._qemu.kill()
        self._qemu.wait()

    def wait_for(self, word: str, seconds: float) -> None:
        """Returns when the console has said it."""
        end = time.monotonic() + seconds
        while word not in self.console():
            assert self._qemu.poll() is None, self.console()[-3000:]
            assert time.monotonic() < end, self.console()[-3000:]
            time.sleep(1)

    def console(self) -> str:
        return self._console.read_text(errors="replace") if self._console.exists() else ""
