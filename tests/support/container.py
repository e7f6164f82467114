"""A Debian 13 that systemd boots, in a container without any way out: Debian's packages, and gone afterwards.

Needs root and what `missing` names. systemd-nspawn wants a pure cgroup2 tree: a namespace of mounts has one.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Self

_START = (
    "systemd",
    "systemd-sysv",
    "dbus",
    "udev",
    "python3",
    "python3-apt",
    "openssh-server",
    "iproute2",
    "procps",
)
# What the roles install: fetched while there is a network, installed by them when there is none.
_LATER = (
    "apparmor apt-transport-tor ca-certificates minisign nftables python3-venv systemd-timesyncd tor "
    "unattended-upgrades"
)
_FETCH = "apt-get -qq --download-only --no-install-recommends install"
_BOOT = 60  # seconds
_UP = ("running", "degraded")
_CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "HOME": "/root", "LC_ALL": "C.UTF-8"}
_NEEDS = ("mmdebstrap", "systemd-nspawn", "unshare", "nsenter")

_RUN = """\
set -e
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
mkdir -p /sys/fs/cgroup/$1
echo $$ >/sys/fs/cgroup/$1/cgroup.procs
mkdir -p "$3/up" "$3/work" "$3/root"
mount -t overlay overlay -o "lowerdir=$2,upperdir=$3/up,workdir=$3/work" "$3/root"
exec systemd-nspawn --quiet --boot --keep-unit --register=no --directory="$3/root" --private-network \\
    --resolv-conf=off --link-journal=no --console=pipe
"""
_SWEEP = """\
mount --make-rprivate /
umount -R /sys/fs/cgroup
mount -t cgroup2 cgroup2 /sys/fs/cgroup
[ ! -d "/sys/fs/cgroup/$1" ] || find "/sys/fs/cgroup/$1" -depth -type d -exec rmdir {} +
"""


def missing() -> str:
    """Says why no container can be had here, or nothing."""
    if os.geteuid() != 0:
        return "only root can boot a container"
    lacks = [name for name in _NEEDS if shutil.which(name) is None]
    return f"not installed: {', '.join(lacks)}" if lacks else ""


def make_root(folder: Path) -> Path:
    """Makes the folder of a bare Debian 13, with the packages at hand that a box installs."""
    root = folder / "root"
    done = subprocess.run(
        [
            *("mmdebstrap", "--quiet", "--variant=minbase", "--format=directory"),
            *('--aptopt=Acquire::Languages "none"', "--skip=cleanup/apt/lists,cleanup/apt/cache"),
            f"--include={','.join(_START)}",
            "--dpkgopt=force-unsafe-io",
            f'--customize-hook=chroot "$1" {_FETCH} {_LATER}',
            *("trixie", root, _mirror()),
        ],
        capture_output=True,
        text=True,
        timeout=600,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    # The operator's key: without one the playbook refuses to go on.
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    (root / "root/.ssh/authorized_keys").write_text("ssh-ed25519 AAAA operator\n")
    (root / "etc/machine-id").write_text("")
    return root


def _mirror() -> str:
    """The mirror of this computer's own apt."""
    for file in (*Path("/etc/apt/sources.list.d").glob("*.sources"), *Path("/etc/apt").glob("sources.list")):
        for line in file.read_text().splitlines():
            words = line.split()
            if words[:1] in (["URIs:"], ["deb"]) and words[1].startswith("http"):
                return words[1]
    return "http://deb.debian.org/debian"


class Container:
    """One machine over roots that several may share, the uppermost first; `pid` is its first process, as this
    computer counts."""

    def __init__(self, *roots: Path, folder: Path) -> None:
        self._roots, self._folder = roots, folder
        self._group = f"knothole-{os.getpid()}-{folder.name}"
        self._console = folder / "console.log"
        self.pid = 0
        folder.mkdir()

    def __enter__(self) -> Self:
        self.boot()
        return self

    def __exit__(self, *_: object) -> None:
        self.power_off()

    def boot(self) -> None:
        """Returns once it is up; what it was when it was switched off is there again."""
        layers = ":".join(map(str, self._roots))
        with self._console.open("ab") as console:
            self._nspawn = subprocess.Popen(
                ["unshare", "-m", "sh", "-c", _RUN, "sh", self._group, layers, self._folder],
                env=os.environ | {"SYSTEMD_NSPAWN_UNIFIED_HIERARCHY": "1"},
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
            timeout=120,
        )

    def shell(self, script: str) -> str:
        """What a script in the container says; it has to succeed."""
        done = self.run("sh", "-euc", script)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout.strip()


def _children(pid: int) -> Sequence[int]:
    try:
        return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    except OSError:
        return []
