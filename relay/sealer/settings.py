"""The sealer's settings: a small YAML file. It names no folder to write in, for there is none."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from relay.settings import Address, read, text_of


@dataclass(frozen=True, slots=True)
class Settings:
    """`edition`, `listen` and `relay` are required."""

    edition: Path  # folder with a build, the one that the relay serves
    listen: Address  # where the public onion's second port leads
    relay: Address  # the relay's source socket
    circuits: str = "none"  # haproxy, where the relay has it: which circuit a visitor came on is passed on
    uploads: int = 32  # at once; each takes up to 10 MiB of memory
    connections: int = 256  # at once
    idle_seconds: int = 120  # how long a connection may be silent


def load(path: Path) -> Settings:
    """The settings in a file; refuses (BadSettings), naming every mistake."""
    return read(Settings, text_of(path), path.absolute().parent, "relay", "listen")
