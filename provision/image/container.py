"""A Debian that systemd boots, in a container without any way out.

Needs root. systemd-nspawn wants a pure cgroup2 tree: a namespace of mounts has one.
"""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

NEEDS = ("systemd-nspawn", "unshare", "nsenter")
_BOOT = 300  # seconds, on a computer that is busy
_UP = ("running", "degraded")
# One tree of groups, and a /tmp that its own systemd mounts.
_LIKE_A_MACHINE = {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1", "SYSTEMD_NSPAWN_TMPFS_TMP": "0"}

_RUN = """\
set -e
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/$1
echo $$ >/sys/fs/cgroup/$1/cgroup.procs
if [ -n "$2" ]; then
    mkdir -p "$3/up" "$3/work" "$3/root"
    mount -t overlay overlay -o "lowerdir=$2,upperdir=$3/up,workdir=$3/work" "$3/root"
fi
exec systemd-nspawn --quiet --boot --keep-unit --register=no --directory="$3/root" --private-network \\
    --resolv-conf=off --link-journal=no --console=pipe
"""
_SWEEP = """\
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
[ ! -d "/sys/fs/cgroup/$1" ] || find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} +
"""


class Container:
    """One machine over roots that several may share, the uppermost first; without any, over its folder's own
    `root`, which it changes. `pid` is its first process, as this computer counts."""

    def __init__(self, *roots: Path, folder: Path) -> None:
        self._roots, self._folder = roots, folder
        self._group = f"knothole-{os.getpid()}-{folder.name}"
        self._console = folder / "console.log"
        self.pid = 0
        folder.mkdir(exist_ok=not roots)

    def __enter__(self) -> Self:
        try:
            self.boot()
        except BaseException:
            self.power_off()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.power_off()

    def boot(self) -> None:
        """Returns once it is up; what it was when it was switched off is there again."""
        layers = ":".join(map(str, self._roots))
        with self._console.open("ab") as console:
            self._nspawn = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", _RUN, "sh", self._group, layers, self._folder],
                env=os.environ | _LIKE_A_MACHINE,
                stdin=subprocess.DEVNULL,
                stdout=console,
                stderr=console,
                start_new_session=True,
            )
        end = time.monotonic() + _BOOT
        while time.monotonic() < end and self._nspawn.poll() is None:
            self.pid = self.pid or self._first()
            if self.pid and self.run("systemctl", "is-system-running").stdout.strip() in _UP:
                return
            time.sleep(0.2)
        self.power_off()
        raise RuntimeError(self._console.read_text()[-2000:])

    def another(self, folder: Path) -> Container:
        """A machine over what this one's disk was when it was switched off, for good."""
        return Container(self._folder / "up", *self._roots, folder=folder)

    def _first(self) -> int:
        for child in _children(self._nspawn.pid):
            if Path(f"/proc/{child}/comm").read_text().strip() == "systemd":
                return child
        return 0

    def power_off(self) -> None:
        if self.pid and self._nspawn.poll() is None:
            os.kill(self.pid, signal.SIGRTMIN + 4)  # systemd: poweroff.target
        try:
            self._nspawn.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(self._nspawn.pid, signal.SIGKILL)
            self._nspawn.wait()
        self.pid = 0
        subprocess.run(["unshare", "-m", "sh", "-c", _SWEEP, "sh", self._group], check=False)

    def run(self, *words: str, text: str = "") -> subprocess.CompletedProcess[str]:
        """A program in the container, as its root."""
        return subprocess.run(
            ["nsenter", "-t", str(self.pid), "-a", *words],
            input=text,
            capture_output=True,
            text=True,
            timeout=300,
        )

    def shell(self, script: str) -> str:
        """What a script in the container says; it has to succeed."""
        done = self.run("sh", "-euc", script)
        if done.returncode:
            raise RuntimeError(done.stdout + done.stderr)
        return done.stdout.strip()


def _children(pid: int) -> Sequence[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
