"""The commands of `desk` that make keys or meet the relay, one function each: from parsed arguments to what
is printed. `keys.desk.reading` has the others."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from pathlib import Path
from time import sleep
from typing import Any

from keys.desk import editions, notes, outbox
from keys.desk import keygen as new
from keys.desk import show as shows
from keys.desk import visit as visits
from keys.desk import watch as watches
from keys.desk.arguments import desk_of, home_of, warn_of_expiry
from keys.desk.boards import Boards
from keys.desk.cases import Cases
from keys.desk.caseshow import overdue
from keys.desk.desk import Desk, open_again
from keys.desk.home import Settings, read_masthead
from keys.desk.inbox import Fetched
from keys.desk.sync import sync
from keys.desk.terminal import Progress, complain, counted, read_text, say, say_json, warn
from keys.errors import Deceived, DeskError, KnotholeError, NotWatched
from keys.line import LONGEST
from keys.onion import CLIENTS
from keys.passphrase import Passphrases


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
        f"{auth} goes into {CLIENTS}/ of that onion's folder, and so to the box; "
        f"without it there, {arguments.name} is out"
    )
    say(f"{tor} goes to {arguments.name} in secret, for tor's ClientOnionAuthDir")
    say(f"{browser} goes with it: it is what Tor Browser asks for")
    say("delete the last two here once they are there; a lost one is replaced by inviting again")


def join(arguments: argparse.Namespace) -> None:
    home, masthead = home_of(arguments), read_masthead(arguments.masthead)
    passphrases = Passphrases(arguments.passphrase_fd)
    settings = Settings(arguments.relay, str(arguments.identity.resolve()), arguments.socks, arguments.page)
    newsroom = editions.join(home, arguments.edition, masthead, settings, passphrases)
    say(f"this is a desk of {newsroom.name}, edition {newsroom.edition}, which expires on {newsroom.expires}")


def fetch(arguments: argparse.Namespace) -> None:
    def work(desk: Desk, boards: Boards) -> dict[str, Any]:
        with Progress() as progress:
            fetched = sync(desk, boards, progress, every=arguments.all)
        if not arguments.json:
            _say_fetched(fetched)
            if notes.waits(desk):
                say("there is more to tell the others: `desk fetch` tells some of it each time")
        _warn_of_unread(desk)
        return vars(fetched)

    _beside_a_visit(arguments, work)


def watch(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
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


def reply(arguments: argparse.Namespace) -> None:
    def work(desk: Desk, boards: Boards) -> dict[str, Any]:
        entry = desk.find(arguments.drop)
        text = read_text(LONGEST, hint="send it as two replies")
        made = outbox.queue(desk, entry, text, editions.today())
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
                say(f"{counted(fetched.drops, 'new drop')} came meanwhile")
        return {"reply": made.id, "condition": condition}

    _beside_a_visit(arguments, work)


def verify_edition(arguments: argparse.Namespace) -> None:
    # A masthead that is given stands for itself; without one the home's is meant, and all the home knows.
    home = None if arguments.masthead else home_of(arguments)
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
        files = counted(len(manifest.files), "file")
        say(f"genuine: edition {manifest.edition} of {manifest.newsroom}, {files}, until {manifest.expires}")
    warn_of_expiry(manifest.expires)


def _beside_a_visit(arguments: argparse.Namespace, work: Callable[[Desk, Boards], dict[str, Any]]) -> None:
    """Does a sync's work while a watcher is at the page, and says what came of both."""
    look = None
    try:
        with desk_of(arguments) as desk:
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


def _say_fetched(fetched: Fetched) -> None:
    said = [counted(fetched.drops, "new drop"), counted(fetched.notes, "note")]
    if fetched.problems:
        said.append(f"{fetched.problems} that could not be read; `desk list` says why")
    say(", ".join(said))


def _warn_of_unread(desk: Desk) -> None:
    cases = Cases(desk)
    late = [key for key in cases.threads if overdue(cases.of(key), editions.today())]
    if late:
        warn(f"{counted(len(late), 'case')} with drops that nobody has read for days: `desk cases`")


def _warn_of_newer(report: watches.Report) -> None:
    if report.newer:
        warn(f"the box serves edition {report.newer}, newer than this desk's: `desk join` takes it over")
