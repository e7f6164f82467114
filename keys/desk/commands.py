"""The commands of `desk`, one function each: from parsed arguments to what is printed."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from time import sleep
from typing import Any

from keys.desk import bare, editions, extract, outbox
from keys.desk import keygen as new
from keys.desk import show as shows
from keys.desk import visit as visits
from keys.desk import watch as watches
from keys.desk.bare import Bare
from keys.desk.boards import Boards
from keys.desk.conversation import conversation
from keys.desk.desk import Desk, open_again, open_desk
from keys.desk.home import Home, Settings, read_identity, read_masthead
from keys.desk.inbox import Fetched
from keys.desk.state import Entry
from keys.desk.sync import sync
from keys.desk.terminal import Progress, complain, read_text, say, say_json, size, warn
from keys.drop import DropReader
from keys.errors import Deceived, DeskError, KnotholeError, NotWatched
from keys.line import LONGEST
from keys.onion import CLIENTS
from keys.passphrase import Passphrases

WARNING_DAYS = 14  # before an edition expires


def keygen(arguments: argparse.Namespace) -> None:
    if bool(arguments.name) + arguments.masthead + arguments.onions != 1:
        raise DeskError("name a journalist, or give --masthead or --onions", hint="such as `desk keygen ada`")
    passphrases = Passphrases(arguments.passphrase_fd)
    if arguments.onions:
        for place, address in new.new_onions(arguments.folder):
            say(f"{place} is {address}: it goes to the box, with a copy offline for the next one")
        say("nothing locks these folders: whoever has one is reached at its address")
    elif arguments.masthead:
        key, pub = new.new_masthead(arguments.folder, passphrases)
        say(f"{key} signs editions: keep it offline, with a copy elsewhere")
        say(f"{pub} goes to every desk and into newsroom.yaml")
    else:
        key, pub = new.new_identity(arguments.name, arguments.folder, passphrases)
        say(f"{key} opens drops: keep it, with a copy elsewhere; nobody can make it again")
        say(f"{pub} goes to the newsroom")


def invite(arguments: argparse.Namespace) -> None:
    auth, tor, browser = new.new_client(arguments.name, arguments.onion, arguments.folder)
    say(
        f"{auth} goes to the box, into {new.DESK_ONION}/{CLIENTS}/; without it there, {arguments.name} is out"
    )
    say(f"{tor} goes to {arguments.name} in secret, for tor's ClientOnionAuthDir")
    say(f"{browser} goes with it: it is what Tor Browser asks for")
    say("delete the last two here once they are there; a lost one is replaced by inviting again")


def join(arguments: argparse.Namespace) -> None:
    home, masthead = _home(arguments), read_masthead(arguments.masthead)
    passphrases = Passphrases(arguments.passphrase_fd)
    settings = Settings(arguments.relay, str(arguments.identity.resolve()), arguments.socks, arguments.page)
    newsroom = editions.join(home, arguments.edition, masthead, settings, passphrases)
    say(f"this is a desk of {newsroom.name}, edition {newsroom.edition}, which expires on {newsroom.expires}")


def fetch(arguments: argparse.Namespace) -> None:
    def work(desk: Desk, boards: Boards) -> dict[str, Any]:
        with Progress() as progress:
            fetched = sync(desk, boards, progress)
        if not arguments.json:
            _say_fetched(fetched)
        return vars(fetched)

    _beside_a_visit(arguments, work)


def watch(arguments: argparse.Namespace) -> None:
    with _desk(arguments) as desk:
        look = watches.begin(desk, visits.PATIENT, always=True)
    while True:
        report = _finished(desk, look)
        if arguments.json:
            say_json(shows.report_json(report))
        elif report.compared:
            say(shows.report(report))
        _warn_of_newer(report)
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


def list_(arguments: argparse.Namespace) -> None:
    with _desk(arguments) as desk:
        if arguments.json:
            say_json(shows.listing_json(desk.state))
        else:
            say(shows.listing(desk.state))


def show(arguments: argparse.Namespace) -> None:
    if path := _lone(arguments.drop):
        with _lone_drop(arguments, path) as drop:
            _show(drop, arguments.json, {}, [("file", str(path))])
        return
    with _desk(arguments) as desk:
        entry = desk.find(arguments.drop)
        if entry.bare:
            _show_bare(desk, entry, arguments)
            return
        if entry.letter is None:
            raise DeskError(f"{entry.id[: shows.SHORT]} was not read: {entry.problem}")
        turns = list(conversation(desk, entry.letter.thread, editions.today()))
        facts = [("drop", entry.id), ("day", str(entry.day)), ("size", size(entry.size))]
        if entry.forged:
            facts.append(("FORGED", f"{entry.letter.author} did not sign this note"))
        more = {"id": entry.id, "day": str(entry.day), "forged": entry.forged}
        more["conversation"] = [shows.turn_json(turn) for turn in turns]
        with desk.home.drop(entry.id).open("rb") as source:
            _show(DropReader(source, [desk.identity], desk.place), arguments.json, more, facts)
        if not arguments.json:
            say("\n" + shows.turns(turns, entry.id))
        _mark(desk, [entry, *(one for one in desk.state.thread(entry.letter.thread) if not one.files)])


def open_(arguments: argparse.Namespace) -> None:
    if path := _lone(arguments.drop):
        with _lone_drop(arguments, path) as drop:
            _extract(drop, arguments)
        return
    with _desk(arguments) as desk:
        entry = desk.find(arguments.drop)
        if entry.letter is None and not entry.bare:
            raise DeskError(f"{entry.id[: shows.SHORT]} was not read: {entry.problem}")
        with desk.home.drop(entry.id).open("rb") as source:
            _extract(bare.read(source, [desk.identity], desk.place), arguments)
        _mark(desk, [entry])


def reply(arguments: argparse.Namespace) -> None:
    def work(desk: Desk, boards: Boards) -> dict[str, Any]:
        entry = desk.find(arguments.drop)
        made = outbox.queue(desk, entry, read_text(LONGEST), editions.today())
        desk.save()
        try:
            with Progress() as progress:
                fetched = sync(desk, boards, progress)
        except KnotholeError as error:
            hint = "the reply is kept; `desk fetch` posts it"
            raise type(error)(error.detail, hint=hint) from None
        condition = outbox.condition(desk, desk.state.replies[made.id], editions.today())
        if not arguments.json:
            posted = condition == "posted"
            say("posted; the source can read it now" if posted else "queued; `desk fetch` posts it")
            if fetched.drops:
                say(f"{_count(fetched.drops, 'new drop')} came meanwhile")
        return {"reply": made.id, "condition": condition}

    _beside_a_visit(arguments, work)


def verify_edition(arguments: argparse.Namespace) -> None:
    # A masthead that is given stands for itself; without one the home's is meant, and all the home knows.
    home = None if arguments.masthead else _home(arguments)
    masthead = home.masthead if home else read_masthead(arguments.masthead)
    if arguments.target.startswith(("http:", "https:", "unix:")):
        with Progress() as progress:
            manifest = editions.verify_relay(arguments.target, arguments.socks, masthead, home, progress)
    else:
        manifest = editions.verify_folder(Path(arguments.target), masthead, home)
    said = {"newsroom": manifest.newsroom, "edition": manifest.edition, "files": len(manifest.files)}
    if arguments.json:
        say_json(said | {"genuine": True, "expires": str(manifest.expires)})
    else:
        files = _count(len(manifest.files), "file")
        say(f"genuine: edition {manifest.edition} of {manifest.newsroom}, {files}, until {manifest.expires}")
    _warn_of_expiry(manifest.expires)


def _home(arguments: argparse.Namespace) -> Home:
    return Home(arguments.home.expanduser())


def _beside_a_visit(arguments: argparse.Namespace, work: Callable[[Desk, Boards], dict[str, Any]]) -> None:
    """Does a sync's work while a watcher is at the page, and says what came of both."""
    look = None
    try:
        with _desk(arguments) as desk:
            look = watches.begin(desk, visits.BRIEF)
            said = work(desk, look.boards)
    except BaseException as error:
        if look:
            look.break_off()
        if look and isinstance(error, KnotholeError) and (found := _complaint(_finished(desk, look))):
            complain(found)
        raise
    report = _finished(desk, look)
    if arguments.json:
        say_json(said | {"watch": shows.report_json(report)})
    if report.trouble:
        warn(str(NotWatched(report.trouble)))
    _warn_of_newer(report)
    if found := _complaint(report):
        raise found


