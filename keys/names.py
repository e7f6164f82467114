"""File names inside a drop (FORMAT.md section 2, "File names"): names that no file system and no shell
minds."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 94  # bytes, so that files/NAME fills a tar header's field
_UNSEEN = frozenset({"Cc", "Cf", "Co", "Cs", "Zl", "Zp"})
_FORBIDDEN = frozenset('/\\:*?"<>|')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9]|lpt[0-9])", re.IGNORECASE | re.ASCII)


def is_name(name: str) -> bool:
    """Tells whether a file in a drop may have this name."""
    if any(c in _FORBIDDEN or unicodedata.category(c) in _UNSEEN for c in name):
        return False
    if not 1 <= len(name.encode()) <= LONGEST or not unicodedata.is_normalized("NFC", name):
        return False
    return name[0] not in ".- " and name[-1] not in ". " and not _DEVICE.fullmatch(name.partition(".")[0])


def folded(name: str) -> str:
    """Gives what two names share when some file system takes them for one."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFC", name).casefold())
