"""What journalists may say in a case, for hypothesis; and notes of it, by hand."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from hypothesis import strategies as st

from keys.casework import ANSWERS, ITEMS, STATES, Said, Statement, parse_statement
from keys.desk.casework.case import Message, Note
from keys.desk.casework.fold import fold

NAMES = ("ada", "bea", "cyn", "eve")  # eve is no reader until somebody says so
PARTNERS = {"harbour": ("ada", "bea"), "valley": ("cyn",), "coast": ("eve",)}
DATES = ("2026-12-01", "2027-01-31")
IDS = tuple(f"{n:016x}" for n in range(6))
MESSAGES = tuple(f"{n:032x}" for n in range(4))
TIMES = ("2026-11-22T06:00Z", "2026-11-22T06:01Z", "2026-11-23T23:59Z")
TEXTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc"]), min_size=1, max_size=8)


def _one_of(values: tuple[str, ...]) -> st.SearchStrategy[str]:
    return st.sampled_from(values)


MORE: dict[str, dict[str, st.SearchStrategy[Any]]] = {
    "state": {"state": _one_of(STATES), "text": TEXTS},
    "note": {"text": TEXTS},
    "task": {"text": TEXTS, "to": _one_of((*NAMES, ""))},
    "assign": {"task": _one_of(IDS), "to": _one_of((*NAMES, ""))},
    "done": {"task": _one_of(IDS), "done": st.booleans()},
    "check": {"item": _one_of((*ITEMS, "more")), "is": _one_of(ANSWERS)},
    "label": {"label": _one_of(("urgent", "a b")), "set": st.booleans()},
    "date": {"date": _one_of((*DATES, ""))},
    "accept": {"date": _one_of(DATES)},
    "object": {"date": _one_of(DATES), "text": TEXTS},
    "exclusive": {"partner": _one_of(tuple(PARTNERS)), "until": _one_of(DATES)},
    "handover": {"from": _one_of(NAMES), "to": _one_of(NAMES)},
    "widen": {"to": st.lists(_one_of(NAMES), min_size=1, unique=True)},
    "read": {"messages": st.lists(_one_of(MESSAGES), min_size=1, unique=True)},
}
STATEMENTS: st.SearchStrategy[Statement] = st.sampled_from(sorted(MORE)).flatmap(
    lambda says: st.fixed_dictionaries(
        {"id": _one_of(IDS), "time": _one_of(TIMES), "says": st.just(says), **MORE[says]}
    ).map(parse_statement)
)


def message(number: int, *to: str) -> Message:
    return Message(MESSAGES[number], date(2026, 11, 20), to)


def note(author: str, after: tuple[str, ...], *says: Statement, salt: int = 0, late: bool = False) -> Note:
    """Gives a note; its id is a hash of all of it, as a real one's is."""
    said = Said(tuple(sorted(after)), says)
    content = json.dumps([author, said.to_plain(), salt]).encode()
    return Note(hashlib.sha256(content).hexdigest()[:32], author, said, late)


def standing(
    messages: Iterable[Message], notes: Sequence[Note], partners: Mapping[str, Sequence[str]]
) -> dict[str, Any]:
    """Gives where a case stands, as the vectors have it."""
    reads = [(one.author, said) for one in notes for said in one.said.says if said.says == "read"]
    told = fold(messages, notes, partners, reads)
    return {
        "readers": sorted(told.readers),
        "order": [one.statement.id for one in told.history],
        "state": told.stands,
        "reason": told.state.text if told.state else "",
        "tasks": [vars(task) for task in told.tasks],
        "labels": list(told.labels),
        "checks": told.checks,
        "date": told.planned,
        "agreed": told.agreed,
        "answers": {name: told.answers[name].says if name in told.answers else None for name in told.outlets},
        "exclusive": list(told.exclusive.statement.more.values()) if told.exclusive else None,
        "reads": told.reads,
        "refused": [one.id for one in told.refused],
        "missing": sorted(told.missing),
        "heads": list(told.heads),
    }
