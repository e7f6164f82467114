"""The page's casework and the command line's are one: both refuse the same statements, and come to the same
case."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.cases import DATES, IDS, MORE, NAMES, PARTNERS, message, note, standing
from support.cases import MESSAGES as IDS_OF_DROPS
from support.cases import TIMES as MINUTES
from support.newsdesk import newsroom
from support.vectors import cases

from keys.casework import ANSWERS, STATES, parse, parse_statement
from keys.desk.casework import passing
from keys.desk.casework.case import Note
from keys.desk.desk import Desk
from keys.desk.home import Home
from keys.desk.state import Entry, State
from keys.errors import BadDrop
from keys.identity import Journalist
from keys.letter import Letter
from keys.masthead import MastheadKey

_NODE = Path(sys.prefix) / "bin/node"
_SCRIPT = Path(__file__).parent / "support/casework.mjs"
MESSAGES = [message(0, "ada", "bea", "cyn"), message(1, "ada")]
Page = Callable[[dict[str, Any]], Any]
# Each example asks the same program, which remembers nothing between two of them.
settings.register_profile("page", deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with subprocess.Popen([_NODE, _SCRIPT], text=True, stdin=-1, stdout=-1) as process:
        assert process.stdin
        assert process.stdout
        writing, reading = process.stdin, process.stdout

        def ask(job: dict[str, Any]) -> Any:
            writing.write(json.dumps(job) + "\n")
            writing.flush()
            return json.loads(reading.readline())

        yield ask
        writing.close()
        assert process.wait() == 0


def takes(statement: object) -> bool:
    try:
        parse({"after": [], "says": [statement]})
    except BadDrop:
        return False
    return True


@cases("statement")
def test_vectors(page: Page, case: dict[str, Any]) -> None:
    assert takes(case["statement"]) == page({"statement": case["statement"]}) == case["valid"]


HEAD = {"id": "0" * 16, "time": "2026-11-22T06:10Z"}
# What is nearly right, since what is quite wrong is refused by anybody.
ODD: st.SearchStrategy[Any] = st.one_of(
    st.none() | st.booleans() | st.integers(-1, 2),
    st.text(max_size=3),
    st.text(st.sampled_from("a-A0Aé\n\r\t\x7f\x85\u2028\ud800\U0001f5dd "), max_size=4),
    st.sampled_from(
        ["2026-02-29", "2028-02-29", "0999-12-31", "2026-13-01", "2026-1-01", "２０26-01-01", "a" * 33]
    ),
    st.sampled_from(["a" * 4001, "é" * 2000, "é" * 2001, "\U0001f5dd" * 1000, "\U0001f5dd" * 1001, "ħ" * 31]),
    st.lists(st.sampled_from(["ada", "bea", "0" * 32, "", None]), max_size=3),
    st.dictionaries(st.just("length"), st.integers(0, 1), max_size=1),
)
TIMES = st.sampled_from(
    ["2026-11-22T23:59Z", "2026-11-22T24:00Z", "2026-11-22T06:60Z", "2026-11-31T06:00Z", "2026-11-22 06:00Z"]
)


@given(st.sampled_from(sorted(MORE)), st.data())
@settings(settings.get_profile("page"), max_examples=150)
def test_any_statement_is_taken_by_both_or_by_neither(page: Page, says: str, data: st.DataObject) -> None:
    more = {key: data.draw(right | ODD) for key, right in MORE[says].items()}
    head = HEAD | data.draw(st.fixed_dictionaries({}, optional={"time": TIMES | ODD, "id": ODD, "more": ODD}))
    statement = head | {"says": says} | more
    assert takes(statement) == page({"statement": statement})


WORDS: dict[str, dict[str, Sequence[Any]]] = {
    "state": {"state": STATES, "text": ["why"]},
    "note": {"text": ["x"]},
    "task": {"text": ["call", "read"], "to": [*NAMES, ""]},
    "assign": {"task": IDS, "to": [*NAMES, ""]},
    "done": {"task": IDS, "done": [True, False]},
    "check": {"item": ["heard", "more"], "is": ANSWERS},
    "label": {"label": ["urgent", "a b"], "set": [True, False]},
    "date": {"date": [*DATES, ""]},
    "accept": {"date": DATES},
    "object": {"date": DATES, "text": ["no"]},
    "exclusive": {"partner": list(PARTNERS), "until": DATES},
    "handover": {"from": NAMES, "to": NAMES},
    "widen": {"to": [["eve"], ["bea", "eve"], ["dee"]]},
    "read": {"messages": [[one] for one in IDS_OF_DROPS]},
}


def told(chance: Random) -> list[Note]:
    """Gives notes of readers and others, in any order, of whom some know what was said and some lie."""
    notes: list[Note] = []
    for salt in range(chance.randint(1, 12)):
        known = [*(one.id for one in notes), "f" * 32]
        says = []
        for _ in range(chance.randint(1, 4)):
            kind = chance.choice(list(WORDS))
            more = {key: chance.choice(values) for key, values in WORDS[kind].items()}
            head = {"id": chance.choice(IDS), "time": chance.choice(MINUTES)}
            says.append(parse_statement(head | {"says": kind} | more))
        after = chance.sample(known, min(len(known), chance.randint(0, 3)))
        late = chance.random() < 0.2
        notes.append(note(chance.choice([*NAMES, "dee"]), tuple(after), *says, salt=salt, late=late))
    chance.shuffle(notes)
    return notes + notes[: chance.randint(0, 2)]


@given(st.integers(0, 2**32), st.sampled_from([PARTNERS, {}]))
@settings(settings.get_profile("page"), max_examples=200)
def test_both_come_to_the_same_case(page: Page, seed: int, partners: dict[str, tuple[str, ...]]) -> None:
    notes = told(Random(seed))  # noqa: S311 - no secret comes of it
    job = {
        "messages": [{"id": one.id, "day": str(one.day), "to": one.to} for one in MESSAGES],
        "notes": [
            {"id": one.id, "author": one.author, "late": one.late, **one.said.to_plain()} for one in notes
        ],
        "partners": partners,
    }
    assert page(job) == standing(MESSAGES, notes, partners)


THREADS = (bytes(32), bytes([1]) * 32)
WIDENED = parse_statement(HEAD | {"says": "widen", "to": ["cyn", "eve", "dee"]})


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory) -> Desk:
    """Ada's, in a newsroom that does not list dee, to whom somebody may widen a case all the same."""
    people = [Journalist.generate(name) for name in NAMES]
    home = Home(tmp_path_factory.mktemp("home"))
    home.drop("").parent.mkdir(parents=True)
    return Desk(home, newsroom(MastheadKey.generate(), people), people[0], State())


