"""What `desk` does while a watcher is at the page, `desk watch` first: from parsed arguments to what is
printed."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import date, timedelta
from time import sleep
from typing import Any

from keys.desk import show as shows
from keys.desk.arguments import desk_of, warn_of_expiry
from keys.desk.boards import Boards
from keys.desk.desk import Desk, open_again
from keys.desk.sync import sync
from keys.desk.terminal import Progress, complain, say, say_json, table, warn
from keys.desk.watcher import daily, notice
from keys.desk.watcher import visit as visits
from keys.desk.watcher import watch as watches
from keys.desk.watcher.tell import way
from keys.desk.watcher.watch import Report
from keys.errors import Deceived, DeskError, KnotholeError, NotWatched

_SHEET = 31  # days


def watch(arguments: argparse.Namespace) -> None:
    if bool(arguments.at) != bool(arguments.tell):
        raise DeskError("--at and --tell go together", hint="such as `desk watch --at 09:00 --tell mail`")
    if arguments.numbers:
        return _sheet(arguments)
    if arguments.at:
        return _daily(arguments)
    return _look(arguments)


def _sheet(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
        days = [date.today() + timedelta(days=n) for n in range(_SHEET)]
        sheet = {str(day): notice.numbers(desk.journalist, day) for day in days}
    if arguments.json:
        say_json(sheet)
    else:
        head = ("DAY", *(meaning.upper() for meaning in notice.MEANINGS))
        say(table([head, *((day, *numbers.values()) for day, numbers in sheet.items())]))


def _daily(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
        watches.ready(desk)
        tell = way(arguments.tell, desk.home)

    def look(known: int) -> tuple[str, int]:
        def work(desk: Desk, boards: Boards) -> dict[str, Any]:
            with Progress() as progress:
                sync(desk, boards, progress)
            warn_of_expiry(desk.newsroom.expires)
            return {"news": notice.news(desk, known), "known": len(desk.state.entries)}

        said, report = beside_a_visit(open_again(desk), work)
        _warn(report)
        if found := _complaint(report):
            raise found
        if report.trouble:
            raise NotWatched(report.trouble)
        return said["news"], said["known"]

    daily.go_on(desk, arguments.at, tell, look, daily.Clock())


def _look(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
        look = watches.begin(desk, visits.PATIENT, always=True)
    while True:
        report = _finished(desk, look)
        if arguments.json:
            say_json(shows.report_json(report))
        elif report.compared:
            say(shows.report(report))
        _warn(report)
        wrong = _complaint(report) or (NotWatched(report.trouble) if report.trouble else None)
        if arguments.every is None:
            break
        if wrong:
            complain(wrong)
        sleep(watches.until_next(arguments.every))
        with open_again(desk) as desk:
            look = watches.begin(desk, visits.PATIENT, always=True)
    if wrong:
        raise wrong


def sync_beside_a_visit(
    arguments: argparse.Namespace, work: Callable[[Desk, Boards], dict[str, Any]]
) -> None:
    """Does a sync's work while a watcher is at the page, and says what came of both."""
    said, report = beside_a_visit(desk_of(arguments), work)
    if arguments.json:
        say_json(said | {"watch": shows.report_json(report)})
    if report.trouble:
        warn(str(NotWatched(report.trouble)))
    _warn(report)
    if found := _complaint(report):
        raise found


def beside_a_visit(
    opening: AbstractContextManager[Desk], work: Callable[[Desk, Boards], dict[str, Any]]
) -> tuple[dict[str, Any], Report]:
    """Gives what work came to that was done while a watcher was at the page, and what the watcher saw; raises
    what the work does, once it is said what was seen by then."""
    look = None
    try:
        with opening as desk:
            look = watches.begin(desk, visits.BRIEF)
            said = work(desk, look.boards)
    except BaseException as error:
        if look:
            look.break_off()
        if look and isinstance(error, KnotholeError) and (found := _complaint(_finished(desk, look))):
            complain(found)
        raise
    return said, _finished(desk, look)


def _finished(desk: Desk, look: watches.Look) -> Report:
    with Progress() as progress:
        seen = look.wait(progress)
    return watches.conclude(desk, look, seen)


def _complaint(report: Report) -> Deceived | None:
    """Gives the last finding as an error, after saying those before it."""
    errors = [
        Deceived(finding.says, hint=f"see {folder}: it holds the evidence, and says what to do")
        for finding, folder in report.findings
    ]
    for error in errors[:-1]:
        complain(error)
    return errors[-1] if errors else None


def _warn(report: Report) -> None:
    for day in report.unanswered:
        warn(
            f"no answer to the canary of {day} was seen: no desk fetched in that week, or what desks post "
            "does not reach sources; ask whether one did"
        )
    if report.newer:
        warn(f"the box serves edition {report.newer}, newer than this desk's: `desk join` takes it over")
