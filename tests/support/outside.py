"""What lies outside of a box: a network namespace, for IPv4 and IPv6, and a cable from there to a machine."""

from __future__ import annotations

import ctypes
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from support.container import Container

ADDRESS, ADDRESS6 = "10.99.0.1", "fd99::1"  # where everything out there is
BOX, BOX6 = "10.99.1.2", "fd99:1::2"  # the machine's end of the cable
HERE = "10.99.1.1"  # the outside's, from which a machine sees everybody come
_CABLES = ((ADDRESS, BOX, HERE, 24), (ADDRESS6, BOX6, "fd99:1::1", 64))
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
        inside = ("nsenter", "-t", self._machine, "-n", "ip")
        for link in ("lo", "far"):
            _ip(*out, "link", "set", link, "up")
        subprocess.run([*inside, "link", "set", "near", "up"], check=True)
        for address, box, here, bits in _CABLES:
            # Without looking whether another has it, for which an address waits a second or two.
            _ip(*out, "addr", "add", address, "dev", "lo", "nodad")
            _ip(*out, "addr", "add", f"{here}/{bits}", "dev", "far", "nodad")
            subprocess.run([*inside, "addr", "add", f"{box}/{bits}", "dev", "near", "nodad"], check=True)
            subprocess.run([*inside, "route", "add", "default", "via", here], check=True)

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
