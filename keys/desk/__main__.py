"""`desk`: what a journalist does, from making an identity to answering a source."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from keys.desk import commands, keyparser, reading
from keys.desk.casework import parser as caseparser
from keys.desk.home import DEFAULT
from keys.desk.parser import Format, Parser, adder, as_json, drop, hour, hours, into, passphrase, socks
from keys.desk.terminal import complain
from keys.desk.watcher import commands as watchcommands
from keys.desk.watcher.tell import WAYS
from keys.errors import KnotholeError

_ABOUT = """\
Opens what sources send, and answers them. Needs a relay only to fetch and to answer.
A passphrase is asked for at the terminal, or read as one line from a file descriptor."""


def main(argv: Sequence[str] | None = None) -> int:
    """Runs one command and gives its exit status: 0, 1 when it failed, 2 when it was called wrongly."""
    for stream in (sys.stdout, sys.stderr):
        # A terminal that cannot show a letter must not end the program.
        stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    os.umask(0o077)
    arguments = _parser().parse_args(argv)
    try:
        arguments.run(arguments)
    except KnotholeError as error:
        complain(error)
        return 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        complain(KnotholeError(f"{error.filename or 'the disk'}: {(error.strerror or 'failed').lower()}"))
        return 1
    except KeyboardInterrupt:
        complain(KnotholeError("interrupted"))
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = Parser("desk", description=_ABOUT, formatter_class=Format)
    parser.add_argument(
        "--home",
        type=Path,
        default=DEFAULT,
        metavar="DIR",
        help=f"where this desk keeps its things ({DEFAULT})",
    )
    command = adder(parser.add_subparsers(required=True, metavar="COMMAND", parser_class=Parser))

    made = command("keygen", commands.keygen, "make an identity, a masthead, or a newsroom's onions", _KEYGEN)
    made.add_argument("name", nargs="?", metavar="NAME", help="the journalist's short name, such as ada")
    made.add_argument("--masthead", action="store_true", help="make the key that signs editions instead")
    made.add_argument("--onions", action="store_true", help="make the keys of the box's three onions instead")
    into(made)
    passphrase(made)

    made = command("invite", commands.invite, "let somebody reach the desk onion, or the ssh onion", _INVITE)
    made.add_argument("name", metavar="NAME", help="a short name, such as ada")
    made.add_argument(
        "--onion", required=True, metavar="ADDRESS", help="the onion that opens to them, ….onion"
    )
    into(made)

    made = command("join", commands.join, "become a desk of a newsroom, or take over its new edition", _JOIN)
    made.add_argument("edition", type=Path, metavar="EDITION", help="the folder with a build")
    made.add_argument("--masthead", type=Path, required=True, metavar="FILE", help="masthead.pub")
    made.add_argument(
        "--identity", type=Path, required=True, metavar="FILE", help="your identity, such as ada.key"
    )
    made.add_argument(
        "--relay",
        required=True,
        metavar="URL",
        help="http://….onion, http://HOST:PORT or unix:/PATH of the desk socket",
    )
    made.add_argument(
        "--page",
        default="",
        metavar="URL",
        help="where sources find the page, for the watcher (the newsroom's onion)",
    )
    socks(made)
    passphrase(made)

    made = command("fetch", commands.fetch, "fetch new drops, post what waits", _FETCH)
    made.add_argument("--all", action="store_true", help="tell colleagues all that waits, not one note of it")
    passphrase(made)
    as_json(made)

    made = command(
        "watch", watchcommands.watch, "look at the page as a source would, and send a canary", _WATCH
    )
    how = made.add_mutually_exclusive_group()
    how.add_argument(
        "--every", type=hours, metavar="HOURS", help="go on looking, so many hours apart in the mean"
    )
    how.add_argument(
        "--at", type=hour, metavar="HH:MM", help="fetch and look every day, and tell a number at this hour"
    )
    how.add_argument("--numbers", action="store_true", help="print what each day's numbers mean")
    made.add_argument("--tell", choices=WAYS, metavar="WAY", help=f"with --at: {', '.join(WAYS)}")
    passphrase(made)
    as_json(made)

    made = command("list", reading.list_, "list the drops that were fetched", _LIST)
    passphrase(made)
    as_json(made)

    made = command("show", reading.show, "show a drop, its files, and the conversation it is part of", _SHOW)
    drop(made)
    passphrase(made)
    as_json(made)

    made = command("open", reading.open_, "write a drop's message and files into a new folder", _OPEN)
    drop(made)
    made.add_argument(
        "-o", dest="folder", type=Path, required=True, metavar="DIR", help="a folder that is not there yet"
    )
    passphrase(made)
    as_json(made)

    made = command("reply", commands.reply, "answer the source of a drop", _REPLY)
    made.add_argument("drop", metavar="DROP", help="the beginning of its id")
    passphrase(made)
    as_json(made)

    caseparser.add(command)
    keyparser.add(command)

    made = command("delete", reading.delete, "delete a drop from the box, for everybody", _DELETE)
    made.add_argument("drop", metavar="DROP", help="the beginning of its id")
    passphrase(made)
    as_json(made)

    made = command(
        "verify-edition",
        commands.verify_edition,
        "check that a page is the newsroom's, byte by byte",
        _VERIFY,
    )
    made.add_argument(
        "target",
        metavar="WHERE",
        help="a folder, a page for journalists such as desk-en.html, or http://….onion, http://HOST:PORT or "
        "unix:/PATH of the source socket",
    )
    made.add_argument(
        "--masthead", type=Path, metavar="FILE", help="masthead.pub (the one this desk has joined)"
    )
    socks(made)
    as_json(made)
    return parser


_KEYGEN = """

