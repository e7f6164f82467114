"""drop.json (FORMAT.md section 2)."""

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import letter
from keys.errors import BadDrop
from keys.letter import Letter, Record

DROP: dict[str, Any] = {
    "version": 1,
    "kind": "drop",
    "newsroom": "5d41402abc4b2a76",
    "message": "0" * 32,
    "thread": "1" * 64,
    "language": "pt-BR",
    "to": ["ada", "bea"],
    "answers": {"evidence": "documents \u202e\n"},
    "read": ["2" * 16],
}
NOTE = DROP | {"kind": "note", "author": "ada", "reply": {"id": "3" * 16, "lines": [0, 255]}}

NAMES = st.from_regex(r"[a-z][a-z0-9-]{0,31}", fullmatch=True)
LETTERS = st.builds(
    Letter,
    newsroom=st.from_regex(r"[a-z0-9][a-z0-9-]{0,62}", fullmatch=True),
    thread=st.binary(min_size=32, max_size=32),
    language=st.sampled_from(["en", "zh-Hant", "pt-BR"]),
    to=st.lists(NAMES, min_size=1, max_size=4, unique=True).map(tuple),
    message=st.binary(min_size=16, max_size=16).map(bytes.hex),
    answers=st.dictionaries(NAMES, st.text(st.characters(codec="utf-8")), max_size=3),
    read=st.lists(st.binary(min_size=8, max_size=8).map(bytes.hex), max_size=3).map(tuple),
)


def encoded(given: object) -> bytes:
    return json.dumps(given).encode()


def without(key: str, given: dict[str, Any] = DROP) -> dict[str, Any]:
    return {name: value for name, value in given.items() if name != key}


@given(LETTERS)
def test_parse_inverts_to_json(given: Letter) -> None:
    assert letter.parse(given.to_json()) == given


def test_a_note_keeps_its_author_and_record() -> None:
    parsed = letter.parse(encoded(NOTE))
    assert (parsed.kind, parsed.author, parsed.record) == ("note", "ada", Record("3" * 16, (0, 255)))
    assert letter.parse(parsed.to_json()) == parsed
    assert letter.parse(encoded(without("reply", NOTE))).record is None


def test_a_canary_is_a_note_that_records_nothing() -> None:
    parsed = letter.parse(encoded(without("reply", NOTE) | {"canary": True}))
    assert (parsed.kind, parsed.author, parsed.canary) == ("note", "ada", True)
    assert letter.parse(parsed.to_json()) == parsed
    assert not letter.parse(encoded(NOTE)).canary


WRONG = {
    "not an object": [DROP],
    "unknown key": DROP | {"extra": 1},
    "missing key": without("read"),
    "author on a drop": DROP | {"author": "ada"},
    "reply on a drop": DROP | {"reply": NOTE["reply"]},
    "note without an author": without("author", NOTE),
    "canary on a drop": DROP | {"canary": True},
    "canary with a reply": NOTE | {"canary": True},
    "canary that is none": without("reply", NOTE) | {"canary": False},
    "canary as a number": without("reply", NOTE) | {"canary": 1},
    "other kind": DROP | {"kind": "cover"},
    "kind of another type": DROP | {"kind": ["drop"]},
    "version two": DROP | {"version": 2},
    "version as text": DROP | {"version": "1"},
    "version as truth": DROP | {"version": True},
    "version as fraction": DROP | {"version": 1.0},
    "newsroom with a path": DROP | {"newsroom": "../x"},
    "newsroom null": DROP | {"newsroom": None},
    "message too short": DROP | {"message": "0" * 30},
    "message in capitals": DROP | {"message": "A" * 32},
    "thread too long": DROP | {"thread": "1" * 66},
    "thread as number": DROP | {"thread": 1},
    "language that is none": DROP | {"language": "en\x1b"},
    "to nobody": DROP | {"to": []},
    "to somebody twice": DROP | {"to": ["ada", "ada"]},
    "to a path": DROP | {"to": ["../ada"]},
    "to a text": DROP | {"to": "ada"},
    "answers as list": DROP | {"answers": []},
    "answer that is no text": DROP | {"answers": {"evidence": 1}},
    "answer to no question id": DROP | {"answers": {"a b": "x"}},
    "read as text": DROP | {"read": "2" * 16},
    "read too short": DROP | {"read": ["22"]},
    "author with a space": NOTE | {"author": "a b"},
    "reply as text": NOTE | {"reply": "x"},
    "reply with more keys": NOTE | {"reply": NOTE["reply"] | {"x": 1}},
    "reply without lines": NOTE | {"reply": {"id": "3" * 16, "lines": []}},
    "reply of five lines": NOTE | {"reply": {"id": "3" * 16, "lines": [0, 1, 2, 3, 4]}},
    "reply with a line twice": NOTE | {"reply": {"id": "3" * 16, "lines": [1, 1]}},
    "line 256": NOTE | {"reply": {"id": "3" * 16, "lines": [256]}},
    "line as truth": NOTE | {"reply": {"id": "3" * 16, "lines": [True]}},
    "line as list": NOTE | {"reply": {"id": "3" * 16, "lines": [[0]]}},
}


@pytest.mark.parametrize("given", WRONG.values(), ids=WRONG)
def test_anything_else_is_refused(given: object) -> None:
    with pytest.raises(BadDrop):
        letter.parse(encoded(given))


BOMBS = {
    "nothing": b"",
    "not UTF-8": b"\xff",
    "byte order mark": b"\xef\xbb\xbf" + encoded(DROP),
    "trailing": encoded(DROP) + b"x",
    "a key twice": encoded(DROP).replace(b'"version": 1,', b'"version": 1, "version": 1,'),
    "a nested key twice": encoded(DROP).replace(b'{"evidence"', b'{"evidence": "", "evidence"'),
    "deep nesting": b"[" * 100_000,
    "deep objects": b'{"a":' * 50_000,
    "long number": encoded(DROP).replace(b'"version": 1', b'"version": ' + b"1" * 100_000),
    "infinity": encoded(DROP).replace(b'"version": 1', b'"version": Infinity'),
    "exponent": encoded(DROP).replace(b'"version": 1', b'"version": 1e0'),
    "lone surrogate": encoded(DROP).replace(b"documents", b"\\ud800"),
    "too large": encoded(DROP | {"answers": {"evidence": "x" * letter.LARGEST}}),
}


@pytest.mark.parametrize("data", BOMBS.values(), ids=BOMBS)
def test_json_bombs_are_refused(data: bytes) -> None:
    with pytest.raises(BadDrop):
        letter.parse(data)


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
)


@given(st.binary() | JSON.map(encoded))
def test_any_bytes_are_a_letter_or_refused_in_one_way(data: bytes) -> None:
    with contextlib.suppress(BadDrop):
        letter.parse(data)


@given(st.sampled_from(sorted(NOTE)), JSON)
def test_any_value_of_any_key_is_taken_or_refused_in_one_way(key: str, value: object) -> None:
    with contextlib.suppress(BadDrop):
        parsed = letter.parse(encoded(NOTE | {key: value}))
        assert letter.parse(parsed.to_json()) == parsed


def test_the_thread_key_is_not_shown_by_repr() -> None:
    parsed = letter.parse(encoded(DROP))
    assert "1" * 8 not in repr(parsed)