def came(desk: Desk, chance: Random) -> Iterator[Entry]:
    """Gives what a desk has: drops of two sources, and notes, some of them forged."""

    def entry(letter: Letter, **more: Any) -> Entry:
        id_ = f"{chance.getrandbits(128):032x}"
        desk.home.drop(id_).touch()
        return Entry(id_, MESSAGES[0].day, 1, letter, **more)

    for first, thread in zip(MESSAGES, THREADS, strict=True):
        head = {"newsroom": desk.newsroom.id, "language": "en", "thread": thread}
        yield entry(Letter(**head, to=first.to, message=first.id))
        for one in [*told(chance), note("ada", (), WIDENED, salt=chance.getrandbits(8))]:
            letter = Letter(**head, to=(one.author, "ada"), author=one.author, case=one.said)
            yield entry(letter, note=one.id, late=one.late, forged=chance.random() < 0.1)


@given(st.integers(0, 2**32))
@settings(settings.get_profile("page"), max_examples=150)
def test_both_pass_on_the_same_to_the_same(page: Page, desk: Desk, seed: int) -> None:
    chance = Random(seed)  # noqa: S311 - no secret comes of it
    entries = list(came(desk, chance))
    passed = {one.id: chance.sample(NAMES, 1) for one in entries if chance.random() < 0.2}
    desk.state = State(
        entries={one.id: one for one in entries}, passed={id_: set(to) for id_, to in passed.items()}
    )
    job = {
        "edition": {"recipients": [{"name": name} for name in NAMES], "partners": []},
        "name": "ada",
        "passed": passed,
        "entries": [
            {"id": one.id, "day": str(one.day), "note": one.note, "late": one.late, "forged": one.forged}
            | {"letter": json.loads(one.letter.to_json())}
            for one in entries
            if one.letter
        ],
    }
    assert sorted(page(job)) == sorted([one.entry.id, list(one.to)] for one in passing.owed(desk))
