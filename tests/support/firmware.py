"""What the firmware of a Raspberry Pi reads of a flashed disk, read as it reads it."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

# Of an emulated machine that waits for its turn on a busy computer, no device comes in a minute and a half.
PATIENT = "systemd.default_device_timeout_sec=900"
_SEARCHED = f"{os.environ['PATH']}:/usr/sbin:/sbin"


@dataclass(frozen=True)
class Found:
    fat: str  # as mtools name it
    kernel: Path
    initramfs: Path
    line: str  # which the kernel is told


def take(disk: Path, folder: Path) -> Found:
    """Copies what config.txt names out of the disk's first partition, which is a FAT."""
    table = json.loads(_said("sfdisk", "--json", disk))["partitiontable"]
    first = table["partitions"][0]
    assert (table["label"], first["type"]) == ("dos", "c")
    fat = f"{disk}@@{first['start'] * 512}"
    told = _said("mtype", "-i", fat, "::/config.txt").splitlines()
    (kernel,) = (line.removeprefix("kernel=") for line in told if line.startswith("kernel="))
    (initramfs,) = (line.split()[1] for line in told if line.startswith("initramfs "))
    for name in (kernel, initramfs):
        copy(fat, name, folder)
    (line,) = _said("mtype", "-i", fat, "::/cmdline.txt").splitlines()
    return Found(fat, folder / kernel, folder / initramfs, line)


def copy(fat: str, name: str, folder: Path) -> Path:
    """Copies one file out of a FAT."""
    _said("mcopy", "-n", "-o", "-i", fat, f"::/{name}", folder / name)
    return folder / name


def _said(*words: str | Path) -> str:
    program = shutil.which(words[0], path=_SEARCHED) or words[0]
    return subprocess.run([program, *words[1:]], capture_output=True, text=True, check=True).stdout
