"""Days, the only times the relay keeps."""

from __future__ import annotations

import os
import time
from datetime import UTC, date, datetime, timedelta


def today() -> date:
    return datetime.now(UTC).date()


def touch(file: int | str) -> None:
    """Sets a file's times to the beginning of the day, so that no listing and no backup tells when it came.

    The file system's own times of change and birth cannot be set; relay/PROTOCOL.md says so.
    """
    day = int(time.time()) // 86400 * 86400
    os.utime(file, (day, day))


def expires(arrived: date, retention_days: int, id_: str) -> date:
    """The day a drop is deleted: `retention_days` after arrival and up to a fifth more.

    How much more follows from the id: it looks random, is the same after a restart, and keeps the day of
    deletion from telling the day of arrival.
    """
    return arrived + timedelta(retention_days + int(id_[:8], 16) % (retention_days // 5 + 1))
