"""The cases of a desk: which there are, where each stands, and what its journalist says in one."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from functools import cached_property
from typing import Any

from keys import casework
from keys.casework import MOST, MOST_AFTER, Said, Statement
from keys.codename import thread_id
from keys.desk.casework.case import Case, Message, Note
from keys.desk.casework.fold import fold
from keys.desk.desk import Desk
from keys.desk.state import Entry, Saying
from keys.errors import DeskError

WAITING = "~"  # stands for the note that statements will be sent in, and sorts behind every id


class Cases:
    """The cases as they were when this was made."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._partners = {one.name: one.recipients for one in desk.newsroom.partners}
        self._messages: dict[bytes, list[Message]] = {}
        self._notes: dict[bytes, list[Note]] = {}
        for entry in desk.state.entries.values():
            self._add(entry)
        for thread, note in _own(desk):
            after = note.said.after if note.id != WAITING else self.after(thread, note.said.after)
            said = Said(after, note.said.says)
            self._notes.setdefault(thread, []).append(replace(note, said=said))

    def _add(self, entry: Entry) -> None:
        letter = entry.letter
        if letter is None or entry.forged:
            return
        if letter.kind == "drop":
            message = Message(letter.message, entry.day, letter.to)
            self._messages.setdefault(letter.thread, []).append(message)
        elif letter.case and letter.author and entry.note:
            note = Note(entry.note, letter.author, letter.case, entry.late)
            self._notes.setdefault(letter.thread, []).append(note)

    @property
    def threads(self) -> Iterable[bytes]:
        """Gives the thread keys of all cases, in the order they began."""
        return self._messages.keys()

    def of(self, thread: bytes) -> Case:
        """Gives a case as this journalist sees it, what waits to be sent among it."""
        return self._fold(thread, self._notes.get(thread, []))

    def believes(self, entry: Entry) -> bool:
        """Tells whether what a drop or note says may be taken for its author's word."""
        if entry.forged or not entry.late:
            return not entry.forged
        letter = entry.letter
        if letter is None or letter.case is None:
            return False
        return all(one.id != entry.note for one in self.of(letter.thread).refused)

    def sent(self, thread: bytes) -> Case:
        """Gives a case without what waits to be sent."""
        return self._fold(thread, [one for one in self._notes.get(thread, []) if one.id != WAITING])

    def _fold(self, thread: bytes, notes: Iterable[Note]) -> Case:
        messages = self._messages.get(thread, [])
        reads = [one for message in messages for one in self._reads.get(message.id, ())]
        return fold(messages, notes, self._partners, reads)

    @cached_property
    def _reads(self) -> dict[str, list[tuple[str, Statement]]]:
        """Gives who said to have read which message."""
        # A late one may have been made yesterday: a read is no loss, and a widen would give the case away.
        notes = (note for notes in self._notes.values() for note in notes if not note.late)
        said = [(note.author, one) for note in notes for one in note.said.says if one.says == "read"]
        said += [(self._desk.name, one) for one in reading(self._desk.state.reads)]
        found: dict[str, list[tuple[str, Statement]]] = {}
        for author, one in said:
            for message in one.more["messages"]:
                found.setdefault(message, []).append((author, one))
        return found

    def after(self, thread: bytes, heads: Iterable[str]) -> tuple[str, ...]:
        """Gives what a note comes after whose author had these when speaking: always one's own last, too."""
        mine = {note.id: note.said.after for note in self._notes.get(thread, []) if self._is_mine(note)}
        last = mine.keys() - {id_ for after in mine.values() for id_ in after}
        before = {id_ for one in last for id_ in mine[one]}
        return tuple(sorted([*sorted(last), *sorted(set(heads) - before - last)][:MOST_AFTER]))

    def _is_mine(self, note: Note) -> bool:
        return note.author == self._desk.name and note.id != WAITING and not note.late

    def to(self, thread: bytes) -> tuple[str, ...]:
        """Gives whom a note of this case is sealed to: its readers whom the page lists."""
        readers = self.of(thread).readers | {self._desk.name}
        return tuple(name for name in self._desk.recipients if name in readers)

    def mine(self, says: str) -> Iterator[tuple[bytes, Statement]]:
        """Gives the statements of this kind that this journalist has made, each with its thread."""
        for thread, notes in self._notes.items():
            for note in notes:
                if note.author == self._desk.name and not note.late:
                    yield from ((thread, one) for one in note.said.says if one.says == says)

    def find(self, given: str) -> bytes:
        """Gives the thread of the case whose id begins so, or to which the drop belongs whose id does; raises
        DeskError when there is none, or there are several."""
        found = {key for key in self.threads if given and thread_id(key).startswith(given)}
        drops = (entry for id_, entry in self._desk.state.entries.items() if given and id_.startswith(given))
        found |= {one.letter.thread for one in drops if one.letter and one.letter.thread in self._messages}
        if len(found) != 1:
            said = "no case has" if not found else f"{len(found)} cases have"
            raise DeskError(f"{said} an id that begins with {given}", hint="`desk cases` shows them")
        return found.pop()


def say(desk: Desk, thread: bytes, says: str, **more: Any) -> Statement:
    """Remembers a statement, to be sent with the next sync; raises DeskError when this journalist has no
    part in the case, and BadDrop for what no reader would take. The caller saves."""
    case = Cases(desk).sent(thread)
    if desk.name not in case.readers:
        raise DeskError("you have no part in this case yet", hint="`desk fetch` may bring what lets you in")
    made = casework.statement(casework.now(), says, **more)
    desk.state.says.append(Saying(thread, made, case.heads))
    return made


def have_read(desk: Desk, entries: Iterable[Entry]) -> None:
    """Remembers to tell colleagues that this journalist has read these drops. The caller saves."""
    for entry in entries:
        if entry.of_source and entry.letter:
            desk.state.reads.setdefault(entry.letter.message, casework.now())


def reading(reads: Mapping[str, str]) -> list[Statement]:
    """Gives the statements that these messages were read, each at its time."""
    times: dict[str, list[str]] = {}
    for message, time in reads.items():
        times.setdefault(time, []).append(message)
    return [
        casework.statement(time, "read", messages=messages[at : at + MOST])
        for time, messages in times.items()
        for at in range(0, len(messages), MOST)
    ]


def _own(desk: Desk) -> Iterator[tuple[bytes, Note]]:
    """Gives what was said here as the notes it was sent in, or will be."""
    groups: dict[tuple[bytes, str], list[Saying]] = {}
    for one in desk.state.says:
        groups.setdefault((one.thread, one.note or WAITING), []).append(one)
    for (thread, id_), group in sorted(groups.items(), key=lambda one: one[0][1] == WAITING):
        said = Said(group[-1].after, tuple(one.statement for one in group))
        yield thread, Note(id_, desk.name, said)
