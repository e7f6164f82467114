"""What a desk tells every day: the same words, and a number that only its sheet explains (FORMAT.md section
7).

Nobody without a key can say what is news: notes, covers and canaries are there so that the box cannot. So it
is an unlocked desk that looks, and what it tells may pass whoever likes to read it.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta

from keys.desk import files
from keys.desk.desk import Desk
from keys.desk.home import Home
from keys.identity import Journalist
from keys.stanza import hkdf

NOTHING, NEW, TROUBLE = MEANINGS = ("nothing", "new", "trouble")
SUBJECT = "The number of the day"
AHEAD = timedelta(minutes=30)  # before it tells, a desk looks: so the minute does not say how that went
_DAY = timedelta(days=1)
_NUMBERS = 10_000


def numbers(journalist: Journalist, day: date) -> dict[str, str]:
    """Gives what each meaning is called on a day, four digits each and no two the same; to who lacks the
    identity or the sheet, each meaning is as likely as the others."""
    drawn = int.from_bytes(hkdf(journalist.identity.seed, b"", f"knothole/v1/notice {day}".encode()))
    picked: list[int] = []
    for left in range(_NUMBERS, _NUMBERS - len(MEANINGS), -1):
        drawn, number = divmod(drawn, left)
        for lower in sorted(picked):
            number += number >= lower
        picked.append(number)
    return {meaning: f"{number:04}" for meaning, number in zip(MEANINGS, picked, strict=True)}


def text(day: date, number: str) -> str:
    """Gives the one sentence that is told; it names neither newsroom nor program."""
    return f"The number of {day} is {number}."


def news(desk: Desk, known: int) -> str:
    """Gives whether something came that the desk did not know when it knew so many drops and notes, and that
    its journalist has not looked at here."""
    entries = list(desk.state.entries.values())
    came = entries[known if known <= len(entries) else 0 :]
    return NEW if any(one.id not in desk.state.shown and not one.silent for one in came) else NOTHING


@dataclass(frozen=True)
class Told:
    """What was told last: of which day, and how many drops and notes the desk knew."""

    day: date
    known: int


def remembered(home: Home) -> Told | None:
    """Gives what this home told last; None where it never did, or no longer knows."""
    with suppress(OSError, ValueError, TypeError, KeyError):
        said = json.loads(home.told.read_bytes())
        return Told(date.fromisoformat(said["day"]), max(int(said["known"]), 0))
    return None


def remember(home: Home, told: Told) -> None:
    files.replace(home.told, json.dumps(asdict(told), default=str).encode() + b"\n")


def last(now: datetime, at: time) -> date:
    """Gives the day whose hour was the last to strike."""
    return now.date() if now.time() >= at else now.date() - _DAY


@dataclass(frozen=True)
class Next:
    """When the next look begins, and when it is told."""

    look: datetime
    tell: datetime


def following(now: datetime, at: time, told: date) -> Next:
    """Gives what comes next; a day that was missed, since the machine slept, is made up for at once."""
    tell = datetime.combine(last(now, at) + _DAY, at)
    if told == last(now, at):
        return Next(tell - AHEAD, tell)
    return Next(now, min(now + AHEAD, tell))
