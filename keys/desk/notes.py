"""The one note of a sync (FORMAT.md section 5): what a journalist has to tell colleagues, or a cover."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from dataclasses import replace

from keys import drop as drops
from keys.casework import MOST, Said, note_id
from keys.desk.casework import passing
from keys.desk.casework.cases import Cases, reading
from keys.desk.desk import Desk
from keys.desk.state import OwnReply, Saying
from keys.letter import Letter, Record


def waits(desk: Desk) -> bool:
    """Tells whether there is something to say that no note has said yet."""
    unsaid = any(not one.note for one in desk.state.says) or any(_unread(desk))
    return unsaid or _unrecorded(desk) is not None or any(passing.small(desk))


def again(desk: Desk) -> None:
    """Lets be said once more what did not come back: the relay lists all that it took."""
    desk.state.says = [replace(one, note="") for one in desk.state.says]


def note(desk: Desk) -> bytes:
    """Gives a note of the smallest size: the record of a reply that has none yet and what its author says in
    that case, else what is said in another case, else a drop that is passed on, else what was read, else one
    that nobody can open. What it holds counts as told from now on: the caller saves once the relay has it."""
    if reply := _unrecorded(desk):
        return _speak(desk, reply.thread, reply)
    if said := next((one for one in desk.state.says if not one.note), None):
        return _speak(desk, said.thread)
    if copy := next(passing.small(desk), None):
        return passing.take(desk, copy)
    if read := next(_unread(desk), None):
        return _speak(desk, read.thread)
    out = io.BytesIO()
    drops.seal_cover(out, len(desk.recipients))
    return out.getvalue()


def _unrecorded(desk: Desk) -> OwnReply | None:
    return next((reply for reply in desk.state.replies.values() if reply.live and not reply.recorded), None)


def _unread(desk: Desk) -> Iterator[Letter]:
    """Gives the drops that were read here, and of which nobody was told."""
    letters = (one.letter for one in desk.state.entries.values() if one.of_source and one.letter)
    return (letter for letter in letters if letter.message in desk.state.reads)


def _speak(desk: Desk, thread: bytes, reply: OwnReply | None = None) -> bytes:
    """Gives a note of a case, with as many of the statements that wait as it holds."""
    cases = Cases(desk)
    waiting = [one for one in desk.state.says if one.thread == thread and not one.note]
    # What was said before a fetch and after it goes in two notes: `after` is one for all of a note.
    told = [one for one in waiting if one.after == waiting[0].after]
    heads = cases.sent(thread).heads
    told += [replace(one, after=heads) for one in _reads(desk, cases, thread)]
    del told[MOST:]
    text = reply.text if reply else ""
    letter = _saying(_letter(desk, cases, thread, reply), cases, told)
    while told and not drops.is_smallest(letter, text):
        told.pop()
        letter = _saying(letter, cases, told)
    out = io.BytesIO()
    digest = drops.seal(out, letter, text, [], desk.recipients, desk.journalist.signing_key)
    if reply:
        desk.state.replies[reply.id] = replace(reply, recorded=True)
    after = letter.case.after if letter.case else ()
    _remember(desk, [replace(one, after=after, note=note_id(digest)) for one in told])
    return out.getvalue()


def _reads(desk: Desk, cases: Cases, thread: bytes) -> list[Saying]:
    """Gives what was read in cases of the same readers."""
    to = cases.to(thread)
    messages = [letter.message for letter in _unread(desk) if cases.to(letter.thread) == to]
    reads = {message: desk.state.reads[message] for message in messages}
    return [Saying(thread, one) for one in reading(reads)]


def _letter(desk: Desk, cases: Cases, thread: bytes, reply: OwnReply | None) -> Letter:
    first = next((entry.letter for entry in desk.state.thread(thread)), None)
    letter = Letter(
        newsroom=desk.newsroom.id,
        thread=thread,
        language=first.language if first else desk.newsroom.languages[0],
        to=cases.to(thread),
        author=desk.name,
    )
    if reply is None:
        return letter
    to = tuple(name for name in desk.recipients if name in {*letter.to, *reply.to})
    return replace(letter, language=reply.language, to=to, record=Record(reply.id, reply.live))


def _saying(letter: Letter, cases: Cases, told: Sequence[Saying]) -> Letter:
    if not told:
        return replace(letter, case=None)
    after = cases.after(letter.thread, told[0].after)
    return replace(letter, case=Said(after, tuple(one.statement for one in told)))


def _remember(desk: Desk, told: Sequence[Saying]) -> None:
    """Takes statements for told, until their note comes back."""
    state = desk.state
    sent = {one.statement.id: one for one in told}
    state.says = [sent.pop(one.statement.id, one) for one in state.says]
    state.says += sent.values()  # what was read
    for one in told:
        for message in one.statement.more["messages"] if one.statement.says == "read" else ():
            state.reads.pop(message, None)
