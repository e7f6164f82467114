"""What `desk list` and `desk show` print, for people and for machines."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from keys.codename import thread_id
from keys.desk.conversation import Turn
from keys.desk.extract import Sum
from keys.desk.state import Entry, State
from keys.desk.terminal import block, size, table, visible
from keys.desk.watcher.watch import Report
from keys.letter import Letter

SHORT = 8  # hex digits of an id in a table

_CONDITIONS = {
    "waiting": "waits to be posted",
    "posted": "posted, not read yet",
    "read": "read by the source",
    "expired": "expired unread",
    "forged": "FORGED: its author did not sign this",
    "late": "LATE: it came when the key that signed it had ended",
}


def listing(state: State) -> str:
    """Gives all drops as a table, oldest first; a star marks those not shown yet."""
    if not state.entries:
        return "no drops"
    head = ("", "DROP", "DAY", "FROM", "FILES", "SIZE", "THREAD", "BEGINS")
    entries = (entry for entry in state.entries.values() if not entry.silent)
    return table([head, *(_row(entry, entry.id in state.shown) for entry in entries)])


def listing_json(state: State) -> list[dict[str, Any]]:
    return [plain(entry) | {"shown": entry.id in state.shown} for entry in state.entries.values()]


def plain(entry: Entry) -> dict[str, Any]:
    """Gives an entry for a machine; without the thread key."""
    said = {"id": entry.id, "day": str(entry.day), "size": entry.size, "problem": entry.problem}
    if entry.bare:
        return said | {"kind": "bare", "files": entry.files}
    if entry.letter is None:
        return said
    return (
        said
        | letter_json(entry.letter)
        | {"forged": entry.forged, "late": entry.late, "files": entry.files, "begins": entry.title}
    )


def letter_json(letter: Letter) -> dict[str, Any]:
    return {
        "kind": letter.kind,
        "author": letter.author,
        "thread": thread_id(letter.thread),
        "to": list(letter.to),
        "language": letter.language,
        "answers": dict(letter.answers),
        "reply": letter.record and letter.record.id,
    }


def drop(letter: Letter, text: str, sums: Sequence[Sum], facts: Iterable[tuple[str, str]] = ()) -> str:
    """Gives one drop: where it belongs, the answers, the message and its files."""
    rows = [*facts, ("thread", thread_id(letter.thread)), ("from", letter.author or "the source")]
    rows += [("for", ", ".join(letter.to)), ("language", letter.language)]
    parts = [table(rows)]
    parts += [
        f"answer to {visible(question)}\n{block(answer)}" for question, answer in letter.answers.items()
    ]
    parts.append(f"message\n{block(text)}" if text else "no message")
    if sums:
        parts.append(files(sums))
    return "\n\n".join(parts)


def bare(sums: Sequence[Sum], facts: Iterable[tuple[str, str]]) -> str:
    """Gives a file that a source sealed by hand."""
    rows = [*facts, ("from", "the source, who sealed it by hand: there are no words to answer it with")]
    return table(rows) + "\n\n" + files(sums)


def files(sums: Sequence[Sum]) -> str:
    return "files\n" + table(("  " + one.sha256, size(one.size), one.name) for one in sums)


def turns(conversation: Iterable[Turn], this: str) -> str:
    """Gives a conversation; the drop that is shown already is only pointed at."""
    parts = []
    for turn in conversation:
        who = turn.who or "the source"
        kind = "" if turn.kind == "drop" else f", {turn.kind}"
        condition = _CONDITIONS.get(turn.condition, "")
        head = visible(f"{turn.day}  {who}{kind}{f' ({condition})' if condition else ''}")
        parts.append(f"{head}: above" if turn.drop == this else f"{head}\n{block(turn.text)}")
    return "\n".join(["conversation", *parts])


def turn_json(turn: Turn) -> dict[str, Any]:
    return vars(turn) | {"day": str(turn.day)}


_CANARIES = {
    "": "",
    "sent": "; a canary is on its way",
    "underway": "; a canary is still on its way",
    "answered": "; a canary went all the way to a desk and back",
}


def report(report: Report) -> str:
    """Gives what a watcher saw."""
    said = [f"{report.compared} answers came"] + ["and are as they should be"] * (not report.findings)
    return " ".join(said) + _CANARIES[report.canary]


def report_json(report: Report) -> dict[str, Any]:
    found = [{"kind": f.kind, "says": f.says, "evidence": str(folder)} for f, folder in report.findings]
    return {
        "compared": report.compared,
        "trouble": report.trouble,
        "canary": report.canary,
        "unanswered": [str(day) for day in report.unanswered],
        "newer": report.newer,
        "findings": found,
    }


def _row(entry: Entry, shown: bool) -> tuple[str, ...]:
    mark, id_, day = "" if shown else "*", entry.id[:SHORT], str(entry.day)
    if entry.bare:
        return (mark, id_, day, "source", "1", size(entry.size), "", "a file sealed by hand")
    if entry.letter is None:
        return (mark, id_, day, "?", "", size(entry.size), "", entry.problem)
    who = entry.letter.author or "source"
    thread = thread_id(entry.letter.thread)[:SHORT]
    title = entry.title or ("said in the case: `desk case` shows it" if entry.letter.case else "")
    title = f"{'FORGED' if entry.forged else 'LATE'}  {title}" if entry.forged or entry.late else title
    return (mark, id_, day, who, str(entry.files), size(entry.size), thread, title)