def _finished(desk: Desk, look: watches.Look) -> watches.Report:
    with Progress() as progress:
        seen = look.wait(progress)
    return watches.conclude(desk, look, seen)


def _complaint(report: watches.Report) -> Deceived | None:
    """Gives the last finding as an error, after saying those before it."""
    errors = [
        Deceived(finding.says, hint=f"see {folder}: it holds the evidence, and says what to do")
        for finding, folder in report.findings
    ]
    for error in errors[:-1]:
        complain(error)
    return errors[-1] if errors else None


@contextmanager
def _desk(arguments: argparse.Namespace) -> Iterator[Desk]:
    with open_desk(_home(arguments), Passphrases(arguments.passphrase_fd)) as desk:
        yield desk
        _warn_of_expiry(desk.newsroom.expires)


def _lone(given: str) -> Path | None:
    """Gives the path that was given in place of an id, if it is one."""
    return Path(given) if "/" in given or given.endswith(".age") else None


@contextmanager
def _lone_drop(arguments: argparse.Namespace, path: Path) -> Iterator[DropReader | Bare]:
    """Gives a drop that is a file by itself; of the home only the identity is used, and only without
    --identity."""
    identity = arguments.identity or Path(_home(arguments).settings.identity)
    journalist = read_identity(identity, Passphrases(arguments.passphrase_fd))
    with path.open("rb") as source:
        yield bare.read(source, [journalist.identity])