Writes NAME.key, which only the passphrase unlocks, and NAME.pub, which the newsroom lists.
With --onions, writes two folders for tor on the box; newsroom.yaml names the source onion's address.
Overwrites nothing, and refuses to write a secret inside a git work tree."""
_INVITE = """

Writes NAME.auth for the box, and NAME.auth_private and NAME.tor-browser, which are secret, for NAME.
The desk onion is for journalists, the ssh onion for whoever keeps the box: an invitation to one does
not open the other. To revoke it, remove NAME.auth on the box and restart tor: nobody else is affected.
Overwrites nothing, and refuses to write a secret inside a git work tree."""
_JOIN = """

Checks the edition's signature and that it lists your identity; remembers newsroom and masthead.
The identity stays where it is. An onion is reached through tor, which needs the key of your invitation."""
_FETCH = """

Every fetch looks the same to the relay, whether or not it posts a reply. Meanwhile a watcher visits
the page as a source does, and now and then sends a canary: now and then that takes a minute longer.
One note to colleagues goes with each; with --all the relay sees how many there were.
Ends with 1 when the box does what no honest box does; what was fetched is there all the same."""
_WATCH = """

Visits the page over a circuit of its own, with a browser's requests and a person's pauses, compares
every byte with the signed edition, and sends a canary if none is on its way: a drop that a desk answers
at its next fetch, and whose answer is then looked for on the board. It takes some minutes.
Ends with 1 when the box does what no honest box does, with the evidence in a folder, or when there was
no look.

With --at it stays, fetches and looks every day half an hour ahead of that hour, and tells a number at it,
by a notification here, or by the program that the file `mail` in this desk's folder names, one word a
line, or to the webhook in its file `webhook`, through tor. Every day has three numbers: for nothing new,
something new, and trouble. --numbers prints them for a month: whoever lacks that sheet learns nothing."""
_LIST = """

A star marks drops that were not shown or opened yet."""
_SHOW = """

Nothing of a drop is run or rendered: characters that could deceive a terminal are shown as numbers."""
_OPEN = """

The folder appears when all of it is written, or not at all. The files are a stranger's."""
_REPLY = """

The text is read from standard input. It is posted at once, and again when it has left the board,
until the source has read it."""
_DELETE = """

Who has not fetched it yet never will; desks that have keep their copies. It makes room on the box."""
_VERIFY = """

At a relay, every file is fetched as a source would fetch it, and compared with its headers. Beside a
folder, the pages for journalists in `desk` are checked with it; one alone is compared with the newest
edition that this desk has seen."""


if __name__ == "__main__":
    sys.exit(main())
