"""Replies going out: queued, and posted as lines under fresh n (FORMAT.md sections 4, 5)."""

from __future__ import annotations

import secrets
from dataclasses import replace
from datetime import date, timedelta

from keys import line
from keys.desk.boards import labels
from keys.desk.desk import Desk
from keys.desk.state import Call, Entry, OwnReply
from keys.errors import DeskError

# Posting again stops here, so that a source who does not come back leaves n for replies still to be written.
_LAST_REPOST = 192
# A canary is answered so often at most, and for a week.
_ANSWERS, ANSWER_DAYS = 3, 7
# Lines in the board's oldest quarter are posted again: no source comes between two syncs and finds none.
_OLD = 4


def queue(desk: Desk, entry: Entry, text: str, today: date) -> OwnReply:
    """Remembers a reply to the source of a drop, to be posted at the next sync; raises DeskError for a
    drop that cannot be answered."""
    if entry.bare:
        raise DeskError(
            "a file that was sealed by hand cannot be answered", hint="it came without twelve words"
        )
    if entry.letter is None or entry.forged or entry.late:
        raise DeskError(
            "this drop cannot be answered",
            hint="it is broken, forged or late: `desk show` says what is wrong",
        )
    letter = entry.letter
    if _next(desk, letter.thread, b"") + line.PARTS > line.LINES:
        raise DeskError(
            "this thread has used up its lines", hint="ask the source to begin another, with a new codename"
        )
    to = tuple(name for name in desk.recipients if name in letter.to or name == desk.name)
    reply = OwnReply(secrets.token_hex(8), letter.thread, to, letter.language, text, today)
    desk.state.replies[reply.id] = reply
    return reply


def post(desk: Desk, board: bytes, today: date) -> bytes:
    """Gives exactly the lines that a sync posts: one reply that waits or leaves the board, if any, an answer
    to a canary where there is room, and cover. The n they take are used from now on; the caller saves before
    it posts."""
    lines: list[bytes] = []
    if reply := next(iter(_wanting(desk, board, today)), None):
        count = len(line.parts(reply.text))
        first = _next(desk, reply.thread, board)
        ns = tuple(range(first, first + count))
        signing, newsroom = desk.journalist.signing_key, desk.newsroom.id
        lines = line.seal_reply(reply.thread, newsroom, signing, ns, bytes.fromhex(reply.id), reply.text)
        desk.state.replies[reply.id] = replace(reply, used=reply.used + ns, live=ns, recorded=False)
    room = desk.newsroom.board.post - len(lines)
    if room and (call := next(iter(_unanswered(desk, board, today)), None)):
        lines += _answer(desk, call)
        room -= 1
    return b"".join(lines + [line.cover() for _ in range(room)])


def _unanswered(desk: Desk, board: bytes, today: date) -> list[Call]:
    """Gives the canaries of which nobody's answer is on the board."""
    there = set(labels(board))
    return [
        call
        for call in desk.state.calls.values()
        if call.used < _ANSWERS
        and call.day + timedelta(days=ANSWER_DAYS) >= today
        and not there & canary_labels(desk, call.thread)
    ]


def canary_labels(desk: Desk, thread: bytes) -> set[bytes]:
    """Gives the labels that answers to a canary may have, by any of the newsroom's journalists."""
    ns = range(_ANSWERS)
    return {label for signer in desk.signers.values() for label in line.labels(thread, signer, ns)}


def _answer(desk: Desk, call: Call) -> list[bytes]:
    key = call.thread.hex()
    desk.state.calls[key] = replace(call, used=call.used + 1)
    signing, newsroom = desk.journalist.signing_key, desk.newsroom.id
    return line.seal_reply(call.thread, newsroom, signing, [call.used], secrets.token_bytes(8), "seen")


def condition(desk: Desk, reply: OwnReply, today: date) -> str:
    """Gives where a reply stands: read, expired, posted or waiting."""
    if reply.id in desk.state.read(reply.thread):
        return "read"
    if last_day(desk, reply) < today:
        return "expired"
    return "posted" if reply.live else "waiting"


def is_under_way(desk: Desk, reply: OwnReply, today: date) -> bool:
    """Tells whether a reply waits to be posted, or to be read."""
    return condition(desk, reply, today) in ("waiting", "posted")


def last_day(desk: Desk, reply: OwnReply) -> date:
    """Gives the last day on which a reply is posted again."""
    return reply.day + timedelta(days=desk.newsroom.retention.days)


def _wanting(desk: Desk, board: bytes, today: date) -> list[OwnReply]:
    """Gives the replies to post: new ones first, then those that leave the board soon, or have left it."""
    old = len(board) // line.LINE // _OLD * line.LINE
    staying = {board[at : at + 16] for at in range(old, len(board), line.LINE)}
    waiting, leaving = [], []
    for reply in desk.state.replies.values():
        said = condition(desk, reply, today)
        first = _next(desk, reply.thread, board)
        if said == "waiting" and first + line.PARTS <= line.LINES:
            waiting.append(reply)
        stays = line.labels(reply.thread, desk.signer, reply.live).keys() <= staying
        if said == "posted" and not stays and first < _LAST_REPOST:
            leaving.append(reply)
    return waiting + leaving


def _next(desk: Desk, thread: bytes, board: bytes) -> int:
    """Gives the first n never used in a thread, as far as this desk knows or the board shows."""
    used = {n for reply in desk.state.replies.values() if reply.thread == thread for n in reply.used}
    if board:
        used |= {found.n for found in line.find(board, thread, [desk.signer], desk.newsroom.id)}
    return max(used, default=-1) + 1
