"""The commands of `desk` that make keys or meet the relay, one function each: from parsed arguments to what
is printed. `keys.desk.reading` has the others."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from keys.desk import editions, notes, outbox
from keys.desk import keygen as new
from keys.desk.arguments import home_of, warn_of_expiry
from keys.desk.boards import Boards
from keys.desk.casework.cases import Cases
from keys.desk.casework.show import overdue
from keys.desk.desk import Desk
from keys.desk.home import Settings, read_masthead
from keys.desk.inbox import Fetched
from keys.desk.sync import sync
from keys.desk.terminal import Progress, counted, read_text, say, say_json, warn
from keys.desk.watcher.commands import sync_beside_a_visit
from keys.errors import DeskError, KnotholeError
from keys.identity import parse_public
from keys.line import LONGEST
from keys.onion import CLIENTS
from keys.passphrase import Passphrases

REPLY_DAYS = 3  # before an unread reply is given up


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
        number = parse_public(pub.read_text()).number
        say(f"{pub} goes to the newsroom; when they read its number to you, it is {number}")


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
    newsroom, changes = editions.join(home, arguments.edition, masthead, settings, passphrases)
    say(f"this is a desk of {newsroom.name}, edition {newsroom.edition}, which expires on {newsroom.expires}")
    for one in changes:
        (say if one.expected else warn)(one.says)
    warn_of_expiry(newsroom.expires)


def fetch(arguments: argparse.Namespace) -> None:
    def work(desk: Desk, boards: Boards) -> dict[str, Any]:
        with Progress() as progress:
            fetched = sync(desk, boards, progress, every=arguments.all)
        if not arguments.json:
            _say_fetched(fetched)
            if notes.waits(desk):
                say("there is more to tell the others: `desk fetch` tells some of it each time")
        _warn_of_unread(desk)
        _warn_of_replies(desk)
        return vars(fetched)

    sync_beside_a_visit(arguments, work)


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

    sync_beside_a_visit(arguments, work)


def verify_edition(arguments: argparse.Namespace) -> None:
    # A masthead that is given stands for itself; without one the home's is meant, and all the home knows.
    home = None if arguments.masthead else home_of(arguments)
    masthead = home.masthead if home else read_masthead(arguments.masthead)
    target, files, pages = Path(arguments.target), 0, list[str]()
    if arguments.target.startswith(("http:", "https:", "unix:")):
        with Progress() as progress:
            manifest = editions.verify_relay(arguments.target, arguments.socks, masthead, home, progress)
        files = len(manifest.files)
    elif target.is_file():
        manifest, page = editions.verify_page(target, masthead, home)
        pages = [page]
    else:
        manifest = editions.verify_folder(target, masthead, home)
        files, pages = len(manifest.files), editions.verify_pages(target, manifest)
    said = {"newsroom": manifest.newsroom, "edition": manifest.edition, "files": files, "desk": pages}
    if arguments.json:
        say_json(said | {"genuine": True, "expires": str(manifest.expires)})
    else:
        what = ", ".join([counted(files, "file")] * bool(files) + pages)
        say(f"genuine: edition {manifest.edition} of {manifest.newsroom}, {what}, until {manifest.expires}")
    warn_of_expiry(manifest.expires)


def _say_fetched(fetched: Fetched) -> None:
    said = [counted(fetched.drops, "new drop"), counted(fetched.notes, "note")]
    if fetched.problems:
        said.append(f"{fetched.problems} that could not be read; `desk list` says why")
    say(", ".join(said))


def _warn_of_replies(desk: Desk) -> None:
    today = editions.today()
    ends = [
        outbox.last_day(desk, one)
        for one in desk.state.replies.values()
        if outbox.is_under_way(desk, one, today)
    ]
    soon = [day for day in ends if (day - today).days <= REPLY_DAYS]
    if soon:
        warn(f"{len(soon)} of your replies: still unread, and posted no longer after {min(soon)}")


def _warn_of_unread(desk: Desk) -> None:
    cases = Cases(desk)
    late = [key for key in cases.threads if overdue(cases.of(key), editions.today())]
    if late:
        warn(f"{counted(len(late), 'case')} with drops that nobody has read for days: `desk cases`")
