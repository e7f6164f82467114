"""Makes an image to flash: a Debian from its packages alone, with the box's own playbook applied inside."""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

sys.path.insert(0, str(Path(__file__).resolve().parents[2]))

from image import converge, debian, disk, finish, given, start
from image.boards import MIB, Board
from image.errors import NoImage
from image.given import Given
from keys.errors import KnotholeError
from keys.passphrase import Passphrases


def look(words: argparse.Namespace) -> Given:
    """Gives all that the image is made from, or refuses the first thing that is wrong with it."""
    board = given.board(words.board)
    path = Path(words.newsroom).expanduser().absolute()
    out = Path(words.out).expanduser().absolute() if words.out else path.with_name(f"box-{board.name}.img")
    if not out.parent.is_dir():
        raise NoImage(f"there is no folder {out.parent}", "make it, or say another OUT=FILE")
    host = given.newsroom(path)
    key = given.operator(Path(words.key).expanduser())
    given.computer(board)
    given.room(board, out.parent, host["newsroom_reserve"])
    passphrase = _passphrase(words.vault)
    given.opened(host, passphrase)
    return Given(board, path, host, key, passphrase, out)


def _passphrase(file: str) -> bytes:
    if not file:
        return Passphrases().ask("the onions' keys")
    try:
        with open(file, "rb") as vault:  # noqa: PTH123 - for its descriptor
            return Passphrases(vault.fileno()).ask("the onions' keys")
    except OSError:
        raise NoImage(f"{file} cannot be read", "name the file with the passphrase as VAULT=FILE") from None


def make(what: Given) -> None:
    """Writes the image, whole or not at all; nobody else on this computer may read it."""
    epoch, began = debian.release(), time.monotonic()
    with tempfile.TemporaryDirectory(dir=what.out.parent, prefix=".knothole-image-") as folder:
        workshop = Path(folder)
        root = workshop / "root"
        debian.bare(what.board, what.host["newsroom_bridges"], root, epoch)
        debian.dress(root, what.key)
        name = disk.names(what.board, what.host["newsroom_edition_digest"])
        start.tell(what.board, root, name)
        _say(f"a bare Debian after {_minutes(began)}")
        converge.converge(what, workshop)
        _say(f"the box after {_minutes(began)}")
        image = pack(what.board, name, workshop, epoch)
        image.replace(what.out)
    size = what.out.stat()
    used = size.st_blocks * 512
    _say(f"{what.out}: {size.st_size // MIB} MiB, {used // MIB} of them written, after {_minutes(began)}")


def pack(board: Board, name: uuid.UUID, workshop: Path, epoch: int) -> Path:
    """Makes the image of the tree of a box."""
    root, image = workshop / "root", workshop / "image"
    start.settle(board, root, name)
    finish.clean(root)
    finish.redate(root, epoch)
    systems = start.firmware(board, workshop, name, epoch)
    finish.clamp(root, epoch)
    label = board.parts[-1].label
    system = workshop / "system"
    disk.ext4(root, system, disk.room(root), label=label, name=disk.part_name(name, label), epoch=epoch)
    os.close(os.open(image, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
    disk.write(image, board, name, [*systems, system])
    start.begin(image, board)
    return image


def _minutes(began: float) -> str:
    return f"{(time.monotonic() - began) / 60:.1f} minutes"


def _say(what: str) -> None:
    print(f"image: {what}", flush=True)


def _end(*_: object) -> NoReturn:
    """Ends as an error does, which takes the workshop with it: the onions' keys lie there open."""
    sys.exit("image: error: it was ended from outside")


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("python -m image", description=__doc__)
    parser.add_argument("newsroom", metavar="newsroom.yaml")
    parser.add_argument("--board", default="", help="vps or pi")
    parser.add_argument("--key", default="~/.ssh/id_ed25519.pub", help="the public ssh key of who may log in")
    parser.add_argument(
        "--vault", default="", metavar="FILE", help="holds the passphrase of the onions' keys"
    )
    parser.add_argument("-o", dest="out", default="", metavar="FILE", help="the image (box-BOARD.img)")
    try:
        words = parser.parse_args(argv)
        for sign in (signal.SIGTERM, signal.SIGHUP):
            signal.signal(sign, _end)
        make(look(words))
    except NoImage as no:
        sys.exit(f"image: error: {no}\nimage: hint: {no.remedy}")
    except KnotholeError as error:
        sys.exit(f"image: error: {error}\nimage: hint: {error.hint}")


if __name__ == "__main__":
    main()
