"""What `desk cases` and `desk case` print, for people and for machines."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from keys.codename import thread_id
from keys.desk.casework.case import Case, Message, Spoken
from keys.desk.casework.cases import WAITING
from keys.desk.show import SHORT
from keys.desk.state import Entry
from keys.desk.terminal import block, counted, size, table, visible

UNREAD_DAYS = 3  # that a drop may lie before the desk warns
_NOBODY = "nobody"
STATES = {"aside": "set aside"}
_ITEMS = {
    "documents": "documents present",
    "second-source": "a second source",
    "heard": "the person named was heard",
}


def overdue(case: Case, today: date) -> list[Message]:
    """Gives the source's drops that nobody has read for too long."""
    return [one for one in case.unread if (today - one.day).days >= UNREAD_DAYS]


def listing(cases: Mapping[bytes, Case], begins: Mapping[bytes, str], today: date) -> str:
    """Gives all cases as a table, each with how its first drop begins; a star marks those with something that
    nobody has read."""
    if not cases:
        return "no cases"
    head = ("", "CASE", "STATE", "BEGAN", "DROPS", "TASKS", "DATE", "LABELS", "BEGINS")
    return table([head, *((*_row(thread, case, today), begins[thread]) for thread, case in cases.items())])


def _row(thread: bytes, case: Case, today: date) -> tuple[str, ...]:
    mark = "!" if overdue(case, today) else "*" if case.unread else ""
    tasks = sum(not task.done for task in case.tasks)
    planned = case.planned and f"{case.planned}{'' if case.agreed else ' ?'}"
    began, drops = str(case.messages[0].day), str(len(case.messages))
    labels = ", ".join(case.labels)
    return (mark, thread_id(thread)[:SHORT], _state(case), began, drops, str(tasks or ""), planned, labels)


def _state(case: Case) -> str:
    return STATES.get(case.stands, case.stands)


def whole(thread: bytes, case: Case, entries: Sequence[Entry], today: date) -> str:
    """Gives one case: where it stands, what came, what is to be done, and who said what."""
    parts = [table(_facts(thread, case)), "\n".join(["drops", *_drops(case, entries, today)])]
    if case.tasks:
        parts.append("tasks\n" + table(_tasks(case)))
    parts.append("\n".join(["history, each line signed by who said it", *_history(case)]))
    if troubles := list(_troubles(case, entries)):
        parts.append("\n".join(troubles))
    return "\n\n".join(parts)


def _facts(thread: bytes, case: Case) -> Iterator[tuple[str, str]]:
    yield "case", thread_id(thread)
    yield "state", _state(case) + (f", {_by(case.state)}" if case.state else "")
    yield "readers", ", ".join(sorted(case.readers))
    yield "evidence", "; ".join(f"{_ITEMS.get(item, item)}: {said}" for item, said in case.checks.items())
    if case.labels:
        yield "labels", ", ".join(case.labels)
    if case.planned:
        agreed = "agreed" if case.agreed else "not agreed"
        yield "date", f"{case.planned}, {agreed} ({'; '.join(_answers(case))})"
    if case.exclusive:
        more = case.exclusive.statement.more
        yield "exclusive", f"{more['partner']}, until {more['until']}"


def _answers(case: Case) -> Iterator[str]:
    for outlet in case.outlets:
        answer = case.answers.get(outlet)
        who = outlet or "the newsroom"
        if answer is None:
            yield f"{who} has not said"
        else:
            yield f"{who} {'objects' if answer.says == 'object' else 'accepts'}: {answer.author}"


def _drops(case: Case, entries: Iterable[Entry], today: date) -> Iterator[str]:
    late = {message.id for message in overdue(case, today)}
    rows = []
    for entry in entries:
        if entry.of_source and entry.letter:
            id_ = entry.letter.message
            read = ", ".join(sorted(case.reads.get(id_, ())))
            said = f"read by {read}" if read else "UNREAD, and should not be" if id_ in late else "unread"
            rows.append(
                (
                    f"  {entry.id[:SHORT]}",
                    str(entry.day),
                    size(entry.size),
                    counted(entry.files, "file"),
                    said,
                )
            )
    yield table(rows) if rows else "  none"


def _tasks(case: Case) -> Iterator[tuple[str, ...]]:
    for task in case.tasks:
        mark = "done" if task.done else "open"
        gone = " (who is no reader of this case)" if task.to and task.to not in case.readers else ""
        yield f"  {task.id[:SHORT]}", mark, f"for {task.to or _NOBODY}{gone}", _line(task.text)


