"""What desks say in a case: the `case` of a note (FORMAT.md section 8), read and written."""

from __future__ import annotations

import re
import secrets
import unicodedata
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

from keys.errors import BadDrop

STATES = ("new", "checking", "investigating", "published", "aside")
ITEMS = ("documents", "second-source", "heard")  # that every checklist has
ANSWERS = ("yes", "no", "unknown")
LONGEST_TEXT = 4000  # bytes
LONGEST_LABEL = 60  # bytes
MOST_AFTER = 32
MOST = 100  # statements in a note, and messages in a `read`
_MOST_NAMES = 64
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_DATE = re.compile(r"[1-9][0-9]{3}-[0-9]{2}-[0-9]{2}")
_TIME = re.compile(rf"{_DATE.pattern}T([01][0-9]|2[0-3]):[0-5][0-9]Z")

_Check = Callable[[Any], bool]


@dataclass(frozen=True)
class Statement:
    """One thing that was said: its kind is `says`, and `more` holds what that kind has beside the rest."""

    id: str
    time: str
    says: str
    more: Mapping[str, Any]

    def to_plain(self) -> dict[str, Any]:
        return {"id": self.id, "time": self.time, "says": self.says, **self.more}


@dataclass(frozen=True)
class Said:
    """What one note says; `after` are ids of the notes that its author had."""

    after: tuple[str, ...]
    says: tuple[Statement, ...]

    def to_plain(self) -> dict[str, Any]:
        return {"after": self.after, "says": [one.to_plain() for one in self.says]}


def note_id(digest: bytes) -> str:
    """Gives the id of a note, from the SHA-256 that its signature covers."""
    return digest[:16].hex()


def now() -> str:
    """Gives this minute, as a statement has it."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%MZ")


def statement(time: str, says: str, **more: Any) -> Statement:
    """Gives a new statement; raises BadDrop for one that no reader would take."""
    return parse_statement({"id": secrets.token_hex(8), "time": time, "says": says, **more})


def parse(given: object) -> Said:
    """Gives what `case` says; raises BadDrop for anything else."""
    if not isinstance(given, dict) or given.keys() != {"after", "says"}:
        raise _bad("has other keys than after and says")
    after, says = given["after"], given["says"]
    if not _list_of(_hex(16), 0, MOST_AFTER)(after) or after != sorted(after):
        raise _bad("after is not a list of notes in order")
    if not isinstance(says, list) or not 1 <= len(says) <= MOST:
        raise _bad(f"says is not 1 to {MOST} statements")
    return Said(tuple(after), tuple(map(parse_statement, says)))


def parse_statement(given: object) -> Statement:
    """Gives the statement that an object is; raises BadDrop for any other value."""
    says = given.get("says") if isinstance(given, dict) else None
    if not isinstance(given, dict) or not isinstance(says, str) or says not in _KINDS:
        raise _bad("a statement says nothing that is known; a newer desk may read it")
    kind = _KINDS[says]
    if given.keys() != {"id", "time", "says", *kind} or not _hex(8)(given["id"]) or not _time(given["time"]):
        raise _bad(f"a statement {says} has other keys, or no id or time")
    for key, check in kind.items():
        if not check(given[key]):
            raise _bad(f"a statement {says} holds a {key} of another form")
    if says == "state" and given["state"] == "aside" and not given["text"]:
        raise _bad("a case is set aside without a reason")
    if says == "exclusive" and bool(given["partner"]) != bool(given["until"]):
        raise _bad("a statement exclusive names only one of partner and until")
    more = {key: tuple(given[key]) if isinstance(given[key], list) else given[key] for key in kind}
    return Statement(given["id"], given["time"], says, more)


def _bad(says: str) -> BadDrop:
    return BadDrop(f"drop.json: case: {says}")


def _among(words: tuple[str, ...]) -> _Check:
    return lambda given: isinstance(given, str) and given in words


def _text(least: int) -> _Check:
    return lambda given: (
        isinstance(given, str)
        and least <= len(given)
        and len(given.encode(errors="replace")) <= LONGEST_TEXT
        and all(c == "\n" or unicodedata.category(c) not in ("Cc", "Cs") for c in given)
    )


def _label(given: Any) -> bool:
    return (
        _text(1)(given)
        and len(given.encode()) <= LONGEST_LABEL
        and "\n" not in given
        and given == given.strip(" ")
    )


def _hex(size: int) -> _Check:
    form = re.compile(rf"[0-9a-f]{{{2 * size}}}")
    return lambda given: isinstance(given, str) and form.fullmatch(given) is not None


def _list_of(check: _Check, least: int, most: int) -> _Check:
    return lambda given: (
        isinstance(given, list | tuple)
        and least <= len(given) <= most
        and all(map(check, given))
        and len(set(given)) == len(given)
    )


def _name(given: Any) -> bool:
    return isinstance(given, str) and _NAME.fullmatch(given) is not None


def _name_or_none(given: Any) -> bool:
    return given == "" or _name(given)


def _time(given: Any) -> bool:
    return isinstance(given, str) and _TIME.fullmatch(given) is not None and _real(given[:-1])


def is_date(given: Any) -> bool:
    """Tells whether it is a date as a statement has it."""
    return isinstance(given, str) and _DATE.fullmatch(given) is not None and _real(given)


def _real(given: str) -> bool:
    try:
        (datetime if "T" in given else date).fromisoformat(given)
    except ValueError:
        return False
    return True


def _date_or_none(given: Any) -> bool:
    return given == "" or is_date(given)


def _flag(given: Any) -> bool:
    return isinstance(given, bool)


_KINDS: Mapping[str, Mapping[str, _Check]] = {
    "state": {"state": _among(STATES), "text": _text(0)},
    "note": {"text": _text(1)},
    "task": {"text": _text(1), "to": _name_or_none},
    "assign": {"task": _hex(8), "to": _name_or_none},
    "done": {"task": _hex(8), "done": _flag},
    "check": {"item": _name, "is": _among(ANSWERS)},
    "label": {"label": _label, "set": _flag},
    "date": {"date": _date_or_none},
    "accept": {"date": is_date},
    "object": {"date": is_date, "text": _text(1)},
    "exclusive": {"partner": _name_or_none, "until": _date_or_none},
    "handover": {"from": _name, "to": _name},
    "widen": {"to": _list_of(_name, 1, _MOST_NAMES)},
    "read": {"messages": _list_of(_hex(16), 1, MOST)},
}
