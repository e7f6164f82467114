"""A bare tree started with a kernel of its own by an emulated processor, where this computer's is another.

A container would run its programs, but the kernel there is this computer's, and through qemu-user it hears of
no firewall and of no sandbox. Ssh leads in, with a key that is made for it and ends with it.
"""

from __future__ import annotations

import shlex
import shutil
import socket
import subprocess
import time
import uuid
from pathlib import Path
from typing import Any, Self

from image import debian, disk
from image.boards import MIB
from image.emulator import Emulator, directly
from image.given import Given

_BOOT = 1200  # seconds, on a computer that is busy
_MORE = 2048 * MIB  # on the disk, beside the tree and what the box keeps free
_TAR = ("--numeric-owner", "--xattrs", "--xattrs-include=*")
# What runs still may write, and what is mounted hides what lies below.
_SEND = f"""\
set -eu
export SYSTEMD_BUS_TIMEOUT=900
systemctl stop '*.timer' 'knothole-*.service' 'tor*' systemd-timesyncd.service
mount --bind / /mnt
exec tar --create {" ".join(_TAR)} --one-file-system --exclude=./lost+found --directory=/mnt .
"""


class Foreign:
    """The machine, up while its `with` block runs; `way` is how Ansible gets there."""

    def __init__(self, given: Given, workshop: Path) -> None:
        self._root, self._folder, self._operator = workshop / "root", workshop / "foreign", given.key
        self._folder.mkdir(mode=0o700)
        port = free_port()
        self._key, self._known = self._folder / "key", self._folder / "known_hosts"
        self._let_in(port)
        self._emulator = self._machine(given, port)
        options = (
            *("-F", "none", "-i", str(self._key), "-o", "IdentitiesOnly=yes", "-o", "IdentityAgent=none"),
            *("-o", f'UserKnownHostsFile="{self._known}"', "-o", "GlobalKnownHostsFile=/dev/null"),
            *("-o", "StrictHostKeyChecking=yes", "-o", "BatchMode=yes"),
        )
        self.way: dict[str, Any] = {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": port,
            "ansible_ssh_common_args": shlex.join(options),
        }
        self._ssh = ("ssh", *options, "-p", str(port), "root@127.0.0.1")

    def _let_in(self, port: int) -> None:
        """Lets a key in that is made here, and knows the machine by the one that its packages made."""
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f", self._key], check=True)
        debian.let_in(self._root, self._operator, self._key.with_suffix(".pub").read_text().strip())
        own = (self._root / "etc/ssh/ssh_host_ed25519_key.pub").read_text()
        self._known.write_text(f"[127.0.0.1]:{port} {' '.join(own.split()[:2])}\n")

    def _machine(self, given: Given, port: int) -> Emulator:
        """One over a disk with the tree, and with room for what the playbook wants to be free."""
        for place in ("etc", "var"):
            (self._root / place / ".updated").touch()  # or systemd makes anew, in minutes, what packages made
        system, size = self._folder / "disk", disk.room(self._root) + given.host["newsroom_reserve"] + _MORE
        disk.ext4(self._root, system, size, label="ROOT", name=uuid.uuid4(), epoch=int(time.time()))
        kernel, initramfs = (max((self._root / "boot").glob(f"{one}-*")) for one in ("vmlinuz", "initrd.img"))
        start = directly(kernel, initramfs, "root=/dev/vda rw console=ttyAMA0")
        return Emulator(given.board, system, self._folder, *start, memory=2048, port=port)

    def __enter__(self) -> Self:
        self._emulator.__enter__()
        try:
            self._wait()
        except BaseException:
            self._emulator.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._emulator.__exit__()

    def _wait(self) -> None:
        end = time.monotonic() + _BOOT
        done = None
        while self._emulator.runs() and time.monotonic() < end:
            done = subprocess.run(
                [*self._ssh, "-o", "ConnectTimeout=30", "systemctl is-system-running --wait"],
                capture_output=True,
                text=True,
                check=False,
                stdin=subprocess.DEVNULL,
            )
            if done.stdout.strip() in ("running", "degraded"):
                return
            time.sleep(2)
        raise RuntimeError(f"{self._emulator.console()[-2000:]}{done.stderr if done else ''}")

    def bring_back(self) -> None:
        """Puts what the machine's disk holds in the place of the tree that it started from."""
        shutil.rmtree(self._root)
        self._root.mkdir()
        unpack = ["tar", "--extract", *_TAR, "--preserve-permissions", f"--directory={self._root}"]
        with subprocess.Popen([*self._ssh, _SEND], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as sent:
            unpacked = subprocess.run(unpack, stdin=sent.stdout, check=False)
        if sent.returncode or unpacked.returncode:
            raise RuntimeError("its tree did not come back whole")
        debian.let_in(self._root, self._operator)


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port: int = one.getsockname()[1]
        return port
