"""The commands of `desk` about cases: from parsed arguments to what is said and printed."""

from __future__ import annotations

import argparse

from keys.codename import thread_id
from keys.desk import editions, files
from keys.desk.arguments import desk_of
from keys.desk.casework import clean, passing, stats
from keys.desk.casework import export as exports
from keys.desk.casework import show as caseshow
from keys.desk.casework.cases import Cases, say
from keys.desk.casework.sayings import MEANINGS, has_tasks, words
from keys.desk.outbox import is_under_way
from keys.desk.show import SHORT
from keys.desk.terminal import Progress, counted, say_json, warn
from keys.desk.terminal import say as print_
from keys.errors import BadDrop, DeskError

_TOLD = "kept; the next `desk fetch` tells the others"


def list_(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
        cases = Cases(desk)
        found = {thread: cases.of(thread) for thread in cases.threads}
        today = editions.today()
        if arguments.json:
            say_json([caseshow.plain(thread, case, today) for thread, case in found.items()])
        else:
            begins: dict[bytes, str] = {}
            for entry in desk.state.entries.values():
                if entry.of_source and entry.letter:
                    begins.setdefault(entry.letter.thread, entry.title)
            print_(caseshow.listing(found, begins, today))


def show(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
        cases = Cases(desk)
        thread = cases.find(arguments.case)
        case, entries = cases.of(thread), list(desk.state.thread(thread))
        today = editions.today()
        if arguments.json:
            say_json(caseshow.plain(thread, case, today))
        else:
            print_(caseshow.whole(thread, case, entries, today))
        said = {entry.id for entry in entries if entry.letter and entry.letter.case} - desk.state.shown
        if said:
            desk.state.shown |= said
            desk.save()


def speak(arguments: argparse.Namespace) -> None:
    """Says one thing in a case: which is the command's word behind the case."""
    with desk_of(arguments) as desk:
        cases = Cases(desk)
        thread = cases.find(arguments.case)
        more = MEANINGS[arguments.says](arguments, desk, cases.of(thread))
        try:
            made = say(desk, thread, arguments.says, **more)
        except BadDrop as error:
            raise DeskError(error.detail.removeprefix("drop.json: case: ")) from None
        desk.save()
    if arguments.json:
        say_json(made.to_plain())
    else:
        print_(_TOLD)
    if arguments.says == "widen":
        warn(f"all of the case, and what comes later, for {', '.join(made.more['to'])}: nobody can undo that")


def hand_over(arguments: argparse.Namespace) -> None:
    """Hands over in every case; says in which it cannot."""
    with desk_of(arguments) as desk:
        cases = Cases(desk)
        done: list[str] = []
        refused: list[str] = []
        for thread in cases.threads:
            case = cases.of(thread)
            if desk.name in case.readers and has_tasks(arguments.from_, case):
                (done if arguments.to in case.readers else refused).append(thread_id(thread))
                if arguments.to in case.readers:
                    say(desk, thread, "handover", **{"from": arguments.from_, "to": arguments.to})
        desk.save()
    if arguments.json:
        say_json({"handed_over": done, "not_a_reader": refused})
        return
    print_(f"{counted(len(done), 'case')}; {_TOLD}")
    for id_ in refused:
        warn(f"{arguments.to} may not read case {id_[:SHORT]}: widen it, then hand it over")


def leave(arguments: argparse.Namespace) -> None:
    """Says goodbye in every case and gives the tasks there to somebody else; says what is left to do."""
    with desk_of(arguments) as desk:
        if arguments.to not in desk.recipients or arguments.to == desk.name:
            raise DeskError(f"{arguments.to} is no colleague whom the page lists")
        text = words("what you say in every case")
        cases, me = Cases(desk), desk.name
        mine = {thread: cases.of(thread) for thread in cases.threads}
        mine = {thread: case for thread, case in mine.items() if me in case.readers}
        closed = [thread for thread, case in mine.items() if arguments.to not in case.readers]
        alone = [thread for thread in closed if mine[thread].readers & desk.recipients.keys() == {me}]
        for thread, case in mine.items():
            say(desk, thread, "note", text=text)
            if thread not in closed and has_tasks(me, case):
                say(desk, thread, "handover", **{"from": me, "to": arguments.to})
        today = editions.today()
        unread = [one for one in desk.state.replies.values() if is_under_way(desk, one, today)]
        desk.save()
    ids = {key: [thread_id(one) for one in of] for key, of in (("closed", closed), ("alone", alone))}
    answered = sorted({thread_id(one.thread) for one in unread})
    if arguments.json:
        say_json({"cases": len(mine), "unread_replies": answered, **ids})
        return
    print_(f"{counted(len(mine), 'case')}; {_TOLD}, and `desk fetch --all` all of it")
    for id_ in ids["closed"]:
        which = "nobody but you can read" if id_ in ids["alone"] else f"{arguments.to} may not read"
        warn(f"{which} case {id_[:SHORT]}: `desk case {id_[:SHORT]} widen {arguments.to}`")
    if closed:
        print_(f"then `desk handover {me} {arguments.to}` for your tasks there")
    for id_ in answered:
        warn(f"your reply in case {id_[:SHORT]} was not read yet, and nobody sees it once your key has ended")
    print_(
        "then the newsroom revokes your key; the folder of this desk, and your identity, are to be deleted"
    )


def restore(arguments: argparse.Namespace) -> None:
    """Passes on to somebody who lost an identity all that is here of the cases they may read."""
    with desk_of(arguments) as desk:
        if arguments.name not in desk.recipients or arguments.name == desk.name:
            raise DeskError(f"{arguments.name} is no colleague whom the page lists")
        cases = Cases(desk)
        found = [one for one in cases.threads if {arguments.name, desk.name} <= cases.of(one).readers]
        for thread in found:
            passing.again(desk, thread, [arguments.name])
            say(desk, thread, "widen", to=[arguments.name])
        desk.save()
    if arguments.json:
        say_json({"cases": [thread_id(thread) for thread in found]})
    else:
        print_(f"{counted(len(found), 'case')}, sealed anew for {arguments.name}; {_TOLD}")


def export(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
        thread = Cases(desk).find(arguments.case)
        with Progress() as progress:
            made = exports.export(desk, thread, arguments.target, editions.today(), progress)
    if arguments.json:
        say_json(vars(made) | {"target": str(arguments.target)})
    else:
        held = f"{counted(made.files, 'file')}, {made.cleaned} of them cleaned too"
        print_(f"{arguments.target} holds the case and {held}")
    if lacking := clean.lacking():
        warn(f"nothing was cleaned of metadata: this computer lacks {' and '.join(lacking)}")
    elif made.uncleaned:
        warn(f"not cleaned of metadata: {', '.join(made.uncleaned)}")
    for id_ in made.gone:
        warn(f"drop {id_[:SHORT]} is on this computer no longer")


def count(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
        months = stats.months(desk, editions.today())
    if arguments.svg:
        files.create(arguments.svg, stats.svg(months).encode())
    if arguments.json:
        say_json([month.to_plain() for month in months])
    else:
        print_(stats.text(months))
