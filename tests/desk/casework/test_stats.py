"""What a newsroom can count: by month, on the desk."""

import xml.etree.ElementTree as ElementTree
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from support.newsdesk import Newsdesk, Source, today

from keys.casework import Said, statement
from keys.desk.casework import stats
from keys.desk.desk import Desk
from keys.desk.home import Home
from keys.desk.state import Entry, OwnReply, State
from keys.letter import Letter, Record

TODAY = date(2026, 11, 22)


def entry(number: int, day: str, thread: int, **changes: Any) -> Entry:
    to = ("ada", "bea")
    letter = Letter(newsroom="n", thread=bytes([thread]) * 32, language="en", to=to, message=f"{number:032x}")
    id_, note = f"{number:032x}", f"{number:032x}" if "author" in changes else ""
    return Entry(id_, date.fromisoformat(day), 1, replace(letter, **changes), note=note)


def says(time: str, kind: str, **more: object) -> Said:
    return Said((), (statement(time, kind, **more),))


PUBLISHED = says("2026-11-02T06:00Z", "state", state="published", text="")
ENTRIES = [
    entry(1, "2026-09-10", 1),
    entry(2, "2026-09-12", 1, author="bea", record=Record("1" * 16, (0,))),
    entry(3, "2026-09-30", 2),
    entry(4, "2026-11-01", 1),
    entry(5, "2026-11-02", 1, author="bea", case=PUBLISHED),
    entry(6, "2026-11-02", 2, author="eve", case=PUBLISHED),
    entry(7, "2026-11-03", 3),
    entry(8, "2026-11-03", 3, author="bea", case=says("2026-11-04T06:00Z", "read", messages=[f"{3:032x}"])),
    Entry("b" * 32, date(2026, 11, 4), 1, bare=True),
    Entry("c" * 32, date(2026, 11, 4), 1, problem="broken"),
]


def months(house: Newsdesk, folder: Path, state: State) -> list[stats.Month]:
    return stats.months(Desk(Home(folder), house.newsroom, house.journalists["ada"], state), TODAY)


def test_month_by_month(quiet: Newsdesk, tmp_path: Path) -> None:
    reply = OwnReply("2" * 16, b"\2" * 32, ("ada",), "en", "text", date(2026, 10, 7), used=(0,))
    queued = OwnReply("3" * 16, b"\3" * 32, ("ada",), "en", "text", date(2026, 11, 3))
    state = State(
        entries={one.id: one for one in ENTRIES},
        shown={"b" * 32, f"{1:032x}"},
        replies={one.id: one for one in (reply, queued)},
    )
    september, october, november = months(quiet, tmp_path, state)
    assert (september.month, september.received, september.opened, september.cases) == ("2026-09", 2, 2, 2)
    assert {state: count for state, count in september.states.items() if count} == {"new": 1, "published": 1}
    assert (september.answered, september.days, september.published) == (2, 4.5, 0)
    assert (october.month, october.received, october.cases, october.days) == ("2026-10", 0, 0, None)
    assert (november.received, november.opened, november.cases, november.answered) == (3, 1, 1, 0)
    assert november.published == 1
    table = stats.text([september, october, november]).splitlines()
    assert table[1].split() == ["2026-09", "2", "2", "2", "1", "0", "0", "1", "0", "2", "4.5", "0"]


def test_nothing_came_yet(quiet: Newsdesk, tmp_path: Path) -> None:
    (month,) = months(quiet, tmp_path, State())
    assert (month.month, month.received, month.published) == ("2026-11", 0, 0)
    ElementTree.fromstring(stats.svg([month]))  # noqa: S314 - our own


def test_a_day_that_the_box_made_up_fills_no_screen(quiet: Newsdesk, tmp_path: Path) -> None:
    old = replace(ENTRIES[0], day=date(1, 1, 1))
    said = replace(
        ENTRIES[4], letter=replace(ENTRIES[4].letter, case=says("1000-01-01T00:00Z", "note", text="x"))
    )  # type: ignore[type-var]
    found = months(quiet, tmp_path, State(entries={old.id: old, said.id: said}))
    assert (len(found), found[-1].month) == (240, "2026-11")


def test_the_chart_is_small_and_names_what_it_shows(quiet: Newsdesk, tmp_path: Path) -> None:
    found = months(quiet, tmp_path, State(entries={one.id: one for one in ENTRIES}))
    chart = stats.svg(found * 10)
    root = ElementTree.fromstring(chart)  # noqa: S314 - our own
    space = "{http://www.w3.org/2000/svg}"
    bars = [one for one in root.iter(f"{space}rect") if one.find(f"{space}title") is not None]
    assert len(bars) == 24
    heights = [int(one.get("height", "")) for one in bars]
    assert (max(heights), min(heights)) == (116, 0)
    assert len(chart) < 5000


def test_the_command(house: Newsdesk, tmp_path: Path) -> None:
    drop = Source(house).send("hello")
    house.desk("ada", "fetch")
    house.desk("ada", "show", drop)
    house.desk("ada", "case", drop, "state", "published")
    chart = tmp_path / "chart.svg"
    said = house.desk("ada", "stats", "--json", "--svg", chart).json
    month = f"{today():%Y-%m}"
    assert said[-1] == {
        "month": month,
        "received": 1,
        "opened": 1,
        "cases": 1,
        "states": {"new": 0, "checking": 0, "investigating": 0, "published": 1, "aside": 0},
        "answered": 0,
        "days": None,
        "published": 1,
    }
    assert f"{month}: 1 published" in chart.read_text()
    assert house.desk("ada", "stats").out.splitlines()[-1].split()[:4] == [month, "1", "1", "1"]
    again = house.desk("ada", "stats", "--svg", chart)
    assert (again.status, "is there already" in again.err) == (1, True)
