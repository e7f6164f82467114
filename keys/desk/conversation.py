"""A thread as people read it: what the source sent and what the journalists answered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

from keys.desk import outbox
from keys.desk.casework.cases import Cases
from keys.desk.desk import Desk
from keys.desk.state import Entry
from keys.errors import KnotholeError


@dataclass(frozen=True)
class Turn:
    """One thing that was said. `who` is None for the source; `drop` is the drop or note that holds it."""

    day: date
    who: str | None
    text: str
    kind: str  # drop, note or reply
    condition: str = ""
    drop: str = ""


def conversation(desk: Desk, thread: bytes, today: date) -> Iterator[Turn]:
    """Gives what was said in a thread, in the order it came; what this desk has not heard back comes last."""
    read = desk.state.read(thread)
    cases = Cases(desk)
    told: set[str] = set()
    for entry in list(desk.state.thread(thread)):
        letter = entry.letter
        if letter is None:
            continue
        believed = cases.believes(entry)
        record = letter.record if believed else None
        if record and record.id in told:
            continue  # posted again: it was said once
        if letter.case and not record and not entry.forged:
            continue  # said in the case, and not to the source
        condition = "" if believed else "forged" if entry.forged else "late"
        if record:
            told.add(record.id)
            own = desk.state.replies.get(record.id)
            condition = (
                outbox.condition(desk, own, today) if own else "read" if record.id in read else "posted"
            )
        kind = "reply" if record else letter.kind
        yield Turn(entry.day, letter.author, _text(desk, entry), kind, condition, entry.id)
    for reply in desk.state.replies.values():
        if reply.thread == thread and reply.id not in told:
            yield Turn(reply.day, desk.name, reply.text, "reply", outbox.condition(desk, reply, today))


def _text(desk: Desk, entry: Entry) -> str:
    try:
        return desk.text(entry)
    except KnotholeError as error:
        return f"({error})"
