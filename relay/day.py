"""Days, the only times the relay keeps."""

from __future__ import annotations

import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

_FIRST = date(1970, 1, 1)


def today() -> date:
    return datetime.now(UTC).date()


def touch(file: int | str, day: date | None = None) -> None:
    """Sets a file's times to the beginning of a day, today unless another is given, so that no listing and no
    backup tells when it came.

    The file system's own times of change and birth cannot be set; relay/PROTOCOL.md says so.
    """
    at = ((day or today()) - _FIRST).days * 86400
    os.utime(file, (at, at))


def day_of(file: Path) -> date:
    """The day that a file's times say, today while there is none."""
    try:
        return datetime.fromtimestamp(file.stat().st_mtime, UTC).date()
    except FileNotFoundError:
        return today()


def expires(arrived: date, retention_days: int, id_: str) -> date:
    """The day a drop is deleted: `retention_days` after arrival and up to a fifth more.

    How much more follows from the id: it looks random, is the same after a restart, and keeps the day of
    deletion from telling the day of arrival.
    """
    return arrived + timedelta(retention_days + int(id_[:8], 16) % (retention_days // 5 + 1))
