"""What each word behind `desk case CASE` means: the keys of its statement, from the command line, standard
input and where the case stands. Each raises DeskError for what makes no sense there."""

from __future__ import annotations

import argparse
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from keys.casework import LONGEST_LABEL, LONGEST_TEXT
from keys.desk.casework import passing
from keys.desk.casework.case import Case, Task
from keys.desk.casework.cases import Cases
from keys.desk.desk import Desk
from keys.desk.terminal import read_text, visible
from keys.errors import DeskError


def has_tasks(name: str, case: Case) -> bool:
    """Tells whether somebody has an open task in a case."""
    return any(task.to == name and not task.done for task in case.tasks)


def _state(arguments: argparse.Namespace, _desk: Desk, _case: Case) -> dict[str, Any]:
    why = arguments.why or arguments.state == "aside"
    return {"state": arguments.state, "text": words("the reason") if why else ""}


def _note(_arguments: argparse.Namespace, _desk: Desk, _case: Case) -> dict[str, Any]:
    return {"text": words("the note")}


def _task(arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    return {"to": _reader_or_none(arguments.to, case), "text": words("the task")}


def _assign(arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    return {"task": _found(arguments.task, case).id, "to": _reader_or_none(arguments.to, case)}


def _done(arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    return {"task": _found(arguments.task, case).id, "done": not arguments.undo}


def _check(arguments: argparse.Namespace, _desk: Desk, _case: Case) -> dict[str, Any]:
    return {"item": arguments.item, "is": arguments.answer}


def _label(arguments: argparse.Namespace, _desk: Desk, case: Case) -> dict[str, Any]:
    label = words("the label").strip()
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
    return {"date": _planned(case), "text": words("the reason")}


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
    if not has_tasks(arguments.from_, case):
        raise DeskError(f"{arguments.from_} has no open task in this case")
    return {"from": arguments.from_, "to": _reader(arguments.to, case)}


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


MEANINGS: Mapping[str, Callable[[argparse.Namespace, Desk, Case], dict[str, Any]]] = {
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


def words(what: str) -> str:
    """Gives what was typed, as a statement may hold it; raises DeskError for other text."""
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
