"""How `desk` reads its command line: one way to complain, one width of help, and the options that many
commands have."""

from __future__ import annotations

import argparse
import contextlib
import sys
from collections.abc import Callable
from datetime import time
from pathlib import Path
from typing import Any

from keys.desk.socks import TOR

Adder = Callable[..., argparse.ArgumentParser]


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> None:  # type: ignore[override]
        print(f"desk: error: {message}\ndesk: hint: `{self.prog} --help` says what there is", file=sys.stderr)
        sys.exit(2)


class Format(argparse.RawDescriptionHelpFormatter):
    def __init__(self, prog: str) -> None:
        # A fixed width, so that the help is the same text in every window.
        super().__init__(prog, max_help_position=28, width=100)
        self._action_max_length = 18  # argparse forgets that commands are indented


def adder(add: Any) -> Adder:
    """Gives what adds a command to these: its name, what runs it, and what it is about."""

    def command(
        name: str, run: Callable[[argparse.Namespace], None], about: str, more: str = ""
    ) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = add.add_parser(
            name, help=about, description=f"{about[0].upper()}{about[1:]}.{more}", formatter_class=Format
        )
        made.set_defaults(run=run)
        return made

    return command


def hours(given: str) -> float:
    with contextlib.suppress(ValueError):
        if 0.1 <= (hours := float(given)) <= 1000:
            return hours
    raise argparse.ArgumentTypeError("it is a number of hours from 0.1 to 1000")


def hour(given: str) -> time:
    with contextlib.suppress(ValueError):
        if len(given) == 5:
            return time.fromisoformat(given)
    raise argparse.ArgumentTypeError("it is an hour of this machine's clock, such as 09:00")


def passphrase(parser: argparse.ArgumentParser, default: object = None) -> None:
    parser.add_argument(
        "--passphrase-fd",
        type=int,
        metavar="N",
        default=default,
        help="read the passphrase from this file descriptor",
    )


def socks(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--socks",
        default=TOR,
        metavar="HOST:PORT",
        help=f"tor's SOCKS port, for an onion ({TOR}; Tor Browser's is 127.0.0.1:9150)",
    )


def into(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "-o", dest="folder", type=Path, default=Path(), metavar="DIR", help="where to write them (here)"
    )


def as_json(parser: argparse.ArgumentParser, default: object = False) -> None:
    parser.add_argument("--json", action="store_true", default=default, help="print JSON")


def drop(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "drop", metavar="DROP", help="the beginning of its id, or the path of a lone .age file"
    )
    parser.add_argument(
        "--identity", type=Path, metavar="FILE", help="opens a lone file where no newsroom was joined"
    )
