"""Crashes at random instants: nothing acknowledged is lost, and no half drop is shown."""

from __future__ import annotations

import fcntl
import os
import secrets
import struct
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.relay_process import ForkedRelay
from support.witness import Witness

SEED = int(os.environ.get("CRASH_SEED", secrets.randbits(32)))
KILLS = 100
STOPS = 3
POWER_CUTS = 15
_FS_IOC_SHUTDOWN = 0x8004587D
_NO_LOG_FLUSH = struct.pack("I", 2)


@pytest.fixture
def witness() -> Witness:
    print(f"CRASH_SEED={SEED}")
    return Witness(SEED)


@pytest.mark.kill
def test_a_hundred_kills(edition: Path, tmp_path: Path, witness: Witness) -> None:
    with ForkedRelay(edition, tmp_path / "data") as relay:
        for _ in range(KILLS):
            witness.work_until(relay.source, relay.desk, relay.kill)
            relay.start()
            witness.check(relay.source, relay.desk)
    assert witness.acknowledged > KILLS


@pytest.mark.kill
def test_being_told_to_stop(edition: Path, tmp_path: Path, witness: Witness) -> None:
    def stop() -> None:
        assert relay.stop() == 0

    with ForkedRelay(edition, tmp_path / "data") as relay:
        for _ in range(STOPS):
            witness.work_until(relay.source, relay.desk, stop)
            relay.start()
            witness.check(relay.source, relay.desk)
    assert witness.acknowledged > STOPS


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """An ext4 file system of its own, whose power can be cut."""
    if os.geteuid() != 0:
        pytest.skip("only root can cut the power of a disk; the kills above run for everyone")
    subprocess.run(["truncate", "-s", "1G", tmp_path / "image"], check=True)
    subprocess.run(["mkfs.ext4", "-q", tmp_path / "image"], check=True)
    mounted = tmp_path / "disk"
    mounted.mkdir()
    mount(mounted)
    yield mounted
    subprocess.run(["umount", mounted], check=True)


def mount(disk: Path) -> None:
    subprocess.run(["mount", "-o", "loop", disk.with_name("image"), disk], check=True)


def cut_power(disk: Path) -> None:
    """What was not flushed is lost, in the files and in the journal."""
    folder = os.open(disk, os.O_RDONLY)
    try:
        fcntl.ioctl(folder, _FS_IOC_SHUTDOWN, _NO_LOG_FLUSH)
    finally:
        os.close(folder)


@pytest.mark.kill
def test_power_cuts(edition: Path, tmp_path: Path, disk: Path, witness: Witness) -> None:
    def crash() -> None:
        cut_power(disk)
        relay.kill()

    link = tmp_path / "data"
    link.symlink_to(disk / "data")
    (disk / "data").mkdir()
    with ForkedRelay(edition, link, reserve_bytes=1 << 20) as relay:
        for _ in range(POWER_CUTS):
            witness.work_until(relay.source, relay.desk, crash)
            subprocess.run(["umount", disk], check=True)
            mount(disk)
            relay.start()
            witness.check(relay.source, relay.desk)
    assert witness.acknowledged > POWER_CUTS
