"""The command line of casework: `desk cases`, `desk case CASE …`, and what goes with them."""

from __future__ import annotations

import argparse
from pathlib import Path

from keys.casework import ANSWERS, ITEMS, STATES, is_date
from keys.desk.casework import commands as casecommands
from keys.desk.parser import Adder, Parser, adder, as_json, passphrase


def add(command: Adder) -> None:
    """Adds the commands."""
    made = command("cases", casecommands.list_, "list the cases and where each stands", _CASES)
    passphrase(made)
    as_json(made)

    made = command("case", casecommands.show, "show a case, or say something in it", _CASE)
    made.add_argument("case", metavar="CASE", help="the beginning of its id, or of a drop's in it")
    passphrase(made)
    as_json(made)
    _sayings(adder(made.add_subparsers(metavar="SAY", parser_class=Parser)))

    made = command("handover", casecommands.hand_over, "give somebody's open tasks to another", _HANDOVER)
    _names(made)
    passphrase(made)
    as_json(made)

    made = command("leave", casecommands.leave, "say in every case that you leave", _LEAVE)
    made.add_argument("to", metavar="NAME", help="who gets your open tasks")
    passphrase(made)
    as_json(made)

    made = command("restore", casecommands.restore, "give back what a colleague has lost", _RESTORE)
    made.add_argument("name", metavar="NAME", help="who has a new identity, and lost the old one")
    passphrase(made)
    as_json(made)

    made = command("export", casecommands.export, "write a case into a folder or a zip", _EXPORT)
    made.add_argument("case", metavar="CASE", help="the beginning of its id, or of a drop's in it")
    made.add_argument(
        "-o", dest="target", type=Path, required=True, metavar="PATH", help="a folder or .zip not there yet"
    )
    passphrase(made)
    as_json(made)

    made = command("stats", casecommands.count, "count by month what came and what became of it", _STATS)
    made.add_argument("--svg", type=Path, metavar="FILE", help="draw a chart into a file not there yet")
    passphrase(made)
    as_json(made)


def _sayings(command: Adder) -> None:
    def says(name: str, about: str) -> argparse.ArgumentParser:
        made = command(name, casecommands.speak, about)
        made.set_defaults(says=name)
        # What stands before the word counts too, so no default may take its place.
        passphrase(made, argparse.SUPPRESS)
        as_json(made, argparse.SUPPRESS)
        return made

    made = says("state", "say where the case stands; set aside has a reason")
    made.add_argument("state", choices=STATES, metavar="STATE", help=", ".join(STATES))
    made.add_argument("--why", action="store_true", help="read a reason")
    says("note", "leave a note for who works on the case")
    made = says("task", "make a task")
    made.add_argument("--to", default="nobody", metavar="NAME", help="for whom")
    made = says("assign", "give a task to somebody")
    made.add_argument("task", metavar="TASK", help="the beginning of its id")
    made.add_argument("to", metavar="NAME", help="for whom, or nobody")
    made = says("done", "say that a task is done")
    made.add_argument("task", metavar="TASK", help="the beginning of its id")
    made.add_argument("--undo", action="store_true", help="it is not")
    made = says("check", "fill in the evidence checklist")
    made.add_argument("item", metavar="ITEM", help=f"{', '.join(ITEMS)}, or one of your own")
    made.add_argument("answer", choices=ANSWERS, metavar="ANSWER", help=", ".join(ANSWERS))
    made = says("label", "put a label on the case")
    made.add_argument("--remove", action="store_true", help="take it off")
    made = says("date", "propose a date of publication")
    made.add_argument("date", type=_date_or_none, metavar="DATE", help="such as 2027-01-31, or none")
    says("accept", "accept that date, for your outlet")
    says("object", "object to that date, with a reason")
    made = says("exclusive", "leave the case to one partner until a date")
    made.add_argument("partner", metavar="PARTNER", help="the partner's short name, or nobody")
    made.add_argument("until", nargs="?", type=_date, metavar="DATE", help="such as 2027-01-31")
    _names(says("handover", "give one's open tasks to another"))
    made = says("widen", "let another partner or journalist read the case")
    made.add_argument("--again", action="store_true", help="pass on all of it to who has lost it")
    made.add_argument("who", nargs="+", metavar="WHO", help="a partner's or journalist's short name")


def _names(made: argparse.ArgumentParser) -> None:
    made.add_argument("from_", metavar="FROM", help="who has them")
    made.add_argument("to", metavar="TO", help="who gets them")


def _date(given: str) -> str:
    if is_date(given):
        return given
    raise argparse.ArgumentTypeError("it is a date such as 2027-01-31")


def _date_or_none(given: str) -> str:
    return "" if given == "none" else _date(given)


_CASES = """

A star marks a case with a drop that nobody has read, an exclamation mark one where that is so for days."""
_CASE = """

A case is all that came under one codename, and what its readers say of it. Whatever is in words (a note, a
task, a reason, a label) is read from standard input. It goes to the other readers with the next `desk fetch`,
signed and sealed to them; the source sees none of it, and the box cannot tell it from noise."""
_HANDOVER = """

For somebody who leaves. A case whose readers do not include the other is named, and left as it is."""
_LEAVE = """

What you say is read from standard input, and stands in every case that you may read; your open tasks go
with it. Says which cases the other may not read, and which replies of yours no source has read yet."""
_RESTORE = """

Every drop and note that is here, of each case that both of you may read, is sealed anew for the other. Only
for somebody whose new key the newsroom lists, and of whom you know that the old one is lost."""
_EXPORT = """

Holds the source's files as they came, copies without metadata where the programs mat2 and bubblewrap are
installed, a hash of each, what was said and by whom. Nothing locks it."""
_STATS = """

Counted here, from what this desk can read: the box knows none of it. A drop is opened once a colleague or
you have looked at it; DAYS is how many a case's source waited for the first answer, in the median; a case is
counted in the month in which it began, and as published also in the month in which somebody said so."""
