"""Two desks and a box that loses, repeats and swallows: whatever happens between them, nothing that was said
is lost or told twice, and both come to the same case."""

import io
import secrets
import shutil
import tempfile
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule
from support.newsdesk import newsroom, recipients

from keys import drop as drops
from keys.desk import inbox, notes, stored
from keys.desk.answers import Listed
from keys.desk.casework.case import Case
from keys.desk.casework.cases import Cases, have_read, say
from keys.desk.desk import Desk
from keys.desk.home import Home
from keys.desk.state import State
from keys.identity import Journalist
from keys.letter import Letter
from keys.masthead import MastheadKey

NAMES = ("ada", "bea")
JOURNALISTS = {name: Journalist.generate(name) for name in NAMES}
NEWSROOM = newsroom(MastheadKey.generate(), JOURNALISTS.values())
KEYS = recipients(NEWSROOM)
THREAD = b"\1" * 32
TODAY = date(2026, 11, 22)


def from_the_source() -> bytes:
    out = io.BytesIO()
    letter = Letter(newsroom=NEWSROOM.id, thread=THREAD, language="en", to=NAMES)
    drops.seal(out, letter, "hello", [], KEYS)
    return out.getvalue()


DROPS = (from_the_source(), from_the_source())
WORDS: tuple[Callable[[Desk, int], dict[str, Any]], ...] = (
    lambda desk, n: {"says": "note", "text": f"{desk.name} {n}"},
    lambda desk, n: {"says": "state", "state": ("checking", "published")[n % 2], "text": f"{desk.name} {n}"},
    lambda desk, n: {"says": "task", "text": f"{desk.name} {n}", "to": desk.name},
    lambda desk, n: {"says": "note", "text": f"{desk.name} {n} " + "x" * 3900},
)


class TwoDesks(RuleBasedStateMachine):
    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp(prefix="desks-"))
        self.desks = {name: Desk(self.home(name), NEWSROOM, JOURNALISTS[name], State()) for name in NAMES}
        self.box: list[tuple[str, bytes]] = []
        self.said: dict[str, list[str]] = {name: [] for name in NAMES}
        self.count = 0
        self.honest = True

    def home(self, name: str) -> Home:
        home = Home(self.folder / name)
        home.make()
        return home

    def case(self, name: str) -> Case:
        return Cases(self.desks[name]).of(THREAD)

    @initialize()
    def a_drop_came(self) -> None:
        self.box.append((secrets.token_hex(16), DROPS[0]))
        for name in NAMES:
            self.fetch(name)

    @rule()
    def another_drop_comes(self) -> None:
        if DROPS[1] not in [data for _, data in self.box]:
            self.box.append((secrets.token_hex(16), DROPS[1]))

    @rule(name=st.sampled_from(NAMES), what=st.sampled_from(WORDS))
    def speak(self, name: str, what: Callable[[Desk, int], dict[str, Any]]) -> None:
        self.count += 1
        words = what(self.desks[name], self.count)
        say(self.desks[name], THREAD, words.pop("says"), **words)
        self.said[name].append(words["text"])

    @rule(name=st.sampled_from(NAMES))
    def read(self, name: str) -> None:
        have_read(self.desks[name], self.desks[name].state.entries.values())

    @rule(name=st.sampled_from(NAMES))
    def fetch(self, name: str) -> None:
        desk = self.desks[name]
        for id_, data in self.box:
            if id_ not in desk.state.entries and id_ not in desk.state.others:
                path = desk.home.drop(id_)
                path.write_bytes(data)
                inbox.take_in(desk, Listed(id_, len(data), TODAY), path)
        notes.again(desk)

    @rule(name=st.sampled_from(NAMES), fate=st.sampled_from(["stored"] * 4 + ["lost", "crash", "swallowed"]))
    def send(self, name: str, fate: str) -> None:
        """A sync, of which the note is stored, or lost with the connection, or stored before a crash, or
        acknowledged and thrown away by the box."""
        self.fetch(name)
        self.honest &= fate != "swallowed"
        desk = self.desks[name]
        saved = stored.seal(desk.state, desk.identity)
        note = notes.note(desk)
        assert len(note) == len(notes_alike()), "all of one size"
        if fate in ("stored", "crash"):
            self.box.append((secrets.token_hex(16), note))
        if fate in ("lost", "crash"):
            desk.state = stored.load(saved, desk.identities)

    @rule(data=st.data())
    def the_box_repeats(self, data: st.DataObject) -> None:
        _, again = data.draw(st.sampled_from(self.box))
        self.box.append((secrets.token_hex(16), again))

    @rule(name=st.sampled_from(NAMES))
    def a_new_laptop(self, name: str) -> None:
        """What was never sent is lost with the old one, and what the box swallowed too."""
        there = {one.text for one in self.of_the_box(name)}
        self.said[name] = [text for text in self.said[name] if text in there]
        self.desks[name].state = State()
        self.fetch(name)

    def of_the_box(self, name: str) -> list[Any]:
        desk = self.desks[name]
        spare = replace(desk, state=State())
        for id_, data in self.box:
            path = desk.home.folder / "look.age"
            path.write_bytes(data)
            inbox.take_in(spare, Listed(id_, len(data), TODAY), path)
        return [one for one in Cases(spare).of(THREAD).history if one.author == name]

    def teardown(self) -> None:
        try:
            for name in NAMES:
                rounds = 0
                self.send(name, "stored")
                while notes.waits(self.desks[name]):
                    self.send(name, "stored")
                    rounds += 1
                    assert rounds < 50, "what waits gets said"
            for name in NAMES:
                self.fetch(name)
            one, other = (self.case(name) for name in NAMES)
            assert one == other
            for name in NAMES:
                told = [spoken.text for spoken in one.history if spoken.author == name and spoken.text]
                assert sorted(told) == sorted(self.said[name]), "all of it, and once"
                assert told == self.said[name] or not self.honest, "and in its author's order"
                assert not self.desks[name].state.says
        finally:
            shutil.rmtree(self.folder)


def notes_alike() -> bytes:
    out = io.BytesIO()
    drops.seal_cover(out, len(KEYS))
    return out.getvalue()


TestTwoDesks = TwoDesks.TestCase
TestTwoDesks.settings = settings(max_examples=20, stateful_step_count=15, deadline=None, database=None)
