"""New secrets: a journalist's identity, a newsroom's masthead, its onions, and who may reach closed ones."""

from __future__ import annotations

import re
from pathlib import Path

from keys.desk import files
from keys.errors import DeskError
from keys.identity import Journalist, lock
from keys.masthead import MastheadKey
from keys.onion import CLIENTS, ClientKey, ServiceKey
from keys.options import NAME
from keys.passphrase import Passphrases

SOURCE_ONION, DESK_ONION, SSH_ONION = "source-onion", "desk-onion", "ssh-onion"
NOBODY = "nobody"  # the client that is always there


def new_identity(name: str, folder: Path, passphrases: Passphrases) -> tuple[Path, Path]:
    """Writes NAME.key, locked, and NAME.pub, and gives their paths; overwrites nothing."""
    journalist = Journalist.generate(name)
    return _write_pair(name, folder, journalist.to_text(), journalist.public_file(), passphrases)


def new_masthead(folder: Path, passphrases: Passphrases) -> tuple[Path, Path]:
    """Writes masthead.key, locked, and masthead.pub, and gives their paths; overwrites nothing."""
    key = MastheadKey.generate()
    return _write_pair("masthead", folder, key.to_text(), key.public.to_file(), passphrases)


def new_onions(folder: Path) -> list[tuple[Path, str]]:
    """Makes the folders that tor serves the three onions from, and gives each with its address; overwrites
    nothing. A box must start by itself, so nothing locks these keys."""
    places = _free(folder, SOURCE_ONION, DESK_ONION, SSH_ONION)
    keys = [ServiceKey.generate() for _ in places]
    for place, key in zip(places, keys, strict=True):
        place.mkdir(mode=0o700)
        for name, data in key.files().items():
            files.create(place / name, data)
    for place in places[1:]:
        clients = place / CLIENTS
        clients.mkdir(mode=0o700)
        # A service without any client is open to everybody, so there is one whose key is kept nowhere.
        files.create(clients / f"{NOBODY}.auth", ClientKey.generate().public_line.encode() + b"\n")
        files.flush_folder(clients)
    for made in (*places, folder):
        files.flush_folder(made)
    return [(place, key.address) for place, key in zip(places, keys, strict=True)]


def new_client(name: str, onion: str, folder: Path) -> tuple[Path, Path, Path]:
    """Writes NAME.auth for the box, and for whom is invited NAME.auth_private and NAME.tor-browser, and gives
    their paths; overwrites nothing. Raises BadOnion for an address that is none."""
    if not re.fullmatch(NAME.form, name):
        raise DeskError(f"{name!r:.80} is not a name such as {NAME.like}")
    if name == NOBODY:
        raise DeskError(f"{NOBODY} is nobody's name", hint="an onion has such a client, to be closed")
    key = ClientKey.generate()
    private = key.private_line(onion)
    auth, tor, browser = _free(folder, f"{name}.auth", f"{name}.auth_private", f"{name}.tor-browser")
    for path, line in ((auth, key.public_line), (tor, private), (browser, key.prompt)):
        files.create(path, line.encode() + b"\n")
    files.flush_folder(folder)
    return auth, tor, browser


def _write_pair(
    name: str, folder: Path, secret: str, public: str, passphrases: Passphrases
) -> tuple[Path, Path]:
    key, pub = _free(folder, f"{name}.key", f"{name}.pub")
    files.create(key, lock(secret, passphrases.ask_new(key.name)))
    files.create(pub, public.encode())
    files.flush_folder(folder)
    return key, pub


def _free(folder: Path, *names: str) -> list[Path]:
    """Gives the paths of files that may be made; raises DeskError when one is there, or git would see it."""
    if not folder.is_dir():
        raise DeskError(f"{folder} is no folder", hint="make it first")
    files.outside_git(folder.resolve())
    paths = [folder / name for name in names]
    for path in paths:
        if path.exists():
            raise DeskError(
                f"{path} is there already", hint="nothing was overwritten; choose another name or folder"
            )
    return paths
