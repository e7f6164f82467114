"""A case folds to one state, whatever the order in which its notes come (FORMAT.md section 8)."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from support.cases import MESSAGES, NAMES, PARTNERS, STATEMENTS, message, note, standing
from support.vectors import cases

from keys.casework import Said, Statement, parse_statement
from keys.desk.casework.case import Case, Message, Note
from keys.desk.casework.fold import fold

FROM_THE_SOURCE = message(0, "ada", "bea", "cyn")


class Casework(RuleBasedStateMachine):
    """Desks that speak and hear in any order; some hear late, twice, or not until the end. The outsider,
    eve, speaks whenever she likes, as she likes."""

    def __init__(self) -> None:
        super().__init__()
        self.heard: dict[str, dict[str, Note]] = {name: {} for name in NAMES}
        self.sent: list[Note] = []

    def case(self, notes: list[Note]) -> Case:
        reads = [(one.author, said) for one in notes for said in one.said.says if said.says == "read"]
        return fold([FROM_THE_SOURCE, message(1, "ada")], notes, PARTNERS, reads)

    def of(self, name: str) -> Case:
        return self.case(list(self.heard[name].values()))

    @initialize(statement=STATEMENTS)
    def something_was_said(self, statement: Statement) -> None:
        self.speak("ada", [statement])

    @rule(name=st.sampled_from(NAMES), says=st.lists(STATEMENTS, min_size=1, max_size=3))
    def speak(self, name: str, says: list[Statement]) -> None:
        said = note(name, self.of(name).heads, *says, salt=len(self.sent))
        self.sent.append(said)
        self.heard[name][said.id] = said
        if name in self.of(name).readers:
            assert said.id in self.of(name).heads, "what I said last comes after all I knew"

    @rule(says=st.lists(STATEMENTS, min_size=1, max_size=3), data=st.data())
    def lie_about_what_was_known(self, says: list[Statement], data: st.DataObject) -> None:
        known = st.sampled_from([one.id for one in self.sent] + ["f" * 32])
        after = data.draw(st.lists(known, max_size=4, unique=True))
        author = data.draw(st.sampled_from(NAMES))
        late = data.draw(st.booleans())
        self.sent.append(note(author, tuple(after), *says, salt=len(self.sent), late=late))

    @rule(name=st.sampled_from(NAMES), data=st.data())
    def hear(self, name: str, data: st.DataObject) -> None:
        one = data.draw(st.sampled_from(self.sent))
        self.heard[name][one.id] = one

    @rule(one=st.sampled_from(NAMES), other=st.sampled_from(NAMES))
    def hear_all_of_another(self, one: str, other: str) -> None:
        self.heard[one] |= self.heard[other]

    @invariant()
    def nobody_speaks_who_may_not_read(self) -> None:
        for name in NAMES:
            case = self.of(name)
            assert {spoken.author for spoken in case.history} <= case.readers
            assert not {refused.author for refused in case.refused if not refused.late} & case.readers
            vouched = {id_ for one in self.heard[name].values() for id_ in one.said.after}
            counted = {spoken.note for spoken in case.history}
            late = {one.id for one in self.heard[name].values() if one.late}
            assert late & counted <= vouched, "what came late counts only if another names it"

    @invariant()
    def what_is_lacking_is_missed(self) -> None:
        for name in NAMES:
            case, heard = self.of(name), self.heard[name]
            counted = {spoken.note for spoken in case.history}
            wanted = {id_ for one in heard.values() if one.id in counted for id_ in one.said.after}
            assert case.missing >= wanted - heard.keys()

    def teardown(self) -> None:
        for name in NAMES:
            for one in reversed(self.sent):  # everything, once more, in an order that none has had
                self.heard[name][one.id] = one
        first, *others = map(self.of, NAMES)
        for other in others:
            assert other == first
        # The dictionaries differ in their order too; lists and doubles do as well.
        assert self.case(self.sent + self.sent[::-1]) == first


TestCasework = Casework.TestCase
TestCasework.settings = settings(max_examples=40, stateful_step_count=20, deadline=None, database=None)


@given(st.lists(st.tuples(st.sampled_from(NAMES[:3]), STATEMENTS), max_size=12), st.randoms())
def test_who_knows_what_was_said_has_the_last_word(said: list[tuple[str, Statement]], chance: Any) -> None:
    """When everybody hears everything at once, times and hashes decide nothing."""
    notes: list[Note] = []
    for number, (name, one) in enumerate(said):
        heads = fold([FROM_THE_SOURCE], notes, PARTNERS).heads
        notes.append(note(name, heads, replace(one, id=f"{number:016x}"), salt=number))
    chance.shuffle(notes)
    case = fold([FROM_THE_SOURCE], notes, PARTNERS)
    assert [one.statement.id for one in case.history] == [f"{n:016x}" for n in range(len(said))]
    states = [one for _, one in said if one.says == "state"]
    assert case.stands == (states[-1].more["state"] if states else "new")


COUNT = 0


def says(kind: str, id_: str = "", time: str = "2026-11-22T06:00Z", **more: object) -> Statement:
    global COUNT
    COUNT += 1
    return parse_statement({"id": id_ or f"{COUNT:016x}", "time": time, "says": kind, **more})


def told(*spoken: tuple[str, Statement]) -> Case:
    """Gives the case when each has heard all before."""
    notes: list[Note] = []
    for name, one in spoken:
        notes.append(note(name, tuple(one.id for one in notes[-1:]), one))
    return fold([FROM_THE_SOURCE], notes, PARTNERS)


def test_a_case_of_which_nothing_was_said() -> None:
    case = fold([FROM_THE_SOURCE], [], PARTNERS)
    assert (case.stands, case.planned, case.agreed) == ("new", "", False)
    assert case.checks == {"documents": "unknown", "second-source": "unknown", "heard": "unknown"}
    assert case.unread == (FROM_THE_SOURCE,)


def test_a_date_is_agreed_when_every_partner_of_the_case_has_accepted_it() -> None:
    propose = ("ada", says("date", date="2026-12-01"))
    assert not told(propose).agreed
    accepted = told(propose, ("cyn", says("accept", date="2026-12-01")))
    assert accepted.agreed
    assert accepted.outlets == ("harbour", "valley")
    another = told(propose, ("cyn", says("accept", date="2026-12-02")))
    assert not another.agreed
    objection = ("bea", says("object", date="2026-12-01", text="too soon"))
    objected = told(propose, ("cyn", says("accept", date="2026-12-01")), objection)
    assert not objected.agreed
    assert objected.answers["harbour"].text == "too soon"
    taken_back = told(propose, ("cyn", says("accept", date="2026-12-01")), ("ada", says("date", date="")))
    assert (taken_back.planned, taken_back.agreed, taken_back.answers) == ("", False, {})


def test_widening_asks_the_new_partner_for_the_date_too() -> None:
    agreed = (("ada", says("date", date="2026-12-01")), ("cyn", says("accept", date="2026-12-01")))
    widened = told(*agreed, ("ada", says("widen", to=["eve"])))
    assert (widened.agreed, widened.outlets) == (False, ("harbour", "valley", "coast"))
    assert told(
        *agreed, ("ada", says("widen", to=["eve"])), ("eve", says("accept", date="2026-12-01"))
    ).agreed


def test_a_newsroom_without_partners_agrees_by_itself() -> None:
    proposed = note("ada", (), says("date", date="2026-12-01"))
    assert fold([FROM_THE_SOURCE], [proposed], {}).agreed


def test_tasks_are_given_done_and_handed_over() -> None:
    first, second = (
        says("task", "a" * 16, text="call", to="bea"),
        says("task", "b" * 16, text="read", to="bea"),
    )
    case = told(
        ("ada", first),
        ("ada", second),
        ("bea", says("done", task="b" * 16, done=True)),
        ("ada", says("handover", **{"from": "bea", "to": "cyn"})),
    )
    assert [(task.text, task.to, task.done) for task in case.tasks] == [
        ("call", "cyn", False),
        ("read", "bea", True),
    ]
    again = told(("ada", first), ("ada", first))
    assert len(again.tasks) == 1, "the same, said again"
    both = told(("ada", first), ("bea", says("task", "a" * 16, text="mine", to="")))
    assert [(task.author, task.text) for task in both.tasks] == [("ada", "call"), ("bea", "mine")]


def test_a_task_that_is_not_here_yet() -> None:
    assert told(("ada", says("assign", task="a" * 16, to="bea"))).tasks == ()


def test_labels_and_exclusivity_are_put_on_and_taken_off() -> None:
    on, off = says("label", label="urgent", set=True), says("label", label="urgent", set=False)
    alone = says("exclusive", partner="valley", until="2026-12-01")
    assert told(("ada", on), ("ada", alone)).labels == ("urgent",)
    assert told(("ada", alone)).exclusive
    lifted = told(("ada", on), ("ada", alone), ("bea", off), ("bea", says("exclusive", partner="", until="")))
    assert (lifted.labels, lifted.exclusive) == ((), None)


@pytest.mark.parametrize("author", ["eve", "nobody"])
def test_who_may_not_read_says_nothing(author: str) -> None:
    published = note(author, (), says("state", state="published", text=""))
    wider = note(author, (published.id,), says("widen", to=[author]))
    case = fold([FROM_THE_SOURCE], [published, wider], PARTNERS)
    assert (case.stands, case.history, case.heads) == ("new", (), ())
    assert {one.id for one in case.refused} == {published.id, wider.id}
    assert author not in case.readers


def test_what_came_late_counts_once_a_note_that_counts_names_it() -> None:
    first = note("bea", (), says("note", text="in time"))
    late = note("bea", (first.id,), says("note", text="before it ended"), late=True)
    thief = note("bea", (late.id,), says("state", state="published", text=""), late=True)
    case = fold([FROM_THE_SOURCE], [first, late, thief], PARTNERS)
    assert [one.text for one in case.history] == ["in time"]
    assert {one.id for one in case.refused} == {late.id, thief.id}
    assert case.heads == (first.id,), "nobody vouches for it by speaking afterwards"
    ada = note("ada", (late.id,), says("note", text="I had it"))
    case = fold([FROM_THE_SOURCE], [thief, late, ada, first], PARTNERS)
    assert [one.text for one in case.history] == ["in time", "before it ended", "I had it"]
    assert case.refused == (thief,)
    outsider = note("eve", (thief.id,), says("note", text="I am nobody here"))
    assert fold([FROM_THE_SOURCE], [outsider, thief], PARTNERS).history == ()


def test_who_came_late_lets_nobody_in() -> None:
    late = note("ada", (), says("widen", to=["eve"]), late=True)
    eve = note("eve", (late.id,), says("note", text="hello"))
    assert "eve" not in fold([FROM_THE_SOURCE], [late, eve], PARTNERS).readers
    bea = note("bea", (late.id,), says("note", text="I saw that"))
    case = fold([FROM_THE_SOURCE], [eve, late, bea], PARTNERS)
    assert "eve" in case.readers
    assert {one.text for one in case.history if one.text} == {"I saw that", "hello"}


def test_nobody_gets_ahead_by_what_they_claim() -> None:
    """A note that names notes of the future, or of nowhere, is no deeper for it."""
    hers = note("bea", tuple(f"{n:032x}" for n in range(32)), says("state", state="published", text=""))
    answer = note("ada", (hers.id,), says("state", state="checking", text=""))
    case = fold([FROM_THE_SOURCE], [hers, answer], PARTNERS)
    assert case.stands == "checking"
    assert len(case.missing) == 32


def test_what_comes_next_comes_after_all_that_nothing_came_after() -> None:
    first = note("ada", (), says("note", text="first"))
    both = [note(name, (first.id,), says("note", text=name)) for name in ("ada", "bea")]
    assert fold([FROM_THE_SOURCE], [first, *both], PARTNERS).heads == tuple(sorted(one.id for one in both))
    many = [note("ada", (), says("note", text=str(n))) for n in range(40)]
    deep = note("bea", (many[0].id,), says("note", text="deep"))
    heads = fold([FROM_THE_SOURCE], [*many, deep], PARTNERS).heads
    assert (len(heads), deep.id in heads, many[0].id in heads) == (32, True, False)


def test_who_has_read_what() -> None:
    reads = [
        ("bea", says("read", messages=[MESSAGES[0]])),
        ("ada", says("read", time="2026-11-23T06:00Z", messages=[MESSAGES[0]])),
        ("ada", says("read", time="2026-11-24T06:00Z", messages=[MESSAGES[0], MESSAGES[2]])),
        ("eve", says("read", messages=[MESSAGES[1]])),
    ]
    case = fold([FROM_THE_SOURCE, message(1, "ada")], [], PARTNERS, reads)
    assert case.reads == {MESSAGES[0]: {"ada": "2026-11-23T06:00Z", "bea": "2026-11-22T06:00Z"}}
    assert [one.id for one in case.unread] == [MESSAGES[1]]


def test_a_long_chain_is_no_trouble() -> None:
    notes = [note("ada", (), says("note", text="0"))]
    for number in range(3000):
        notes.append(note("ada", (notes[-1].id,), says("note", text=str(number + 1))))
    case = fold([FROM_THE_SOURCE], reversed(notes), PARTNERS)
    assert [one.text for one in case.history] == [str(number) for number in range(3001)]


def _said(one: dict[str, Any]) -> Said:
    return Said(tuple(one["after"]), tuple(map(parse_statement, one["says"])))


@cases("case")
def test_vectors(case: dict[str, Any]) -> None:
    notes = [Note(one["id"], one["author"], _said(one), one.get("late", False)) for one in case["notes"]]
    messages = [
        Message(one["id"], date.fromisoformat(one["day"]), tuple(one["to"])) for one in case["messages"]
    ]
    for order in (notes, notes[::-1]):
        assert standing(messages, order, case["partners"]) == case["case"]
