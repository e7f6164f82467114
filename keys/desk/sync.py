"""One sync (FORMAT.md section 5): the same requests of the same sizes in the same order, whatever there is
to say."""

from __future__ import annotations

import secrets
from datetime import UTC, datetime, timedelta
from time import monotonic

from keys.desk import inbox, notes, outbox, rotation
from keys.desk.boards import Boards
from keys.desk.casework import passing
from keys.desk.client import Client
from keys.desk.desk import Desk
from keys.desk.inbox import Fetched
from keys.desk.terminal import Progress


def sync(desk: Desk, boards: Boards, progress: Progress, *, every: bool = False) -> Fetched:
    """Fetches what is new, posts lines and one note, and gives how much was fetched; `boards` learns what was
    seen and posted. With `every`, it puts as many notes as wait, and the relay sees how many. Raises
    Unreachable or Refused; what was not posted then waits for the next time."""
    today = datetime.now(UTC).date()
    settings = desk.home.settings
    client = Client(settings.relay, settings.socks)
    try:
        fetched = inbox.fetch(desk, client, progress)
        notes.again(desk)
        rotation.note_former(desk)
        desk.state.look_for_canaries()
        progress("the board")
        asked = monotonic()
        board = client.board(desk.newsroom.board.lines)
        boards.saw("desk", board, asked, monotonic())
        lines = outbox.post(desk, board, today)
        # The n are used up before anyone can have seen them: no crash makes a label stand twice on the board.
        desk.save()
        asked = monotonic()
        client.post_board(lines)
        boards.posted(lines, asked, monotonic())
        _put_note(desk, client)
        while every and notes.waits(desk):
            progress("telling the others")
            _put_note(desk, client)
        passing.upload(desk, client, progress)
    finally:
        client.close()
    desk.state.forget(before=today - timedelta(days=2 * desk.newsroom.retention.days + 30))
    desk.save()
    return fetched


def _put_note(desk: Desk, client: Client) -> None:
    note = notes.note(desk)
    client.put_note(secrets.token_hex(16), note)
    desk.save()
