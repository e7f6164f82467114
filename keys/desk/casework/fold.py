"""The state of a case, folded from what its readers said (FORMAT.md section 8). Pure: the same notes give
the same state, in whatever order they came."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from keys.casework import ITEMS, MOST_AFTER, Statement
from keys.desk.casework.case import Case, Message, Note, Spoken, Task


def fold(
    messages: Iterable[Message],
    notes: Iterable[Note],
    partners: Mapping[str, Iterable[str]],
    reads: Iterable[tuple[str, Statement]] = (),
) -> Case:
    """Gives the case of a thread: its source's drops, the notes of it, the edition's partners with their
    journalists, and every `read` that was said in any thread, with its author."""
    messages = sorted(set(messages), key=lambda one: (one.day, one.id))
    known = {note.id: note for note in notes}
    readers, counted = _counted(messages, known)
    depths = _depths(counted)
    named = {id_ for note in counted.values() for id_ in note.said.after}
    heads = sorted(counted.keys() - named, key=lambda id_: (-depths[id_], id_))[:MOST_AFTER]
    outlets = {name: readers & set(names) for name, names in partners.items()} or {"": readers}
    told = _Told({name: names for name, names in outlets.items() if names})
    history = tuple(_in_order(counted, depths))
    for spoken in history:
        told.take(spoken)
    return Case(
        messages=tuple(messages),
        readers=readers,
        history=history,
        state=told.state,
        tasks=tuple(told.tasks()),
        checks=dict.fromkeys(ITEMS, "unknown") | told.checks,
        labels=tuple(sorted(label for label, on in told.labels.items() if on)),
        date=told.date,
        outlets=tuple(told.outlets),
        answers=told.answers_now(),
        exclusive=told.exclusive,
        reads=_reads(messages, readers, reads),
        refused=tuple(known[id_] for id_ in sorted(known.keys() - counted.keys())),
        missing=frozenset(named - known.keys()),
        heads=tuple(sorted(heads)),
    )


def _counted(
    messages: Iterable[Message], notes: Mapping[str, Note]
) -> tuple[frozenset[str], dict[str, Note]]:
    """Gives the readers and the notes that count: each makes more of the other, until nothing is added."""
    readers = {name for message in messages for name in message.to}
    counted: set[str] = set()
    named: set[str] = set()
    waiting = dict(notes)
    while found := [
        one for one in waiting.values() if one.author in readers and (not one.late or one.id in named)
    ]:
        for note in found:
            counted.add(waiting.pop(note.id).id)
            named.update(note.said.after)
            readers.update(name for one in note.said.says if one.says == "widen" for name in one.more["to"])
    return frozenset(readers), {id_: note for id_, note in notes.items() if id_ in counted}


def _depths(notes: Mapping[str, Note]) -> dict[str, int]:
    """Gives each note's depth. Ids are hashes, so no note can come after itself."""
    depths: dict[str, int] = {}
    for first in notes:
        waiting = [first]
        while waiting:
            id_ = waiting[-1]
            before = [one for one in notes[id_].said.after if one in notes]
            if unknown := [one for one in before if one not in depths]:
                waiting += unknown
            else:
                depths[id_] = 1 + max((depths[one] for one in before), default=0)
                waiting.pop()
    return depths


def _in_order(notes: Mapping[str, Note], depths: Mapping[str, int]) -> Iterator[Spoken]:
    placed = sorted(
        ((depths[note.id], one.time, note.id, place), Spoken(note.author, note.id, one))
        for note in notes.values()
        for place, one in enumerate(note.said.says)
    )
    seen: set[tuple[str, str]] = set()
    for _, spoken in placed:
        if (key := (spoken.author, spoken.statement.id)) not in seen:
            seen.add(key)
            yield spoken


def _reads(
    messages: Iterable[Message], readers: frozenset[str], reads: Iterable[tuple[str, Statement]]
) -> dict[str, dict[str, str]]:
    """Gives when each reader first read each message that somebody has read."""
    found: dict[str, dict[str, str]] = {}
    wanted = {message.id for message in messages}
    for author, one in reads:
        if author in readers:
            for id_ in wanted.intersection(one.more["messages"]):
                times = found.setdefault(id_, {})
                times[author] = min(one.time, times.get(author, one.time))
    return found


class _Told:
    """What has been said so far, statement by statement."""

    def __init__(self, outlets: Mapping[str, frozenset[str]]) -> None:
        self.outlets = outlets
        self.state: Spoken | None = None
        self.date: Spoken | None = None
        self.exclusive: Spoken | None = None
        self.checks: dict[str, str] = {}
        self.labels: dict[str, bool] = {}
        self._made: list[Spoken] = []
        self._to: dict[str, str] = {}
        self._done: dict[str, bool] = {}
        self._answers: dict[str, dict[str, Spoken]] = {}

    def take(self, spoken: Spoken) -> None:
        more = spoken.statement.more
        match spoken.says:
            case "state":
                self.state = spoken
            case "check":
                self.checks[more["item"]] = more["is"]
            case "label":
                self.labels[more["label"]] = more["set"]
            case "date" | "accept" | "object":
                self._take_date(spoken)
            case "exclusive":
                self.exclusive = spoken if more["partner"] else None
            case "task" | "assign" | "done" | "handover":
                self._take_task(spoken)

    def _take_date(self, spoken: Spoken) -> None:
        if spoken.says == "date":
            self.date = spoken
        answers = self._answers.setdefault(spoken.statement.more["date"], {})
        answers |= {name: spoken for name, names in self.outlets.items() if spoken.author in names}

    def _take_task(self, spoken: Spoken) -> None:
        more = spoken.statement.more
        match spoken.says:
            case "task":
                self._made.append(spoken)
                self._to[spoken.statement.id] = more["to"]
            case "assign":
                self._to[more["task"]] = more["to"]
            case "done":
                self._done[more["task"]] = more["done"]
            case "handover":
                for task, to in self._to.items():
                    if to == more["from"] and not self._done.get(task):
                        self._to[task] = more["to"]

    def answers_now(self) -> dict[str, Spoken]:
        planned = self.date.statement.more["date"] if self.date else ""
        return self._answers.get(planned, {}) if planned else {}

    def tasks(self) -> Iterator[Task]:
        for made in self._made:
            id_ = made.statement.id
            yield Task(id_, made.text, made.author, self._to[id_], self._done.get(id_, False))
