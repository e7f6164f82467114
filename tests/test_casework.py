"""What desks say in a case: read, written, and refused (FORMAT.md section 8)."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.cases import MORE, STATEMENTS

from keys import casework, letter
from keys.casework import LONGEST_TEXT, MOST, MOST_AFTER, Said
from keys.drop import is_smallest
from keys.errors import BadDrop
from keys.letter import Letter

HEAD = {"id": "0" * 16, "time": "2026-11-22T06:10Z"}
STATE = HEAD | {"says": "state", "state": "checking", "text": ""}
READ = HEAD | {"says": "read", "messages": ["0" * 32]}
LETTER: dict[str, Any] = {
    "newsroom": "n", "thread": bytes(32), "language": "en", "to": ("ada",), "author": "ada"
}  # fmt: skip


@given(
    st.lists(st.binary(min_size=16, max_size=16).map(bytes.hex), max_size=3), st.lists(STATEMENTS, min_size=1)
)
def test_a_letter_keeps_what_is_said(after: list[str], says: list[casework.Statement]) -> None:
    written = Letter(**LETTER, case=Said(tuple(sorted(set(after))), tuple(says)))
    assert letter.parse(written.to_json()) == written


def test_a_new_statement() -> None:
    made = casework.statement("2026-01-02T03:04Z", "note", text="hello")
    assert (made.time, made.says, made.more) == ("2026-01-02T03:04Z", "note", {"text": "hello"})
    assert casework.parse_statement(made.to_plain()) == made
    with pytest.raises(BadDrop):
        casework.statement("2026-01-02T03:04Z", "note", text="")
    assert casework.statement(casework.now(), "note", text="hello")


WRONG: dict[str, object] = {
    "no object": [],
    "no kind": HEAD | {"says": None},
    "a kind that is a list": HEAD | {"says": ["state"]},
    "a kind that nobody knows": HEAD | {"says": "vote"},
    "one key more": STATE | {"extra": 1},
    "one key less": {key: value for key, value in STATE.items() if key != "text"},
    "another id": STATE | {"id": "0" * 15},
    "capitals in an id": STATE | {"id": "A" * 16},
    "seconds": STATE | {"time": "2026-11-22T06:10:00Z"},
    "a day that is none": STATE | {"time": "2026-02-30T06:10Z"},
    "hour 24": STATE | {"time": "2026-02-20T24:00Z"},
    "a time without a zone": STATE | {"time": "2026-11-22T06:10"},
    "other digits": STATE | {"time": "٢٠٢٦-11-22T06:10Z"},
    "the year 0": STATE | {"time": "0000-11-22T06:10Z"},
    "another state": STATE | {"state": "open"},
    "set aside without a reason": STATE | {"state": "aside"},
    "a text that is none": STATE | {"text": None},
    "a text too long": STATE | {"text": "é" * (LONGEST_TEXT // 2) + "e"},
    "a bell": STATE | {"text": "\a"},
    "a carriage return": STATE | {"text": "a\r\nb"},
    "a control character of the second kind": STATE | {"text": "\x85"},
    "an empty note": HEAD | {"says": "note", "text": ""},
    "a task for a path": HEAD | {"says": "task", "text": "x", "to": "../x"},
    "a task for nothing": HEAD | {"says": "task", "text": "x", "to": None},
    "done as a number": HEAD | {"says": "done", "task": "0" * 16, "done": 1},
    "done by a short id": HEAD | {"says": "done", "task": "0" * 8, "done": True},
    "another answer": HEAD | {"says": "check", "item": "heard", "is": "maybe"},
    "an item with a space": HEAD | {"says": "check", "item": "a b", "is": "yes"},
    "an empty label": HEAD | {"says": "label", "label": "", "set": True},
    "a label of two lines": HEAD | {"says": "label", "label": "a\nb", "set": True},
    "a label with a space behind": HEAD | {"says": "label", "label": "a ", "set": True},
    "a label too long": HEAD | {"says": "label", "label": "a" * 61, "set": True},
    "a date that is none": HEAD | {"says": "date", "date": "2026-02-30"},
    "a date without zeros": HEAD | {"says": "date", "date": "2026-2-3"},
    "an acceptance of nothing": HEAD | {"says": "accept", "date": ""},
    "an objection without a reason": HEAD | {"says": "object", "date": "2026-02-03", "text": ""},
    "exclusive for ever": HEAD | {"says": "exclusive", "partner": "valley", "until": ""},
    "exclusive for nobody": HEAD | {"says": "exclusive", "partner": "", "until": "2026-02-03"},
    "a handover to nobody": HEAD | {"says": "handover", "from": "ada", "to": ""},
    "widened to nobody": HEAD | {"says": "widen", "to": []},
    "widened twice": HEAD | {"says": "widen", "to": ["ada", "ada"]},
    "widened to a list": HEAD | {"says": "widen", "to": [["ada"]]},
    "widened to a text": HEAD | {"says": "widen", "to": "ada"},
    "read nothing": READ | {"messages": []},
    "read too much": READ | {"messages": [f"{n:032x}" for n in range(MOST + 1)]},
    "read twice": READ | {"messages": ["0" * 32] * 2},
}


@pytest.mark.parametrize("statement", WRONG.values(), ids=WRONG)
def test_statements_that_are_refused(statement: object) -> None:
    with pytest.raises(BadDrop, match=r"^.*: drop\.json: case: "):
        casework.parse({"after": [], "says": [statement]})


@pytest.mark.parametrize(
    "case",
    [
        None,
        [],
        {"after": []},
        {"after": [], "says": [], "more": 1},
        {"after": [], "says": []},
        {"after": [], "says": [STATE] * (MOST + 1)},
        {"after": ["1" * 32, "0" * 32], "says": [STATE]},
        {"after": ["0" * 32, "0" * 32], "says": [STATE]},
        {"after": [f"{n:032x}" for n in range(MOST_AFTER + 1)], "says": [STATE]},
        {"after": "0" * 32, "says": [STATE]},
    ],
)
def test_cases_that_are_refused(case: object) -> None:
    with pytest.raises(BadDrop):
        casework.parse(case)


def test_only_a_note_says_something_and_a_canary_does_not() -> None:
    given = json.loads(Letter(**LETTER, case=casework.parse({"after": [], "says": [STATE]})).to_json())
    assert letter.parse(json.dumps(given).encode()).case
    drop = {key: value for key, value in given.items() if key != "author"} | {"kind": "drop"}
    for wrong in (drop, given | {"canary": True}):
        with pytest.raises(BadDrop):
            letter.parse(json.dumps(wrong).encode())


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.sampled_from(sorted(MORE)), st.data())
def test_any_value_is_read_or_refused_in_one_way(says: str, data: st.DataObject) -> None:
    given = {key: data.draw(JSON | value) for key, value in MORE[says].items()} | HEAD | {"says": says}
    with contextlib.suppress(BadDrop):
        casework.parse({"after": [], "says": [given]})


NAMES_64 = [f"a{n:031d}" for n in range(64)]
LARGEST = {
    "text": HEAD | {"says": "object", "date": "2026-01-01", "text": '"' * LONGEST_TEXT},
    "widen": HEAD | {"says": "widen", "to": NAMES_64},
    "read": READ | {"messages": [f"{n:032x}" for n in range(MOST)]},
}


@pytest.mark.parametrize("statement", LARGEST.values(), ids=LARGEST)
def test_the_largest_statement_fits_the_smallest_note(statement: dict[str, Any]) -> None:
    case = casework.parse({"after": [f"{n:032x}" for n in range(MOST_AFTER)], "says": [statement]})
    note = Letter(**LETTER | {"newsroom": "n" * 63, "to": tuple(NAMES_64), "author": "a" * 32}, case=case)
    assert is_smallest(note, "")
    assert not is_smallest(note, "x" * 9000)
