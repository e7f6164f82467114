"""File names inside a drop (FORMAT.md section 2, "File names"): names that no file system and no shell
minds."""

from __future__ import annotations

import re
import unicodedata

LONGEST = 94  # bytes, so that files/NAME fills a tar header's field
_LONGEST_EXTENSION = 16  # bytes, with its dot: a longer one may be cut as the rest of a name is
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


class Names:
    """Gives the files of one drop names that it may hold, no two alike; a name that may stand stays."""

    def __init__(self) -> None:
        self._taken: dict[str, int] = {}  # how many asked for a name like this

    def take(self, original: str) -> str:
        """Gives the nearest name that is still free."""
        name = wanted = _repaired(original)
        count = self._taken.get(folded(wanted), 0)
        while folded(name) in self._taken:
            count += 1
            name = _shortened(wanted, f"-{count}")
        self._taken[folded(wanted)] = max(count, 1)
        if name != wanted:
            self._taken[folded(name)] = 1
        return name


def _repaired(original: str) -> str:
    if original and is_name(original):
        return original
    clean = "".join(
        "_" if c in _FORBIDDEN or unicodedata.category(c)[0] == "C" or c in "\u2028\u2029" else c
        for c in unicodedata.normalize("NFC", original)
    )
    clean = clean.lstrip(".- ").rstrip(". ")
    if _DEVICE.fullmatch(clean.partition(".")[0]):
        clean = f"_{clean}"
    return _shortened(clean or "file", "")


def _shortened(name: str, suffix: str) -> str:
    """Gives the name with a suffix before its extension, cut so that both fit."""
    dot = name.rfind(".")
    extension = name[dot:] if dot > 0 and len(name[dot:].encode()) <= _LONGEST_EXTENSION else ""
    room = LONGEST - len((suffix + extension).encode())
    # Cut between characters: what is left of one that is halved is ignored.
    stem = name[: len(name) - len(extension)].encode()[:room].decode(errors="ignore")
    return f"{stem}{suffix}{extension}".rstrip(". ")
