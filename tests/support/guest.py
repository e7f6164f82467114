"""A flashed image in an emulated machine, and a root's shell on it that needs no network and no password."""

from __future__ import annotations

import base64
import re
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from image.boards import PI, Board
from image.emulator import Emulator, directly
from support.firmware import PATIENT, take

_BOOT = 1800  # seconds; an emulated processor is slow, and two of them on a busy one slower
_MEMORY = {"vps": 1024, "pi": 512}  # MiB, of the smallest that serves
_SHELL = """\
[Unit]
Description=The tests' shell
DefaultDependencies=no
StartLimitIntervalSec=0
[Service]
ExecStart=/bin/sh
StandardInput=tty-force
StandardOutput=tty
StandardError=tty
TTYPath=/dev/hvc0
Restart=always
RestartSec=1
"""
# In the place of the login that systemd offers there by itself: of two, each reads half of what is said.
_UNIT = "serial-getty@hvc0.service"
_WANTED = f"[Unit]\nWants={_UNIT}\n"


def _credentials() -> list[str]:
    """What tells systemd to start the shell: the image stays as it is."""
    said = {f"systemd.extra-unit.{_UNIT}": _SHELL, "systemd.unit-dropin.sysinit.target": _WANTED}
    return [f"{name}={_base64(text)}" for name, text in said.items()]


def _started(board: Board, disk: Path, folder: Path) -> list[str]:
    """By the firmware's tables; a Pi's firmware has none and is not here, but what it would read is."""
    if board is not PI:
        tables = [f"type=11,value=io.systemd.credential.binary:{one}" for one in _credentials()]
        return [word for table in tables for word in ("-smbios", table)]
    found = take(disk, folder)
    told = " ".join(f"systemd.set_credential_binary={one.replace('=', ':', 1)}" for one in _credentials())
    return [*directly(found.kernel, found.initramfs, f"console=ttyAMA0 {found.line} {PATIENT} {told}")]


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def flash(image: Path, folder: Path, more: int) -> Path:
    """A disk with the image on it, larger than that by so many bytes."""
    card = folder / "disk"
    subprocess.run(["cp", "--sparse=always", image, card], check=True)
    with card.open("r+b") as file:
        file.truncate(image.stat().st_size + more)
    return card


class Guest:
    """Started when its `with` block is entered, and there until it is left or switches itself off."""

    def __init__(self, board: Board, disk: Path, folder: Path, *more: str | Path, port: int = 0) -> None:
        folder.mkdir(exist_ok=True)
        self._plug = folder / "shell"
        wires = (
            *("-chardev", f"socket,id=shell,path={self._plug},server=on,wait=off"),
            *("-device", "virtio-serial-pci", "-device", "virtconsole,chardev=shell"),
        )
        self.disk = disk
        words = (*wires, *_started(board, disk, folder), *more)
        self.emulator = Emulator(board, disk, folder, *words, memory=_MEMORY[board.name], port=port)

    def __enter__(self) -> Self:
        self.emulator.__enter__()
        self._wire = socket.socket(socket.AF_UNIX)
        try:
            self._greet()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._wire.close()
        self.emulator.__exit__(kind, value, trace)

    def _greet(self) -> None:
        """Waits until somebody answers."""
        end = time.monotonic() + _BOOT
        heard = b""
        while b"hello-2" not in heard:
            if time.monotonic() > end or not self.emulator.runs():
                raise RuntimeError(f"it did not start: {self.emulator.console()[-2000:]}")
            try:
                heard += self._wire.recv(4096)
            except TimeoutError:
                self._wire.sendall(b"stty raw -echo; echo hello-$((1 + 1))\n")
            except OSError:
                self._wire.close()
                time.sleep(0.2)
                self._wire = socket.socket(socket.AF_UNIX)
                self._wire.settimeout(5)
                with suppress(FileNotFoundError, ConnectionRefusedError):
                    self._wire.connect(str(self._plug))

    def shell(self, script: str, seconds: float = 300) -> str:
        """What a script says there; it has to succeed."""
        mark = f"mark-{time.monotonic_ns()}"
        told = f"{mark[:4]}''{mark[4:]}"  # so that no echo of the command is taken for its answer
        command = (
            f"echo {told}; echo {_base64(script)} | base64 -d | sh -eu 2>&1; s=$?; echo; echo {told} $s\n"
        )
        self._wire.settimeout(seconds)
        self._wire.sendall(command.encode())
        heard = b""
        answer = rb"%b\r?\n(.*)\n%b (\d+)\r?\n" % (mark.encode(), mark.encode())
        while not (found := re.search(answer, heard, re.S)):
            piece = self._wire.recv(1 << 16)
            if not piece:
                raise RuntimeError(f"it ended: {self.emulator.console()[-2000:]}")
            heard += piece
        said = found[1].decode(errors="replace").replace("\r\n", "\n")
        assert found[2] == b"0", said
        return said.strip()

    def settle(self) -> None:
        """Returns once all that it starts by itself has started or failed."""
        self.shell("systemctl is-system-running --wait || true", 900)

    def off(self) -> None:
        """Switches it off as its operator would."""
        self._wire.sendall(b"systemctl poweroff\n")
        self.emulator.wait_until_off(300)
