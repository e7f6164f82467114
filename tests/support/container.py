"""A Debian that systemd boots, in a container without any way out: Debian's packages, and gone afterwards.

Which Debian, the variable DEBIAN says: 13, or 12. Needs root and what `missing` names.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from image.container import NEEDS, Container

__all__ = ["Container", "make_root", "missing"]

_SUITES = {"12": "bookworm", "13": "trixie"}
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
    "sudo",
    "rsyslog",  # as some providers have it: it would keep a log on the disk
)
# What the roles install: fetched while there is a network, installed by them when there is none.
_LATER = (
    "apparmor apt-transport-tor ca-certificates minisign nftables obfs4proxy python3-venv snowflake-client "
    "systemd-timesyncd tor unattended-upgrades cryptsetup-bin"
)
_LATER_OF = {"12": "", "13": "systemd-cryptsetup"}
_FETCH = "apt-get -qq --download-only --no-install-recommends install"
_NEEDS = ("mmdebstrap", *NEEDS)


def missing() -> str:
    """Says why no container can be had here, or nothing."""
    if os.geteuid() != 0:
        return "only root can boot a container"
    lacks = [name for name in _NEEDS if shutil.which(name) is None]
    return f"not installed: {', '.join(lacks)}" if lacks else ""


def make_root(folder: Path) -> Path:
    """Makes the folder of a bare Debian, with the packages at hand that a box installs."""
    root, release = folder / "root", os.environ.get("DEBIAN", "13")
    later = f"{_LATER} {_LATER_OF[release]}"
    done = subprocess.run(
        [
            *("mmdebstrap", "--quiet", "--variant=minbase", "--format=directory"),
            *('--aptopt=Acquire::Languages "none"', "--skip=cleanup/apt/lists,cleanup/apt/cache"),
            f"--include={','.join(_START)}",
            "--dpkgopt=force-unsafe-io",
            f'--customize-hook=chroot "$1" {_FETCH} {later}',
            *(_SUITES[release], root, _mirror()),
        ],
        capture_output=True,
        text=True,
        timeout=1800,
    )
    if done.returncode:
        raise RuntimeError(done.stderr)
    # The operator's key: without one the playbook refuses to go on.
    (root / "root/.ssh").mkdir(mode=0o700, exist_ok=True)
    (root / "root/.ssh/authorized_keys").write_text("ssh-ed25519 AAAA operator\n")
    (root / "etc/machine-id").write_text("")
    (root / "var/lib/lastlog").mkdir(exist_ok=True)
    for name in ("log/wtmp", "log/wtmp.1", "log/wtmp_20261101.db", "log/lastlog", "lib/lastlog/lastlog2.db"):
        (root / "var" / name).write_text("who, and from where\n")
    # As Debian's installer has it: sudo looks its machine up by name.
    (root / "etc/hostname").write_text("box\n")
    (root / "etc/hosts").write_text("127.0.0.1 localhost\n127.0.1.1 box\n")
    (root / "etc/resolv.conf").unlink(missing_ok=True)
    return root


def _mirror() -> str:
    """The mirror of this computer's own apt."""
    for file in (*Path("/etc/apt/sources.list.d").glob("*.sources"), *Path("/etc/apt").glob("sources.list")):
        for line in file.read_text().splitlines():
            words = line.split()
            if words[:1] in (["URIs:"], ["deb"]) and words[1].startswith("http"):
                return words[1]
    return "http://deb.debian.org/debian"
