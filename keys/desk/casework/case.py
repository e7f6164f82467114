"""What there is to say of a case: what came, who said what, and where it stands (FORMAT.md section 8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from keys.casework import Said, Statement


@dataclass(frozen=True)
class Message:
    """A drop of the source's: its message id, the day it came, and for whom the source sealed it."""

    id: str
    day: date
    to: tuple[str, ...]


@dataclass(frozen=True)
class Note:
    """A note whose author's signature holds; `late` if it came after the key that made it had ended."""

    id: str
    author: str
    said: Said
    late: bool = False


@dataclass(frozen=True)
class Spoken:
    """A statement, who made it and in which note."""

    author: str
    note: str
    statement: Statement

    @property
    def time(self) -> str:
        return self.statement.time

    @property
    def says(self) -> str:
        return self.statement.says

    @property
    def text(self) -> str:
        return str(self.statement.more.get("text", ""))


@dataclass(frozen=True)
class Task:
    id: str
    text: str
    author: str
    to: str
    done: bool


@dataclass(frozen=True)
class Case:
    """What is agreed about a case. `state`, `date` and `exclusive` are the last word on each, if any;
    `answers` are the last words of each outlet on the proposed date; `refused` are notes of nobody's who may
    read it, and late ones that nobody vouches for, `missing` ids of notes that others had and that are not
    here, `heads` the notes that a new one comes after."""

    messages: tuple[Message, ...] = ()
    readers: frozenset[str] = frozenset()
    history: tuple[Spoken, ...] = ()
    state: Spoken | None = None
    tasks: tuple[Task, ...] = ()
    checks: Mapping[str, str] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    date: Spoken | None = None
    outlets: tuple[str, ...] = ()
    answers: Mapping[str, Spoken] = field(default_factory=dict)
    exclusive: Spoken | None = None
    reads: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    refused: tuple[Note, ...] = ()
    missing: frozenset[str] = frozenset()
    heads: tuple[str, ...] = ()

    @property
    def stands(self) -> str:
        """Gives the name of its state."""
        return str(self.state.statement.more["state"]) if self.state else "new"

    @property
    def planned(self) -> str:
        """Gives the date of publication that is proposed, if one is."""
        return str(self.date.statement.more["date"]) if self.date else ""

    @property
    def agreed(self) -> bool:
        accepted = {outlet for outlet, last in self.answers.items() if last.says != "object"}
        return bool(self.planned and self.outlets) and accepted >= set(self.outlets)

    @property
    def unread(self) -> tuple[Message, ...]:
        """Gives the source's drops that nobody has read, oldest first."""
        return tuple(one for one in self.messages if one.id not in self.reads)
