"""What a desk remembers."""

import contextlib
import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.age import HybridIdentity, seal_bytes
from keys.casework import statement
from keys.desk import stored
from keys.desk.boards import Known
from keys.desk.state import Call, Canary, Copy, Entry, OwnReply, Saying, State
from keys.errors import DeskError
from keys.letter import Letter, Record

ADA, EVE = HybridIdentity.generate(), HybridIdentity.generate()
DAY = date(2026, 1, 2)
LETTER = Letter(
    newsroom="n", thread=bytes(32), language="en", to=("ada",), answers={"q": "é"}, read=("1" * 16,)
)
NOTE = replace(LETTER, author="ada", record=Record("2" * 16, (3, 4)), read=())
FULL = State(
    cursor="run-7",
    entries={
        "a" * 32: Entry("a" * 32, DAY, 20_000, LETTER, "title \u202e", 3),
        "b" * 32: Entry("b" * 32, DAY, 20_000, NOTE, forged=True, late=True),
        "c" * 32: Entry("c" * 32, DAY, 1, problem="broken"),
    },
    others={"d" * 32: DAY},
    replies={"e" * 16: OwnReply("e" * 16, bytes(32), ("ada",), "en", "text", DAY, (0, 1), (1,), True)},
    shown={"a" * 32},
    canaries={"f" * 32: Canary("f" * 32, b"\1" * 32, DAY, "HTTP/1.1 201 Created\r\n\r\n", True, 1)},
    calls={"01" * 32: Call(b"\1" * 32, DAY, 2)},
    board=Known((b"0" * 16, b"1" * 16), (b"2" * 16,)),
    says=[Saying(bytes(32), statement("2026-01-02T00:00Z", "widen", to=["ada"]), ("3" * 32,), "4" * 32)],
    reads={"5" * 32: "2026-01-02T00:00Z"},
    passed={"a" * 32: {"ada", "bea"}},
    again={"a" * 32: {"cyn"}},
    copies={"a" * 32: Copy("6" * 32, ("cyn",))},
    edition=3,
    former={"7" * 64: DAY},
)


def test_loading_inverts_sealing() -> None:
    for state in (State(), FULL):
        assert stored.load(stored.seal(state, ADA), [ADA]) == state


def test_nobody_else_opens_it() -> None:
    with pytest.raises(DeskError, match="damaged, or another's"):
        stored.load(stored.seal(FULL, ADA), [EVE])


def plain() -> dict[str, Any]:
    return json.loads(json.dumps(stored._plain(FULL)))  # type: ignore[no-any-return]


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)


@given(st.sampled_from(sorted(plain())), JSON)
def test_any_content_is_loaded_or_refused_in_one_way(key: str, value: object) -> None:
    with contextlib.suppress(DeskError):
        stored.load(seal_bytes(json.dumps(plain() | {key: value}).encode(), [ADA.recipient()]), [ADA])


def test_what_it_knows_of_a_thread() -> None:
    assert FULL.read(LETTER.thread) == {"1" * 16}
    assert FULL.read(b"\1" * 32) == set()
    again = Entry("f" * 32, DAY, 20_000, LETTER)
    assert FULL.holder(again) == "a" * 32
    assert FULL.holder(replace(again, letter=replace(LETTER, message="0" * 32))) is None


def test_a_note_is_known_by_what_was_signed() -> None:
    note = Entry("f" * 32, DAY, 20_000, NOTE, note="1" * 32)
    assert FULL.holder(note) is None, "its message id, which anybody can repeat, says nothing"
    known = State(entries={note.id: note})
    assert known.holder(replace(note, letter=replace(NOTE, message="0" * 32))) == note.id
    assert known.holder(replace(note, forged=True)) is None
    assert State(entries={note.id: replace(note, forged=True)}).holder(note) is None, (
        "a forgery takes no place"
    )


def test_learning_from_my_own_notes() -> None:
    state = State()
    state.learn(NOTE, "text", DAY)
    (reply,) = state.replies.values()
    assert (reply.used, reply.live, reply.recorded, reply.text) == ((3, 4), (3, 4), True, "text")
    state.learn(replace(NOTE, record=Record("2" * 16, (5, 6))), "text", DAY)
    assert (state.replies["2" * 16].used, state.replies["2" * 16].live) == ((3, 4, 5, 6), (5, 6))
    state.learn(NOTE, "text", DAY)
    assert state.replies["2" * 16].live == (5, 6), "an old note changes nothing"
    state.learn(LETTER, "text", DAY)
    assert len(state.replies) == 1


def test_forgetting_what_the_relay_no_longer_has() -> None:
    days = {"a": date(2026, 1, 1), "b": date(2026, 2, 1)}
    state = State(others=days, calls={id_: Call(bytes(32), day) for id_, day in days.items()})
    state.forget(before=date(2026, 1, 15))
    assert state.others == {"b": date(2026, 2, 1)}
    assert state.calls.keys() == {"b"}


def test_a_state_from_before_there_were_watchers() -> None:
    new = ("canaries", "calls", "board", "says", "reads", "passed", "again", "copies", "edition", "former")
    old = {key: value for key, value in plain().items() if key not in new}
    loaded = stored.load(seal_bytes(json.dumps(old).encode(), [ADA.recipient()]), [ADA])
    assert (loaded.entries, loaded.canaries, loaded.board, loaded.says) == (FULL.entries, {}, None, [])


def test_which_canaries_were_in_the_listings() -> None:
    state = replace(FULL, canaries={id_: Canary(id_, bytes(32), DAY, "") for id_ in ("a" * 32, "0" * 32)})
    for missed in (1, 2):
        state.look_for_canaries()
        assert state.canaries["a" * 32].listed
        assert (state.canaries["0" * 32].listed, state.canaries["0" * 32].missed) == (False, missed)
