"""What a desk remembers between two commands, sealed to its own recipient: nothing of it lies open on the
disk."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any

from keys import letter as letters
from keys.age import HybridIdentity, open_bytes, seal_bytes
from keys.errors import DeskError, KnotholeError
from keys.letter import Letter

_HINT = "move it away and fetch again: all but replies that were never posted comes back from the relay"


@dataclass(frozen=True)
class Entry:
    """A drop that is for this desk, or one that is broken. `problem` says why it was not read; without one
    there is a letter. `forged` is a note which its author did not sign."""

    id: str
    day: date
    size: int
    letter: Letter | None = None
    title: str = ""
    files: int = 0
    forged: bool = False
    problem: str = ""

    @property
    def of_source(self) -> bool:
        return self.letter is not None and self.letter.kind == "drop"


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


@dataclass
class State:
    cursor: str = ""
    entries: dict[str, Entry] = field(default_factory=dict)
    others: dict[str, date] = field(default_factory=dict)  # drops for somebody else, and when they came
    replies: dict[str, OwnReply] = field(default_factory=dict)
    shown: set[str] = field(default_factory=set)  # drops the journalist has looked at

    def thread(self, key: bytes) -> Iterator[Entry]:
        """Gives the thread's drops and notes, in the order they came."""
        return (entry for entry in self.entries.values() if entry.letter and entry.letter.thread == key)

    def read(self, key: bytes) -> set[str]:
        """Gives the ids of the replies the thread's source has read."""
        return {
            id_ for entry in self.thread(key) if entry.of_source and entry.letter for id_ in entry.letter.read
        }

    def holder(self, message: str) -> str | None:
        """Gives the drop that came with this message id, if one did."""
        same = (
            entry.id for entry in self.entries.values() if entry.letter and entry.letter.message == message
        )
        return next(same, None)

    def learn(self, letter: Letter, text: str, day: date) -> None:
        """Takes up what a note of this desk's own says: a laptop that is new knows then what the last one
        posted."""
        if (record := letter.record) is None:
            return
        new = OwnReply(record.id, letter.thread, letter.to, letter.language, text, day)
        known = self.replies.get(record.id, new)
        if not set(record.lines) <= set(known.used):
            used = tuple(dict.fromkeys(known.used + record.lines))
            self.replies[record.id] = replace(known, used=used, live=record.lines, recorded=True)

    def forget(self, before: date) -> None:
        """Drops what is only there to know a drop again that the relay no longer has."""
        self.others = {id_: day for id_, day in self.others.items() if day >= before}


def load(sealed: bytes, identity: HybridIdentity) -> State:
    """Gives the state that was sealed; raises DeskError for other bytes."""
    try:
        return _parse(json.loads(open_bytes(sealed, [identity])))
    except (KnotholeError, ValueError, TypeError, KeyError, AttributeError):
        raise DeskError("the desk's own file state.age is damaged, or another's", hint=_HINT) from None


def seal(state: State, identity: HybridIdentity) -> bytes:
    """Gives the state as an age file that only this identity opens."""
    return seal_bytes(json.dumps(_plain(state)).encode(), [identity.recipient()])


def _plain(state: State) -> dict[str, Any]:
    return {
        "version": 1,
        "cursor": state.cursor,
        "entries": [_plain_entry(entry) for entry in state.entries.values()],
        "others": {id_: str(day) for id_, day in state.others.items()},
        "replies": [_plain_reply(reply) for reply in state.replies.values()],
        "shown": sorted(state.shown),
    }


def _plain_entry(entry: Entry) -> dict[str, Any]:
    return vars(entry) | {"day": str(entry.day), "letter": entry.letter and entry.letter.to_json().decode()}


def _plain_reply(reply: OwnReply) -> dict[str, Any]:
    return vars(reply) | {"day": str(reply.day), "thread": reply.thread.hex()}


def _parse(given: dict[str, Any]) -> State:
    if given["version"] != 1:
        raise ValueError("another version")
    entries = [_entry(**entry) for entry in given["entries"]]
    replies = [_reply(**reply) for reply in given["replies"]]
    return State(
        cursor=given["cursor"],
        entries={entry.id: entry for entry in entries},
        others={id_: date.fromisoformat(day) for id_, day in given["others"].items()},
        replies={reply.id: reply for reply in replies},
        shown=set(given["shown"]),
    )


def _entry(*, day: str, letter: str | None, **rest: Any) -> Entry:
    return Entry(
        day=date.fromisoformat(day), letter=letters.parse(letter.encode()) if letter else None, **rest
    )


def _reply(*, thread: str, day: str, **rest: Any) -> OwnReply:
    for key in ("to", "used", "live"):
        rest[key] = tuple(rest[key])
    return OwnReply(thread=bytes.fromhex(thread), day=date.fromisoformat(day), **rest)
