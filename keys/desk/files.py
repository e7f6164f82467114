"""Files a desk writes: whole or not at all, and nobody else's to read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from keys.errors import DeskError

PRIVATE = 0o600
SPARE = 64 << 20  # bytes of disk that a desk leaves free


def replace(path: Path, data: bytes) -> None:
    """Gives a file new content: after a crash it holds the old or the new, and never half of one."""
    with tempfile.NamedTemporaryFile(dir=path.parent, prefix=f".{path.name}.", delete=False) as file:
        try:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            Path(file.name).replace(path)
        except BaseException:
            Path(file.name).unlink(missing_ok=True)
            raise
    flush_folder(path.parent)


def create(path: Path, data: bytes) -> None:
    """Makes a new file; raises DeskError when there is one already."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    except FileExistsError:
        raise DeskError(
            f"{path} is there already", hint="nothing was overwritten; choose another name or folder"
        ) from None
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(descriptor)


def flush_folder(folder: Path) -> None:
    """Makes the names in a folder last through a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def outside_git(folder: Path) -> None:
    """Raises DeskError for a folder inside a git work tree, where a secret would be committed sooner or
    later."""
    for place in (folder, *folder.parents):
        if (place / ".git").exists():
            raise DeskError(
                f"{folder} is inside a git work tree", hint="keep secrets where git does not look: -o DIR"
            )