def _show_bare(desk: Desk, entry: Entry, arguments: argparse.Namespace) -> None:
    facts = [("drop", entry.id), ("day", str(entry.day)), ("size", size(entry.size))]
    with desk.home.drop(entry.id).open("rb") as source:
        drop = bare.read(source, [desk.identity], desk.place)
        _show(drop, arguments.json, {"id": entry.id, "day": str(entry.day)}, facts)
    _mark(desk, [entry])


def _show(drop: DropReader | Bare, as_json: bool, more: dict[str, Any], facts: list[tuple[str, str]]) -> None:
    with Progress() as progress:
        sums = extract.sums(drop, lambda have: progress(f"reading: {size(have)}"))
    if as_json:
        files = [vars(one) for one in sums]
        said = shows.letter_json(drop.letter) if drop.letter else {"kind": "bare"}
        say_json(said | {"message": drop.text, "files": files} | more)
    elif drop.letter:
        say(shows.drop(drop.letter, drop.text, sums, facts))
    else:
        say(shows.bare(sums, facts))


def _extract(drop: DropReader | Bare, arguments: argparse.Namespace) -> None:
    folder = arguments.folder
    with Progress() as progress:
        count = extract.extract(drop, folder, lambda have: progress(f"writing: {size(have)}"))
    if arguments.json:
        say_json({"folder": str(folder), "files": count})
    else:
        say(f"{folder} holds {'the message and ' if drop.letter else ''}{_count(count, 'file')}")


def _mark(desk: Desk, entries: Iterable[Entry]) -> None:
    new = {entry.id for entry in entries} - desk.state.shown
    if new:
        desk.state.shown |= new
        desk.save()


def _say_fetched(fetched: Fetched) -> None:
    said = [_count(fetched.drops, "new drop"), _count(fetched.notes, "note")]
    if fetched.problems:
        said.append(f"{fetched.problems} that could not be read; `desk list` says why")
    say(", ".join(said))


def _warn_of_newer(report: watches.Report) -> None:
    if report.newer:
        warn(f"the box serves edition {report.newer}, newer than this desk's: `desk join` takes it over")


def _warn_of_expiry(expires: date) -> None:
    left = (expires - editions.today()).days
    if left <= WARNING_DAYS:
        expiry = "expires" if left >= 0 else "expired"
        warn(f"the edition {expiry} on {expires}; the newsroom owes you the next one")


def _count(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
