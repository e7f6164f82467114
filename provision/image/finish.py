"""From the tree of a machine that has run to one that no machine has run from yet."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

# What no two machines may share, and what the making left behind. The files go, folders of others stay.
_GONE = (
    "etc/machine-id",
    "etc/ssh/ssh_host_*",
    "etc/.pwd.lock",
    "etc/.updated",
    "etc/*-",
    "etc/apt/apt.conf.d/99mmdebstrap",
    "etc/dpkg/dpkg.cfg.d/99mmdebstrap",
    "root/.ansible",
    "root/.bash_history",
    "var/.updated",
    "var/backups/*",
    "var/cache/apparmor/*",
    "var/cache/apt/*",
    "var/cache/debconf/*-old",
    "var/cache/ldconfig/*",
    "var/lib/apt/lists/*",
    "var/lib/apt/periodic/*",
    "var/lib/dbus/machine-id",
    "var/lib/dpkg/*-old",
    "var/lib/knothole/*",
    "var/lib/private/*",
    "var/lib/systemd/credential.secret",
    "var/lib/systemd/random-seed",
    "var/lib/systemd/timers/*",
    "var/lib/systemd/timesync/*",
    "var/tmp/*",
    "tmp/*",
    "run/*",
)
_LOGS = "var/log"
_TOR = "var/lib/tor"
# Of tor's folder, what is the newsroom's; its state, guards and cache are of one machine and its days.
_KEPT = ("hs_ed25519_secret_key", "hs_ed25519_public_key", "hostname", "authorized_clients")


def clean(root: Path) -> None:
    """Takes out of the tree what is of one machine, and what would make two images of one input differ."""
    logs = (one for one in every(root / _LOGS) if one.is_file() and not one.is_symlink())
    for gone in [*(one for pattern in _GONE for one in root.glob(pattern)), *_tors(root / _TOR), *logs]:
        # A link in the tree may lead out of it, into this computer.
        if gone.parent.resolve().is_relative_to(root.resolve()):
            _remove(gone)
    # Empty, it is written on the first start; without the file it would be told nowhere to.
    (root / "etc/machine-id").touch(0o444)


def _tors(folder: Path) -> Iterator[Path]:
    for one in folder.iterdir():
        if one.name.endswith("-onion"):
            yield from (file for file in one.iterdir() if file.name not in _KEPT)
        else:
            yield one


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def redate(root: Path, epoch: int) -> None:
    """Makes no user younger than the release: shadow(5) has the day on which each got a password, or none."""
    file = root / "etc/shadow"
    users = [line.split(":") for line in file.read_text().splitlines()]
    for user in users:
        user[2] = user[2] and str(min(int(user[2]), epoch // 86400))
    file.write_text("".join(":".join(user) + "\n" for user in users))


def clamp(root: Path, epoch: int) -> None:
    """Makes no file younger than the release it is of."""
    for path in (root, *every(root)):
        time = min(int(path.lstat().st_mtime), epoch)
        os.utime(path, (time, time), follow_symlinks=False)


def size(root: Path) -> int:
    """Gives the bytes that a file system needs for it, in blocks of 4 KiB and an inode for each file."""
    return sum(-(-one.lstat().st_size // 4096) * 4096 + 512 for one in every(root))


def every(root: Path) -> Iterator[Path]:
    """Gives all that is below a folder and follows no link: links of a tree lead into this computer."""
    for folder, folders, files in os.walk(root):
        yield from (Path(folder, name) for name in (*folders, *files))