def _history(case: Case) -> Iterator[str]:
    spoken = [one for one in case.history if one.says != "read"]
    if not spoken:
        yield "  nothing was said yet"
    for one in spoken:
        waiting = ", not sent yet" if one.note == WAITING else ""
        yield visible(f"  {one.time.replace('T', ' ')}  {one.author}: {_sentence(one)}{waiting}")
        if one.text:
            yield "\n".join(f"  {line}" for line in block(one.text).split("\n"))


_SENTENCES: Mapping[str, Callable[[Mapping[str, Any]], str]] = {
    "state": lambda more: f"the case is {STATES.get(more['state'], more['state'])}",
    "note": lambda _: "note",
    "task": lambda more: f"task {more['id'][:SHORT]} for {more['to'] or _NOBODY}",
    "assign": lambda more: f"task {more['task'][:SHORT]} is for {more['to'] or _NOBODY}",
    "done": lambda more: f"task {more['task'][:SHORT]} is {'done' if more['done'] else 'open again'}",
    "check": lambda more: f"{_ITEMS.get(more['item'], more['item'])}: {more['is']}",
    "label": lambda more: f"label {more['label']}{'' if more['set'] else ' taken off'}",
    "date": lambda more: f"publish on {more['date']}" if more["date"] else "no date of publication",
    "accept": lambda more: f"accepts {more['date']}",
    "object": lambda more: f"objects to {more['date']}",
    "exclusive": lambda more: f"exclusive for {more['partner'] or _NOBODY} {_until(more['until'])}".rstrip(),
    "handover": lambda more: f"open tasks of {more['from']} are for {more['to']}",
    "widen": lambda more: f"widened the case to {', '.join(more['to'])}",
}


def _until(date: str) -> str:
    return f"until {date}" if date else ""


def _sentence(spoken: Spoken) -> str:
    """Gives what a statement says, but for its text."""
    return _SENTENCES[spoken.says]({"id": spoken.statement.id, **spoken.statement.more})


def _troubles(case: Case, entries: Iterable[Entry]) -> Iterator[str]:
    for note in case.refused:
        why = "whose key had ended when it came" if note.late else "who has no part in this case"
        yield visible(f"REFUSED: a note by {note.author}, {why}")
    for entry in entries:
        if entry.forged and entry.letter:
            yield visible(f"FORGED: {entry.id[:SHORT]}, which {entry.letter.author} did not sign")
        elif entry.late and entry.letter and not entry.letter.case:
            yield visible(f"LATE: {entry.id[:SHORT]}, by a key of {entry.letter.author} that had ended")
    if case.missing:
        yield (
            f"{counted(len(case.missing), 'note')} of this case that others had never came to this desk: "
            "fetch again; if it stays so, the box may hold them back"
        )


def _by(spoken: Spoken) -> str:
    return f"{spoken.author} at {spoken.time.replace('T', ' ')}"


def _line(text: str) -> str:
    return " / ".join(text.split("\n"))


def plain(thread: bytes, case: Case, today: date) -> dict[str, Any]:
    """Gives a case for a machine; without the thread key."""
    return {
        "case": thread_id(thread),
        "state": case.stands,
        "reason": case.state.text if case.state else "",
        "readers": sorted(case.readers),
        "checks": dict(case.checks),
        "labels": list(case.labels),
        "tasks": [vars(task) for task in case.tasks],
        "date": case.planned,
        "agreed": case.agreed,
        "answers": {
            outlet: case.answers[outlet].says if outlet in case.answers else None for outlet in case.outlets
        },
        "exclusive": dict(case.exclusive.statement.more) if case.exclusive else None,
        "messages": [
            {"message": one.id, "day": str(one.day), "read": dict(case.reads.get(one.id, {}))}
            for one in case.messages
        ],
        "overdue": [one.id for one in overdue(case, today)],
        "history": [spoken_plain(one) for one in case.history if one.says != "read"],
        "refused": [{"author": one.author, "note": one.id, "late": one.late} for one in case.refused],
        "missing": sorted(case.missing),
    }


def spoken_plain(spoken: Spoken) -> dict[str, Any]:
    sent = spoken.note != WAITING
    return {"author": spoken.author, "note": spoken.note if sent else None} | spoken.statement.to_plain()
