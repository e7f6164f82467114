"""What a desk remembers between two commands, sealed to its own recipient: nothing of it lies open on the
disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date
from typing import Any, TypeVar

from keys import letter as letters
from keys.age import HybridIdentity, open_bytes, seal_bytes
from keys.desk.boards import LABEL, Known
from keys.errors import DeskError, KnotholeError
from keys.letter import Letter

T = TypeVar("T")

_HINT = "move it away and fetch again: all but replies that were never posted comes back from the relay"


@dataclass(frozen=True)
class Entry:
    """A drop that is for this desk, or one that is broken. `problem` says why it was not read; without one
    there is a letter, unless it is `bare`: a file that the source sealed by hand. `forged` is a note which
    its author did not sign."""

    id: str
    day: date
    size: int
    letter: Letter | None = None
    title: str = ""
    files: int = 0
    forged: bool = False
    problem: str = ""
    bare: bool = False

    @property
    def of_source(self) -> bool:
        return self.bare or (self.letter is not None and self.letter.kind == "drop")


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
class Canary:
    """A canary of this desk that the source onion took: `receipt` is the head of its answer, `listed` whether
    it was at the desk onion since, `missed` in how many listings it was not."""

    drop: str
    thread: bytes = field(repr=False)
    day: date
    receipt: str
    listed: bool = False
    missed: int = 0


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
        "canaries": [_plain_reply(canary) for canary in state.canaries.values()],
        "calls": [_plain_reply(call) for call in state.calls.values()],
        "board": state.board and [b"".join(lines).hex() for lines in (state.board.lines, state.board.posted)],
    }


def _plain_entry(entry: Entry) -> dict[str, Any]:
    return vars(entry) | {"day": str(entry.day), "letter": entry.letter and entry.letter.to_json().decode()}


def _plain_reply(reply: OwnReply | Canary | Call) -> dict[str, Any]:
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
        canaries={one["drop"]: _of_thread(Canary, **one) for one in given.get("canaries", ())},
        calls={one["thread"]: _of_thread(Call, **one) for one in given.get("calls", ())},
        board=_board(*given["board"]) if given.get("board") else None,
    )


def _entry(*, day: str, letter: str | None, **rest: Any) -> Entry:
    return Entry(
        day=date.fromisoformat(day), letter=letters.parse(letter.encode()) if letter else None, **rest
    )


def _reply(**given: Any) -> OwnReply:
    for key in ("to", "used", "live"):
        given[key] = tuple(given[key])
    return _of_thread(OwnReply, **given)


def _of_thread(kind: Callable[..., T], *, thread: str, day: str, **rest: Any) -> T:
    return kind(thread=bytes.fromhex(thread), day=date.fromisoformat(day), **rest)


def _board(lines: str, posted: str) -> Known:
    def cut(data: bytes) -> tuple[bytes, ...]:
        return tuple(data[at : at + LABEL] for at in range(0, len(data), LABEL))

    return Known(cut(bytes.fromhex(lines)), cut(bytes.fromhex(posted)))
