"""Numbers for the newsroom, counted on the desk from what only it can read: month by month what came, what
became of it, and how long sources waited."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median
from typing import Any

from keys.casework import STATES
from keys.desk.casework.case import Case
from keys.desk.casework.cases import Cases
from keys.desk.desk import Desk
from keys.desk.state import State
from keys.desk.terminal import table

_BARS = 12  # months in a chart
_DROPS, _PUBLISHED = "#33658a", "#c04000"
_MOST = 240  # months that are counted: days are the box's word, and times a colleague's


@dataclass(frozen=True)
class Month:
    """One month, `YYYY-MM`: how many drops came and how many of those were read; the cases that began, by
    where they stand now, how many of them were answered and after how many days in the median; and how many
    cases were published in it, whenever they began."""

    month: str
    received: int
    opened: int
    states: Mapping[str, int]
    answered: int
    days: float | None
    published: int

    @property
    def cases(self) -> int:
        return sum(self.states.values())

    def to_plain(self) -> dict[str, Any]:
        return {**vars(self), "cases": self.cases}


def months(desk: Desk, today: date) -> list[Month]:
    """Gives every month from the first drop's to this one."""
    cases = Cases(desk)
    folded = {thread: cases.of(thread) for thread in cases.threads}
    received, opened = _drops(desk.state, folded.values())
    answers = _answers(desk.state, cases, folded)
    began: dict[str, list[tuple[str, int | None]]] = {}
    published: Counter[str] = Counter()
    for thread, case in folded.items():
        first = case.messages[0].day
        waited = max((answers[thread] - first).days, 0) if thread in answers else None
        began.setdefault(_month(first), []).append((case.stands, waited))
        published.update(_published(case))
    found = []
    for month in _until(min([*received, _month(today)]), today):
        these = began.get(month, [])
        waits = [waited for _, waited in these if waited is not None]
        states = Counter(state for state, _ in these)
        found.append(
            Month(
                month,
                received[month],
                opened[month],
                {state: states[state] for state in STATES},
                len(waits),
                median(waits) if waits else None,
                published[month],
            )
        )
    return found


def _drops(state: State, cases: Iterable[Case]) -> tuple[Counter[str], Counter[str]]:
    """Gives in which months drops came, and those that somebody has read."""
    read = {id_ for case in cases for id_ in case.reads}
    received: Counter[str] = Counter()
    opened: Counter[str] = Counter()
    for entry in state.entries.values():
        if entry.of_source:
            month = _month(entry.day)
            received[month] += 1
            opened[month] += entry.id in state.shown or bool(entry.letter and entry.letter.message in read)
    return received, opened


def _answers(state: State, cases: Cases, folded: Mapping[bytes, Case]) -> dict[bytes, date]:
    """Gives the day of the first answer in each case that has one."""
    found = [(reply.thread, reply.day) for reply in state.replies.values() if reply.used]
    for entry in state.entries.values():
        letter = entry.letter
        if letter and letter.record and cases.believes(entry):
            case = folded.get(letter.thread)
            if case and letter.author in case.readers:
                found.append((letter.thread, entry.day))
    first: dict[bytes, date] = {}
    for thread, day in found:
        first[thread] = min(day, first.get(thread, day))
    return first


def _published(case: Case) -> list[str]:
    """Gives the month in which a case that is published was first said to be."""
    if case.stands != "published":
        return []
    said = (one for one in case.history if one.says == "state")
    times = [one.time for one in said if one.statement.more["state"] == "published"]
    return [min(times)[:7]]


def _month(day: date) -> str:
    return f"{day:%Y-%m}"


def _until(first: str, today: date) -> list[str]:
    """Gives the months from the first to this one."""
    at = today.year * 12 + today.month - 1
    names = (f"{month // 12:04d}-{month % 12 + 1:02d}" for month in range(at, max(at - _MOST, 11), -1))
    return [name for name in names if name >= first][::-1]


def text(found: Sequence[Month]) -> str:
    """Gives the months as a table."""
    head = ("MONTH", "DROPS", "OPENED", "CASES", *(state.upper() for state in STATES))
    rows = [(*head, "ANSWERED", "DAYS", "PUBLISHED IN IT")]
    for one in found:
        counts = (one.received, one.opened, one.cases, *(one.states[state] for state in STATES), one.answered)
        days = "" if one.days is None else f"{one.days:g}"
        rows.append((one.month, *map(str, counts), days, str(one.published)))
    return table(rows)


def svg(found: Sequence[Month]) -> str:
    """Gives a small chart of the last months: drops that came, and cases that were published."""
    last = found[-_BARS:]
    most = max([1, *(max(one.received, one.published) for one in last)])
    parts = []
    for at, one in enumerate(last):
        left = 44 + at * 46
        parts.append(_bar(left, one.received, most, _DROPS, f"{one.month}: {one.received} drops"))
        parts.append(
            _bar(left + 17, one.published, most, _PUBLISHED, f"{one.month}: {one.published} published")
        )
        parts.append(f'<text x="{left + 16}" y="152" text-anchor="middle">{one.month[2:]}</text>\n')
    width = 56 + len(last) * 46
    return f'''<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} 180" width="{width}" height="180"
 role="img" font-family="sans-serif" font-size="11">
<title>Drops that came and cases published, {last[0].month} to {last[-1].month}</title>
<rect width="{width}" height="180" fill="#fff"/>
<path d="M40 20V136H{width - 12}" fill="none" stroke="#444"/>
<text x="36" y="24" text-anchor="end">{most}</text>
<text x="36" y="138" text-anchor="end">0</text>
{"".join(parts)}<text x="44" y="172" fill="{_DROPS}">drops</text>
<text x="80" y="172" fill="{_PUBLISHED}">published</text>
</svg>
'''


def _bar(left: int, count: int, most: int, colour: str, says: str) -> str:
    height = round(116 * count / most)
    place = f'x="{left}" y="{136 - height}" width="15" height="{height}"'
    return f'<rect {place} fill="{colour}"><title>{says}</title></rect>\n'
