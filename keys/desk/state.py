"""What a desk remembers between two commands."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from keys.casework import Statement
from keys.desk.boards import Known
from keys.letter import Letter


@dataclass(frozen=True)
class Entry:
    """A drop that is for this desk, or one that is broken. `problem` says why it was not read; without one
    there is a letter, unless it is `bare`: a file that the source sealed by hand. `forged` is a note which
    its author did not sign, `late` one that came after the key which signed it had ended, `note` the
    id of one that was signed."""

    id: str
    day: date
    size: int
    letter: Letter | None = None
    title: str = ""
    files: int = 0
    forged: bool = False
    problem: str = ""
    bare: bool = False
    note: str = ""
    late: bool = False

    @property
    def of_source(self) -> bool:
        return self.bare or (self.letter is not None and self.letter.kind == "drop")

    @property
    def silent(self) -> bool:
        """Whether it is a note that only says what its author has read."""
        said = self.letter.case if self.letter and not self.letter.record and not self.forged else None
        return said is not None and all(one.says == "read" for one in said.says)


@dataclass(frozen=True)
class OwnReply:
    """A reply of this desk's journalist. `used` are all n it was ever posted under, `live` the last of them;
    `recorded` tells whether a note of `live` went to the colleagues."""

    id: str
    thread: bytes = field(repr=False)
    to: tuple[str, ...]
    language: str
    text: str = field(repr=False)
    day: date
    used: tuple[int, ...] = ()
    live: tuple[int, ...] = ()
    recorded: bool = False


@dataclass(frozen=True)
class Saying:
    """A statement of this desk's journalist that has not come back from the relay: `after` are the notes that
    were here when it was made, `note` the one that it was sent in, if it was."""

    thread: bytes = field(repr=False)
    statement: Statement
    after: tuple[str, ...] = ()
    note: str = ""


@dataclass(frozen=True)
class Copy:
    """A drop on its way to new readers of a case: the id it is uploaded under, and who they are."""

    drop: str
    to: tuple[str, ...]


@dataclass(frozen=True)
class Canary:
    """A canary of this desk that the source onion took: `receipt` is the head of its answer, `listed` whether
    it was at the desk onion since, `missed` in how many listings it was not, `looks` how many boards of its
    week had no answer."""

    drop: str
    thread: bytes = field(repr=False)
    day: date
    receipt: str
    listed: bool = False
    missed: int = 0
    looks: int = 0


@dataclass(frozen=True)
class Call:
    """A canary, anybody's, that came to this desk: answered under all n below `used`."""

    thread: bytes = field(repr=False)
    day: date
    used: int = 0


@dataclass
class State:
    cursor: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)
    others: dict[str, date] = field(default_factory=dict)  # drops for somebody else, and when they came
    replies: dict[str, OwnReply] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)  # drops the journalist has looked at
    canaries: dict[str, Canary] = field(default_factory=dict)  # that are on their way
    calls: dict[str, Call] = field(default_factory=dict)
    board: Known | None = None
    says: list[Saying] = field(default_factory=list)
    reads: dict[str, str] = field(
        default_factory=dict
    )  # messages read here, and when, that nobody was told of
    passed: dict[str, set[str]] = field(default_factory=dict)  # drops, and to whom this desk passed them on
    again: dict[str, set[str]] = field(default_factory=dict)  # drops, and who lost them
    copies: dict[str, Copy] = field(default_factory=dict)  # drops that are being passed on
    edition: int = 0  # that of the last sync
    former: dict[str, date] = field(default_factory=dict)  # signers of former identities, last needed when

    @property
    def newest(self) -> date:
        """Gives the newest day of what came up to now."""
        return max([date.min, *(one.day for one in self.entries.values()), *self.others.values()])

    def thread(self, key: bytes) -> Iterator[Entry]:
        """Gives the thread's drops and notes, in the order they came."""
        return (entry for entry in self.entries.values() if entry.letter and entry.letter.thread == key)

    def read(self, key: bytes) -> set[str]:
        """Gives the ids of the replies the thread's source has read."""
        return {
            id_ for entry in self.thread(key) if entry.of_source and entry.letter for id_ in entry.letter.read
        }

    def holder(self, given: Entry) -> str | None:
        """Gives the drop that is the same one, if one came: by its message id, and a note by its own, which
        nobody can give to another."""

        def key(entry: Entry) -> tuple[object, ...]:
            return (entry.note, entry.forged) if entry.note else (entry.letter and entry.letter.message,)

        same = (entry.id for entry in self.entries.values() if entry.letter and key(entry) == key(given))
        return next(same, None)

    def learn(self, letter: Letter, text: str, day: date) -> None:
        """Takes up what a note of this desk's own says: a laptop that is new knows then what the last one
        posted."""
        if letter.case:
            back = {one.id for one in letter.case.says}
            self.says = [one for one in self.says if one.statement.id not in back]
        if (record := letter.record) is None:
            return
        new = OwnReply(record.id, letter.thread, letter.to, letter.language, text, day)
        known = self.replies.get(record.id, new)
        if not set(record.lines) <= set(known.used):
            used = tuple(dict.fromkeys(known.used + record.lines))
            self.replies[record.id] = replace(known, used=used, live=record.lines, recorded=True)

    def look_for_canaries(self) -> None:
        """Notes which of this desk's canaries the listings up to now have had."""
        for id_, canary in self.canaries.items():
            if id_ in self.others or id_ in self.entries:
                self.canaries[id_] = replace(canary, listed=True)
            else:
                self.canaries[id_] = replace(canary, missed=canary.missed + 1)

    def forget(self, before: date) -> None:
        """Drops what is only there to know a drop again that the relay no longer has."""
        self.others = {id_: day for id_, day in self.others.items() if day >= before}
        self.calls = {id_: call for id_, call in self.calls.items() if call.day >= before}
