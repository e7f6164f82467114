"""`python -m relay status`: whether the box does its work, and what a person should do if not."""

from __future__ import annotations

import argparse
import http.client
import json
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import date
from pathlib import Path

from relay.circuits import line_of
from relay.day import today
from relay.errors import BadSettings, NoTor
from relay.plug import Plug
from relay.settings import Address, Settings, load
from relay.tor import Health, Published, health

QUIET_DAYS = 7  # without a desk
EXPIRY_DAYS = 14  # in which a new edition can be made in peace

_SECONDS = 10  # for the relay to answer
_LONGEST = 1 << 16  # bytes of its answer
_NUMBERS = ("edition", "free_bytes", "reserve_bytes", "drops", "unfinished")

_ABOUT = """\
Says whether the box does its work: the relay, its disk, edition and board, the sealer, tor, and whether the
two onions can be found. Tor asks a directory for each onion as a visitor's would, which may take a minute;
asked more often than every five minutes it may ask none.

Exit status: 0 when all is well, 1 when something needs a person, 2 when it was called wrongly."""


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that needs a person: what it is, and what to do."""

    sentence: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Relay:
    """What a running relay says of itself (relay/PROTOCOL.md)."""

    edition: int
    expires: date
    free_bytes: int
    reserve_bytes: int
    drops: int
    unfinished: int
    board_day: date

    @property
    def room(self) -> int:
        """Bytes for drops."""
        return max(self.free_bytes - self.reserve_bytes, 0)


@dataclass(frozen=True, slots=True)
class Report:
    """What relay, tor and sealer say of themselves, None where they do not, and all that needs a person."""

    relay: Relay | None
    tor: Health | None
    sealer: bool | None  # whether it answers, if there is one
    problems: list[Problem]


def main(argv: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(
        "python -m relay status", description=_ABOUT, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", action="store_true", help="one object for programs")
    parser.add_argument("settings", type=Path, metavar="SETTINGS", help="the relay's settings")
    arguments = parser.parse_args(argv)
    try:
        settings = load(arguments.settings)
    except BadSettings as mistakes:
        for mistake in str(mistakes).splitlines():
            print(f"relay: error: {mistake}", file=sys.stderr)
        return 2
    report = look(settings)
    print(_as_json(report) if arguments.json else _as_text(settings, report))
    return 1 if report.problems else 0


def look(settings: Settings) -> Report:
    """What the relay and tor of these settings say of themselves, and what is wrong; waits for them in vain a
    few minutes at most."""
    relay, tor = None, None
    problems: list[Problem] = []
    try:
        relay = ask(settings.desk, settings.circuits)
        problems += _of_relay(relay)
    except PermissionError:
        problems.append(Problem("this user may not ask the relay", "ask as the relay's user, or as root"))
    except (OSError, ValueError, http.client.HTTPException):
        problems.append(Problem("the relay does not answer", "see whether it runs, and what it said last"))
    if settings.control is not None:
        onions = {"source": settings.source_onion, "desk": settings.desk_onion}
        try:
            tor = health(settings.control, {name: onion for name, onion in onions.items() if onion})
            problems += _of_tor(tor)
        except NoTor as error:
            problems.append(Problem(str(error), "see whether tor runs, and who may use its control socket"))
    sealer = None if settings.sealer is None else answers(settings.sealer, settings.circuits)
    if sealer is False:
        problems.append(Problem("the sealer does not answer", "see whether it runs, and what it said last"))
    return Report(relay, tor, sealer, problems)


def answers(sealer: Address, circuits: str) -> bool:
    """Whether the sealer shows its first page, or at least has too many visitors to show it."""
    try:
        return _get(sealer, circuits, "/")[0] in (200, 503)
    except (OSError, http.client.HTTPException):
        return False


def _get(address: Address, circuits: str, target: str) -> tuple[int, bytes]:
    """The status and body of an answer; OSError or HTTPException when there is none."""
    with closing(http.client.HTTPConnection("relay")) as asking:
        asking.sock = Plug(address, time.monotonic() + _SECONDS, _LONGEST)
        if circuits == "haproxy":
            asking.sock.sendall(line_of(0))
        asking.request("GET", target)
        answer = asking.getresponse()
        return answer.status, answer.read()


def ask(desk: Address, circuits: str) -> Relay:
    """What the relay says of itself at its desk socket; OSError, HTTPException or ValueError when it says
    nothing or something else."""
    _, body = _get(desk, circuits, "/status")
    try:
        said = json.loads(body)
        relay = Relay(
            expires=date.fromisoformat(said["expires"]),
            board_day=date.fromisoformat(said["board_day"]),
            **{name: said[name] for name in _NUMBERS},
        )
    except (LookupError, TypeError, RecursionError):
        raise ValueError("this is no status") from None
    if not all(type(getattr(relay, name)) is int for name in _NUMBERS):
        raise ValueError("this is no status")
    return relay


def _of_relay(relay: Relay) -> Iterator[Problem]:
    left = (relay.expires - today()).days
    if left <= EXPIRY_DAYS:
        yield Problem(
            f"the edition expire{'d' if left < 0 else 's'} on {relay.expires}",
            "build and sign a new edition, and put it on the box",
        )
    if relay.room < relay.reserve_bytes:
        yield Problem(
            f"the disk has room for only {_size(relay.room)} of drops",
            "ask the journalists to fetch and delete drops, or give the box a larger disk",
        )
    quiet = (today() - relay.board_day).days
    if quiet > QUIET_DAYS:
        yield Problem(
            f"no desk has been here for {quiet} days",
            "ask the journalists to run `desk fetch`; where that fails, it says why",
        )


def _of_tor(tor: Health) -> Iterator[Problem]:
    if tor.progress < 100:
        yield Problem(
            f"tor has not reached the network: it has done {tor.progress} percent of its start",
            "wait some minutes; if it stays so, look at the box's network, its clock and tor's log",
        )
        return
    for name in ("source", "desk"):
        onion = tor.onions.get(name)
        if onion is None:
            yield Problem(
                f"nobody looks for the {name} onion, for the settings do not name it",
                f"write {name}_onion, with what stands in the service's file hostname",
            )
        elif not onion.served:
            yield Problem(
                f"tor does not serve the {name} onion that the settings name",
                "compare it with the service's file hostname; if they agree, look at tor's log",
            )
        elif onion.found is False:
            yield Problem(
                f"the {name} onion cannot be found",
                "look at the box's network, its clock and tor's log; if they show nothing, restart tor",
            )
        elif onion.stale:
            yield Problem(
                f"the {name} onion was not published anew for over two hours",
                "look at the box's clock and tor's log; if they show nothing, restart tor",
            )


def _as_json(report: Report) -> str:
    relay, tor = report.relay, report.tor
    said = {
        "ok": not report.problems,
        "relay": asdict(relay) if relay is not None else None,
        "tor": asdict(tor) if tor is not None else None,
        "sealer": report.sealer,
        "problems": [asdict(problem) for problem in report.problems],
    }
    return json.dumps(said, default=lambda day: day.isoformat())


def _as_text(settings: Settings, report: Report) -> str:
    lines: list[tuple[str, str]] = []
    if (relay := report.relay) is not None:
        lines += [
            ("edition", f"{relay.edition}, until {relay.expires}"),
            ("drops", f"{relay.drops}, and {relay.unfinished} on the way; room for {_size(relay.room)}"),
            ("board", f"last written to on {relay.board_day}"),
        ]
    if (tor := report.tor) is not None:
        lines.append(("tor", f"{tor.progress} percent started"))
        lines += [(f"{name} onion", _words(onion)) for name, onion in tor.onions.items()]
    elif settings.control is None:
        lines.append(("tor", "not asked, for the settings name no control socket"))
    if report.sealer:
        lines.append(("sealer", "answers"))
    for problem in report.problems:
        lines += [("problem", problem.sentence), ("remedy", problem.remedy)]
    return "\n".join(f"{name + ':':<14}{said}" for name, said in lines)


def _words(onion: Published) -> str:
    found = {True: "found just now", False: "not found", None: "looked for a short time ago"}[onion.found]
    if onion.uploaded is None:
        return found
    which = "; the last one was" if onion.found is False else ","
    return f"{found}{which} uploaded after {onion.uploaded:%Y-%m-%d %H:%M} UTC"


def _size(count: int) -> str:
    return f"{count / (1 << 30):.1f} GiB" if count >= 1 << 30 else f"{count >> 20} MiB"
