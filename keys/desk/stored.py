"""What a desk remembers, sealed to its own recipient: nothing of it lies open on the disk."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from typing import Any, TypeVar

from keys import casework
from keys import letter as letters
from keys.age import HybridIdentity, open_bytes, seal_bytes
from keys.desk.boards import HASH, Known
from keys.desk.state import Call, Canary, Copy, Entry, OwnReply, Saying, State
from keys.errors import DeskError, KnotholeError

T = TypeVar("T")

_HINT = "move it away and fetch again: all but what was never posted or told comes back from the relay"


def load(sealed: bytes, identities: Sequence[HybridIdentity]) -> State:
    """Gives the state that was sealed; raises DeskError for other bytes."""
    try:
        return _parse(json.loads(open_bytes(sealed, identities)))
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
        "says": [_plain_saying(one) for one in state.says],
        "reads": state.reads,
        "passed": {id_: sorted(names) for id_, names in state.passed.items()},
        "again": {id_: sorted(names) for id_, names in state.again.items()},
        "copies": {id_: [copy.drop, *copy.to] for id_, copy in state.copies.items()},
        "edition": state.edition,
        "former": {signer: str(day) for signer, day in state.former.items()},
    }


def _plain_entry(entry: Entry) -> dict[str, Any]:
    return vars(entry) | {"day": str(entry.day), "letter": entry.letter and entry.letter.to_json().decode()}


def _plain_reply(reply: OwnReply | Canary | Call) -> dict[str, Any]:
    return vars(reply) | {"day": str(reply.day), "thread": reply.thread.hex()}


def _plain_saying(saying: Saying) -> dict[str, Any]:
    plain = {"thread": saying.thread.hex(), "statement": saying.statement.to_plain()}
    return vars(saying) | plain


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
        says=[_saying(**one) for one in given.get("says", ())],
        reads=dict(given.get("reads", {})),
        passed={id_: set(names) for id_, names in given.get("passed", {}).items()},
        again={id_: set(names) for id_, names in given.get("again", {}).items()},
        copies={id_: Copy(drop, tuple(to)) for id_, (drop, *to) in given.get("copies", {}).items()},
        edition=given.get("edition", 0),
        former={one: date.fromisoformat(day) for one, day in given.get("former", {}).items()},
    )


def _entry(*, day: str, letter: str | None, **rest: Any) -> Entry:
    return Entry(
        day=date.fromisoformat(day), letter=letters.parse(letter.encode()) if letter else None, **rest
    )


def _reply(**given: Any) -> OwnReply:
    for key in ("to", "used", "live"):
        given[key] = tuple(given[key])
    return _of_thread(OwnReply, **given)


def _saying(*, thread: str, statement: Any, after: list[str], note: str) -> Saying:
    return Saying(bytes.fromhex(thread), casework.parse_statement(statement), tuple(after), note)


def _of_thread(kind: Callable[..., T], *, thread: str, day: str, **rest: Any) -> T:
    return kind(thread=bytes.fromhex(thread), day=date.fromisoformat(day), **rest)


def _board(lines: str, posted: str) -> Known:
    def cut(data: bytes) -> tuple[bytes, ...]:
        return tuple(data[at : at + HASH] for at in range(0, len(data), HASH))

    return Known(cut(bytes.fromhex(lines)), cut(bytes.fromhex(posted)))
