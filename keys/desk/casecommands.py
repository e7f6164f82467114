"""The commands of `desk` about cases: from parsed arguments to what is said and printed."""

from __future__ import annotations

import argparse
import unicodedata
from typing import Any

from keys.casework import LONGEST_LABEL, LONGEST_TEXT
from keys.codename import thread_id
from keys.desk import caseshow, clean, editions, files, passing, stats
from keys.desk import export as exports
from keys.desk.arguments import desk_of
from keys.desk.case import Case, Task
from keys.desk.cases import Cases, say
from keys.desk.desk import Desk
from keys.desk.show import SHORT
from keys.desk.terminal import Progress, counted, read_text, say_json, visible, warn
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
            print_(caseshow.listing(found, today))


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
        more = _MEANINGS[arguments.says](arguments, desk, cases.of(thread))
        try:
            made = say(desk, thread, arguments.says, **more)
        except BadDrop as error:
            raise DeskError(error.detail.removeprefix("drop.json: case: ")) from None
        desk.save()
    if arguments.json:
        say_json(made.to_plain())
    else:
        print_(_TOLD)


def hand_over(arguments: argparse.Namespace) -> None:
    """Hands over in every case; says in which it cannot."""
    with desk_of(arguments) as desk:
        cases = Cases(desk)
        done: list[str] = []
        refused: list[str] = []
        for thread in cases.threads:
            case = cases.of(thread)
            if desk.name in case.readers and _has_tasks(arguments.from_, case):
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


def _state(arguments: argparse.Namespace, _desk: Desk, _case: Case) -> dict[str, Any]:
    why = arguments.why or arguments.state == "aside"
    return {"state": arguments.state, "text": _text("the reason") if why else ""}


def _note(_arguments: argparse.Namespace, _desk: Desk, _case: Case) -> dict[str, Any]:
    return {"text": _text("the note")}


def _task(arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    return {"to": _reader_or_none(arguments.to, case), "text": _text("the task")}


def _assign(arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    return {"task": _found(arguments.task, case).id, "to": _reader_or_none(arguments.to, case)}


def _done(arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    return {"task": _found(arguments.task, case).id, "done": not arguments.undo}


def _check(arguments: argparse.Namespace, _desk: Desk, _case: Case) -> dict[str, Any]:
    return {"item": arguments.item, "is": arguments.answer}


def _label(arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    label = _text("the label").strip()
    if "\n" in label or len(label.encode()) > LONGEST_LABEL:
        raise DeskError(f"a label is one line of at most {LONGEST_LABEL} bytes")
    if arguments.remove and label not in case.labels:
        raise DeskError("the case has no such label", hint="`desk case CASE` shows them")
    return {"label": label, "set": not arguments.remove}


def _date(arguments: argparse.Namespace, _desk: Desk, _case: Case) -> dict[str, Any]:
    return {"date": arguments.date}


def _accept(_arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    return {"date": _planned(case)}


def _object(_arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    return {"date": _planned(case), "text": _text("the reason")}


def _exclusive(arguments: argparse.Namespace, desk: Desk, case: Case) -> dict[str, Any]:
    if arguments.partner == "nobody":
        return {"partner": "", "until": ""}
    partners = [one.name for one in desk.newsroom.partners]
    if arguments.partner not in partners:
        there = ", ".join(partners) or "the newsroom has none"
        raise DeskError(f"{arguments.partner} is no partner", hint=f"the partners: {there}")
    if arguments.partner not in case.outlets:
        raise DeskError(f"nobody of {arguments.partner} may read this case", hint="`widen` lets a partner in")
    if not arguments.until:
        raise DeskError("until when is it exclusive", hint="name a date such as 2027-01-31")
    return {"partner": arguments.partner, "until": arguments.until}


def _handover(arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    if not _has_tasks(arguments.from_, case):
        raise DeskError(f"{arguments.from_} has no open task in this case")
    return {"from": arguments.from_, "to": _reader(arguments.to, case)}


def _has_tasks(name: str, case: Case) -> bool:
    return any(task.to == name and not task.done for task in case.tasks)


def _widen(arguments: argparse.Namespace, desk: Desk, case: Case) -> dict[str, Any]:
    partners = {one.name: one.recipients for one in desk.newsroom.partners}
    to: dict[str, None] = {}
    for who in arguments.who:
        if who not in partners and who not in desk.recipients:
            raise DeskError(f"{who} is neither a partner nor a journalist of this newsroom")
        to |= dict.fromkeys(partners.get(who, (who,)))
    if arguments.again:
        to.pop(desk.name, None)
        if not to:
            raise DeskError("what is here you have", hint="a colleague can pass on to you what you lost")
        passing.again(desk, Cases(desk).find(arguments.case), to)
        return {"to": list(to)}
    new = [name for name in to if name not in case.readers]
    if not new:
        raise DeskError("they may read this case already", hint="--again passes on what they have lost")
    return {"to": new}


_MEANINGS = {
    "state": _state,
    "note": _note,
    "task": _task,
    "assign": _assign,
    "done": _done,
    "check": _check,
    "label": _label,
    "date": _date,
    "accept": _accept,
    "object": _object,
    "exclusive": _exclusive,
    "handover": _handover,
    "widen": _widen,
}


def _text(what: str) -> str:
    text = read_text(LONGEST_TEXT, what).expandtabs(4)
    if wrong := next((c for c in text if unicodedata.category(c) == "Cc" and c != "\n"), None):
        raise DeskError(f"{what} holds a control character, {visible(wrong)}")
    return text


def _reader(name: str, case: Case) -> str:
    if name not in case.readers:
        raise DeskError(f"{name} may not read this case", hint="`desk case CASE widen` lets somebody in")
    return name


def _reader_or_none(name: str, case: Case) -> str:
    return "" if name == "nobody" else _reader(name, case)


def _found(given: str, case: Case) -> Task:
    found = [task for task in case.tasks if given and task.id.startswith(given)]
    if len(found) != 1:
        said = "no task has" if not found else f"{len(found)} tasks have"
        raise DeskError(f"{said} an id that begins with {given}", hint="`desk case CASE` shows them")
    return found[0]


def _planned(case: Case) -> str:
    if not case.planned:
        raise DeskError("no date of publication is proposed", hint="propose one: `desk case CASE date DATE`")
    return case.planned


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
