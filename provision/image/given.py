"""What an image is made from; all of it is looked at first, for the making takes minutes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.parsing.vault import VaultLib, VaultSecret

from image import grub
from image.boards import BOARDS, Board
from image.disk import SEARCHED
from image.errors import NoImage
from keys import onion

HERE = Path(__file__).resolve().parent.parent
SCRATCH = 5 << 30  # bytes: the tree, and two copies of it on their way to the image
# Program and Debian's package.
_TOOLS = {
    "mmdebstrap": "mmdebstrap",
    "sfdisk": "fdisk",
    "mke2fs": "e2fsprogs",
    "debugfs": "e2fsprogs",
    "mkfs.vfat": "dosfstools",
    "mcopy": "mtools",
    "ssh-keygen": "openssh-client",
    "unshare": "util-linux",
}
_CONTAINER = {"systemd-nspawn": "systemd-container", "nsenter": "util-linux"}


@dataclass(frozen=True)
class Given:
    """All that goes into one image; the passphrase is asked for and kept in memory alone."""

    board: Board
    newsroom: Path
    host: dict[str, Any]
    key: str  # the operator's public ssh key, one line
    passphrase: bytes
    out: Path


def board(name: str) -> Board:
    if name in BOARDS:
        return BOARDS[name]
    said = f"no image is made for a {name}" if name else "it is not said what the image is for"
    raise NoImage(said, "say BOARD=pi or BOARD=vps")


def computer(board: Board) -> None:
    """Refuses a computer that cannot make the image: without the programs or the rights."""
    if os.geteuid() != 0:
        raise NoImage("only root can make files that belong to others", "run it with sudo")
    if not board.is_this() and not board.emulated:
        said = (
            f"an image for a {board.name} is made on a computer with its kind of processor, {board.machine}"
        )
        raise NoImage(said, "run this on one, or put Debian's own image on the machine and run `make box`")
    if lacking := _lacking(board):
        packages = " ".join(sorted(lacking))
        raise NoImage("this computer lacks programs that make an image", f"run `apt-get install {packages}`")
    if not board.is_this() and subprocess.run(["arch-test", board.debian], capture_output=True).returncode:
        remedy = "run `apt-get install qemu-user-static`; in a container, on the computer that it is in"
        raise NoImage(f"this computer does not run programs for {board.debian}", remedy)


def room(board: Board, folder: Path, reserve: int) -> None:
    """Refuses a folder without room for the making. In a container the box wants its reserve of bytes there,
    free; an emulated one has a disk of its own."""
    wanted = SCRATCH + (reserve if board.is_this() else 0)
    if shutil.disk_usage(folder).free < wanted:
        raise NoImage(
            f"{folder} has less than {wanted / (1 << 30):.1f} GiB free",
            "make room, say another OUT=FILE, or lower `box: reserve`",
        )


def _lacking(board: Board) -> set[str]:
    """Gives the packages of programs that are not there."""
    tools = dict(_TOOLS)
    if board.starter == "grub":
        tools |= grub.NEEDS
    if board.is_this():
        tools |= _CONTAINER
    else:
        tools |= {
            f"qemu-system-{board.machine}": board.emulated,
            "arch-test": "arch-test",
            "ssh": "openssh-client",
        }
    lacking = {package for program, package in tools.items() if not _is_there(program)}
    # By either name: Debian 13 has the one, and installs it with the package of the other.
    if not board.is_this() and not any(_is_there(f"qemu-{board.machine}{kind}") for kind in ("", "-static")):
        lacking.add("qemu-user-static")
    return lacking


def _is_there(program: str) -> bool:
    return Path(program).is_dir() or shutil.which(program, path=SEARCHED) is not None


def operator(file: Path) -> str:
    """Gives the key that logs in on the finished box; a secret one is refused unread."""
    try:
        lines = file.read_text().strip().splitlines()
    except (OSError, UnicodeDecodeError):
        lines = []
    make = "make one with `ssh-keygen -t ed25519`, or name another with KEY=FILE.pub"
    if lines and "PRIVATE KEY" in lines[0]:
        raise NoImage(f"{file} is a secret key", f"name {file}.pub, which stands beside it")
    if len(lines) != 1 or not _is_key(file):
        raise NoImage(f"{file} holds no public ssh key, so nobody could log in on the box", make)
    return lines[0]


def _is_key(file: Path) -> bool:
    done = subprocess.run(["ssh-keygen", "-l", "-f", file], capture_output=True, check=False)
    return done.returncode == 0


def newsroom(path: Path) -> dict[str, Any]:
    """Gives what the inventory says of the box; what it misses is told all at once."""
    if not path.is_file():
        raise NoImage(f"there is no {path}", "run `make image NEWSROOM=newsroom.yaml BOARD=vps`")
    done = subprocess.run(
        [sys.executable, HERE / "inventory.py", "--list"],
        env=os.environ | {"NEWSROOM": str(path)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NoImage(f"the inventory of {path} cannot be had", done.stderr.strip())
    host: dict[str, Any] = json.loads(done.stdout)["_meta"]["hostvars"]["box"]
    problems = list(host["newsroom_problems"])
    problems += _not_for_an_image(host)
    if problems:
        told = "".join(f"\n- {one['sentence']}: {one['remedy']}" for one in problems)
        raise NoImage(f"{path.name} and its folder are not whole", f"mend this first:{told}")
    return host


def _not_for_an_image(host: dict[str, Any]) -> Iterator[dict[str, str]]:
    if host.get("ansible_user", "root") != "root":
        yield {"sentence": "an image has no user but root", "remedy": "take `user` out of `box:`"}
    if host.get("newsroom_ssh", "open") != "open":
        said = "an image starts with port 22 open to your key, for it has no password for the console"
        yield {"sentence": said, "remedy": "write `ssh: open`, and change it back once you have logged in"}
    if host.get("newsroom_disk"):
        said = "a second disk is locked on the box itself, by a key that no image has"
        remedy = "take `disk` out of `box:`; put it back, and `make box`, once it runs"
        yield {"sentence": said, "remedy": remedy}


def opened(host: dict[str, Any], passphrase: bytes) -> None:
    """Refuses a passphrase that does not open the onions' keys, and a key of another address than is said."""
    vault = VaultLib([("default", VaultSecret(passphrase))])
    for secret in sorted(Path(host["newsroom_folder"]).glob("*-onion/hs_ed25519_secret_key")):
        try:
            key = vault.decrypt(secret.read_bytes())
        except AnsibleError:
            again = "give the passphrase that locked them, at the prompt or as the file that VAULT names"
            raise NoImage("the onions' keys cannot be opened", again) from None
        if not onion.is_key_of(key, secret.with_name(onion.NAME_FILE).read_text().strip()):
            said = f"the key in {secret.parent.name} is of another address than its file hostname says"
            raise NoImage(said, "bring the folder back from where you keep it")


@contextmanager
def as_a_pipe(passphrase: bytes) -> Iterator[int]:
    """A descriptor from which a child process reads the passphrase, once; no disk or argument has it."""
    reading, writing = os.pipe()
    try:
        os.write(writing, passphrase + b"\n")
        os.close(writing)
        yield reading
    finally:
        os.close(reading)
