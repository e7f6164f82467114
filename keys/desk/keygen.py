"""New secrets: a journalist's identity, a newsroom's masthead."""

from __future__ import annotations

from pathlib import Path

from keys.desk import files
from keys.errors import DeskError
from keys.identity import Journalist, lock
from keys.masthead import MastheadKey
from keys.passphrase import Passphrases


def new_identity(name: str, folder: Path, passphrases: Passphrases) -> tuple[Path, Path]:
    """Writes NAME.key, locked, and NAME.pub, and gives their paths; overwrites nothing."""
    journalist = Journalist.generate(name)
    return _write(name, folder, journalist.to_text(), journalist.public_file(), passphrases)


def new_masthead(folder: Path, passphrases: Passphrases) -> tuple[Path, Path]:
    """Writes masthead.key, locked, and masthead.pub, and gives their paths; overwrites nothing."""
    key = MastheadKey.generate()
    return _write("masthead", folder, key.to_text(), key.public.to_file(), passphrases)


def _write(name: str, folder: Path, secret: str, public: str, passphrases: Passphrases) -> tuple[Path, Path]:
    key, pub = folder / f"{name}.key", folder / f"{name}.pub"
    if not folder.is_dir():
        raise DeskError(f"{folder} is no folder")
    files.outside_git(folder.resolve())
    for path in (key, pub):
        if path.exists():
            raise DeskError(
                f"{path} is there already", hint="nothing was overwritten; choose another name or folder"
            )
    files.create(key, lock(secret, passphrases.ask_new(key.name)))
    files.create(pub, public.encode())
    files.flush_folder(folder)
    return key, pub
