"""What a relay answers (relay/PROTOCOL.md), taken from bytes that are a stranger's."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, NamedTuple

from keys.errors import Refused

_ID = re.compile(r"[0-9a-f]{32}")
# No character in which an address or a piece of HTML could be written.
_REFUSAL = re.compile(
    rb"""\{"error": "[A-Za-z0-9 ,;']{1,100}"(, "missing": \[[0-9]{1,7}(, [0-9]{1,7}){0,99}\])?\}"""
)
_START_OF_REFUSAL = re.compile(rb"""[][{}":A-Za-z0-9 ,;']{0,2000}""")
_MOST_PARTS = 1 << 20


class Gone(Refused):
    """the relay no longer has it"""


class Incomplete(Refused):
    """the relay lacks parts of it"""

    missing: Sequence[int] = ()


class Listed(NamedTuple):
    """A drop as the relay lists it."""

    id: str
    size: int
    day: date


@dataclass(frozen=True)
class Page:
    """One answer to a listing."""

    drops: tuple[Listed, ...]
    cursor: str
    more: bool


def page(said: Mapping[str, Any]) -> Page:
    """Gives a listing; raises Refused for anything else."""
    drops, cursor, more = said.get("drops"), said.get("cursor"), said.get("more")
    if not isinstance(drops, list) or not isinstance(cursor, str) or not isinstance(more, bool):
        raise Refused("its list of drops is malformed")
    if len(cursor) > 200 or (more and not drops):
        raise Refused("its list of drops is malformed")
    return Page(tuple(map(_listed, drops)), cursor, more)


def _listed(given: object) -> Listed:
    try:
        match given:
            case {"id": str(id_), "size": int(size), "day": str(day)} if _ID.fullmatch(id_) and size > 0:
                return Listed(id_, size, date.fromisoformat(day))
    except ValueError:
        pass
    raise Refused("its list of drops is malformed")


def is_refusal(body: bytes) -> bool:
    """Tells whether a body is the error of a relay, and nothing else is in it."""
    return _REFUSAL.fullmatch(body) is not None


def begins_as_refusal(start: bytes) -> bool:
    """Tells whether the beginning of a body, of which no more came, has nothing in it but such an error."""
    return _START_OF_REFUSAL.fullmatch(start) is not None


def refusal(status: int, body: bytes) -> Refused:
    """Gives the error that an answer which says no stands for."""
    said = f"{status} {_sentence(body)}"
    if status == 404:
        return Gone(said)
    if missing := _missing(body) if status == 409 else ():
        error = Incomplete(said)
        error.missing = missing
        return error
    return Refused(said)


def _missing(body: bytes) -> list[int]:
    try:
        said = json.loads(body)["missing"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return []
    return (
        said if isinstance(said, list) and all(type(n) is int and 0 <= n < _MOST_PARTS for n in said) else []
    )


def _sentence(body: bytes) -> str:
    try:
        said = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "without a reason"
    return said[:200] if isinstance(said, str) else "without a reason"
