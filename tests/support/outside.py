"""What lies outside of a box: a network namespace with one address, and a cable from there to a machine."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from support.container import Container

ADDRESS = "10.99.0.1"  # where everything out there is
BOX = "10.99.1.2"  # the machine's end of the cable
_HERE = "10.99.1.1"
_NEWNET = 0x40000000  # CLONE_NEWNET
_libc = ctypes.CDLL(None, use_errno=True)


class Outside:
    """A namespace at the other end of a machine's cable, in a `with` block."""

    def __init__(self, machine: Container) -> None:
        self._machine = str(machine.pid)
        self._name = f"knothole-{machine.pid}"

    def __enter__(self) -> Self:
        _ip("netns", "add", self._name)
        try:
            self._lay()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        _ip("netns", "del", self._name)

    def _lay(self) -> None:
        out = ("-n", self._name)
        far = ("far", "netns", self._name, "type", "veth", "peer", "name", "near", "netns", self._machine)
        _ip("link", "add", *far)
        _ip(*out, "addr", "add", f"{ADDRESS}/32", "dev", "lo")
        _ip(*out, "addr", "add", f"{_HERE}/24", "dev", "far")
        for link in ("lo", "far"):
            _ip(*out, "link", "set", link, "up")
        inside = ("nsenter", "-t", self._machine, "-n", "ip")
        for words in (
            ("addr", "add", f"{BOX}/24", "dev", "near"),
            ("link", "set", "near", "up"),
            ("route", "add", "default", "via", _HERE),
        ):
            subprocess.run([*inside, *words], check=True)

    @contextmanager
    def entered(self) -> Iterator[None]:
        """This thread, and whatever it starts, is out there until the `with` block is left."""
        here = os.open("/proc/thread-self/ns/net", os.O_RDONLY | os.O_CLOEXEC)
        there = os.open(Path("/run/netns", self._name), os.O_RDONLY | os.O_CLOEXEC)
        try:
            _enter(there)
            try:
                yield
            finally:
                _enter(here)
        finally:
            os.close(here)
            os.close(there)


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, _NEWNET):
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True)
