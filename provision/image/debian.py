"""A bare Debian for a board, from Debian's packages alone, with what the playbook installs at hand."""

from __future__ import annotations

import os
import shutil
import subprocess
import urllib.request
from collections.abc import Sequence
from email.utils import parsedate_to_datetime
from pathlib import Path

import yaml

from image.boards import Board
from image.errors import NoImage

SUITE = "trixie"
MIRROR = "http://deb.debian.org/debian"
FILES = Path(__file__).resolve().parent / "root"
_KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
_ONION = FILES.parent.parent / "roles/onion/vars/main.yml"
_START = (
    *("systemd", "systemd-sysv", "systemd-resolved", "dbus", "udev", "kmod", "login", "procps", "iproute2"),
    *("python3", "python3-apt", "openssh-server", "initramfs-tools", "zstd", "cloud-guest-utils", "fdisk"),
)
# What the roles install: fetched while there is a network, installed by them when there is none.
ROLES = (
    *("apparmor", "apt-transport-tor", "ca-certificates", "minisign", "nftables", "python3-venv"),
    *("systemd-timesyncd", "tor", "unattended-upgrades"),
)
# All that it mounts and starts ends with it, however that comes about: the tree is removed afterwards.
_APART = ("unshare", "--mount", "--pid", "--fork", "--kill-child")
_FETCH = "apt-get -qq --download-only --no-install-recommends install"
# A Pi's root is mounted for writing at once. Its initramfs can check it before, if it is told of what kind.
_CHECKED = (
    '--essential-hook=mkdir -p "$1/etc/initramfs-tools/conf.d"; '
    'echo FSTYPE=ext4 >"$1/etc/initramfs-tools/conf.d/root"'
)


def release() -> int:
    """Gives the time of Debian's release, than which no file of an image is younger. Needs the network."""
    try:
        with urllib.request.urlopen(f"{MIRROR}/dists/{SUITE}/Release", timeout=30) as file:  # noqa: S310 - http
            lines = file.read(1 << 20).decode().splitlines()
        (said,) = (line.partition(":")[2] for line in lines if line.startswith("Date:"))
        return int(parsedate_to_datetime(said.strip()).timestamp())
    except (OSError, ValueError):
        raise NoImage(f"{MIRROR} cannot be reached", "see that this computer is on the Internet") from None


def transports(bridges: Sequence[str]) -> list[str]:
    """Gives the packages of the bridges' transports, as the role names them."""
    known = yaml.safe_load(_ONION.read_text())["onion_transports"]
    return sorted({known[kind]["package"] for line in bridges if (kind := line.split()[0]) in known})


def bare(board: Board, bridges: Sequence[str], root: Path, epoch: int) -> None:
    """Makes the tree, which starts with a kernel of its own and in a container alike."""
    signed = f"[signed-by={_KEYRING}]"
    sources = [
        f"deb {signed} {place} {board.components}"
        for place in (f"{MIRROR} {SUITE}", f"{MIRROR} {SUITE}-updates", f"{MIRROR}-security {SUITE}-security")
    ]
    packages, later = [*_START, *board.packages], [*ROLES, *transports(bridges)]
    known = os.environ | {"SOURCE_DATE_EPOCH": str(epoch), "DEBIAN_FRONTEND": "noninteractive"}
    hook = f"{_FETCH} {' '.join(later)}"
    if not board.is_this():
        # At once, for later a whole machine is emulated, which is far slower; the initramfs only once.
        packages += later
        known["INITRD"] = "No"
        hook = "update-initramfs -c -k all"
    done = subprocess.run(
        [
            *_APART,
            *("mmdebstrap", "--quiet", "--variant=minbase", "--format=directory", f"--arch={board.debian}"),
            *('--aptopt=Acquire::Languages "none"', '--aptopt=APT::Install-Recommends "false"'),
            *("--dpkgopt=path-exclude=/usr/share/man/*", "--dpkgopt=path-exclude=/usr/share/locale/*"),
            *("--dpkgopt=force-unsafe-io", "--skip=cleanup/apt/lists,cleanup/apt/cache"),
            f"--include={','.join(packages)}",
            *([_CHECKED] if board.starter == "raspi" else []),
            f'--customize-hook=chroot "$1" {hook}',
            SUITE,
            root,
            *sources,
        ],
        env=known,
        check=False,
    )
    if done.returncode:
        raise NoImage("Debian's packages could not be had or set up", "see what mmdebstrap said above")


def dress(root: Path, key: str) -> None:
    """Adds what a machine without an installer needs: its line, its first start, and its operator's key."""
    shutil.copytree(FILES, root, dirs_exist_ok=True, copy_function=_copy)
    for unit in ("systemd-networkd.service", "systemd-resolved.service", "knothole-first-start.service"):
        subprocess.run(["systemctl", f"--root={root}", "--quiet", "enable", unit], check=True)
    # Not `uninitialized`: then every unit that Debian would enable by itself would be, on the first start.
    (root / "etc/machine-id").write_text("")
    names = root / "etc/resolv.conf"
    names.unlink(missing_ok=True)
    names.symlink_to("../run/systemd/resolve/stub-resolv.conf")
    let_in(root, key)


def let_in(root: Path, *keys: str) -> None:
    """Lets those ssh keys in, and no other."""
    ssh = root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    (ssh / "authorized_keys").write_text("".join(f"{key}\n" for key in keys))
    (ssh / "authorized_keys").chmod(0o600)


def _copy(source: str, target: str) -> str:
    """Copies a file of the checkout, whose owner and mode may be anybody's."""
    shutil.copyfile(source, target)
    Path(target).chmod(0o755 if os.access(source, os.X_OK) else 0o644)
    return target
