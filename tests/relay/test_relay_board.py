"""The board: always whole, always the same size."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.relay_process import RelayProcess, ask
from support.small_edition import TERMS, write_edition

from relay.board import LINE, Board
from relay.errors import Refused
from relay.flush import Flush

LINES, POST = TERMS["board_lines"], TERMS["board_post"]


def lines(n: int) -> bytes:
    return os.urandom(n * LINE)


def test_it_is_full_of_noise_at_first(relay: RelayProcess) -> None:
    board = ask(relay.source, "GET", "/board").body
    assert len(board) == LINES * LINE
    assert len({board[at : at + LINE] for at in range(0, len(board), LINE)}) == LINES
    assert ask(relay.desk, "GET", "/board").body == board


def test_a_post_takes_the_place_of_the_oldest(relay: RelayProcess) -> None:
    before = ask(relay.source, "GET", "/board").body
    posted = [lines(POST), lines(POST)]
    for post in posted:
        assert ask(relay.desk, "POST", "/board", post).status == 204
    after = ask(relay.source, "GET", "/board").body
    assert after == before[2 * POST * LINE :] + b"".join(posted)
    assert (relay.data / "board").read_bytes() == after


@pytest.mark.parametrize("size", [0, 1, LINE, POST * LINE - 1, POST * LINE + 1, LINES * LINE])
def test_a_post_of_the_wrong_length(relay: RelayProcess, size: int) -> None:
    before = ask(relay.source, "GET", "/board").body
    reply = ask(relay.desk, "POST", "/board", bytes(size))
    assert reply.status == 400
    assert reply.said == {"error": f"a post is {POST * LINE} bytes"}
    assert ask(relay.source, "GET", "/board").body == before


def test_it_survives_a_restart_and_an_edition_with_another_size(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with RelayProcess(write_edition(tmp_path / "one"), data) as relay:
        post = lines(POST)
        assert ask(relay.desk, "POST", "/board", post).status == 204
        board = ask(relay.source, "GET", "/board").body
    with RelayProcess(write_edition(tmp_path / "more", board_lines=LINES + 8), data) as relay:
        more = ask(relay.source, "GET", "/board").body
        assert more[8 * LINE :] == board
    with RelayProcess(write_edition(tmp_path / "fewer", board_lines=5), data) as relay:
        assert ask(relay.source, "GET", "/board").body == board[-5 * LINE :]


def test_a_restart_is_no_post(edition: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    with RelayProcess(edition, data):
        pass
    day = datetime(2026, 2, 3, tzinfo=UTC)
    os.utime(data / "board", (day.timestamp(), day.timestamp()))
    for _ in range(2):
        with RelayProcess(edition, data) as relay:
            assert ask(relay.desk, "GET", "/status").said["board_day"] == "2026-02-03"
    with RelayProcess(edition, data) as relay:
        assert ask(relay.desk, "POST", "/board", lines(POST)).status == 204
        days = {str(datetime.now(UTC).date())}
        days |= {ask(relay.desk, "GET", "/status").said["board_day"]}
        days |= {str(datetime.fromtimestamp((data / "board").stat().st_mtime, UTC).date())}
        assert "2026-02-03" not in days
        assert len(days) <= 2  # midnight may pass


def on_board(path: Path, work: Callable[[Board], Awaitable[None]]) -> bytes:
    async def run() -> bytes:
        async with Flush(path.parent, lambda: None) as flush:
            board = Board(path, LINES, POST, flush)
            await work(board)
            return board.lines

    return asyncio.run(run())


def test_posts_at_once_are_all_kept(tmp_path: Path) -> None:
    posts = [lines(POST) for _ in range(5)]

    async def post_all(board: Board) -> None:
        await asyncio.gather(*(board.post(post) for post in posts))

    board = on_board(tmp_path / "board", post_all)
    assert board[-5 * POST * LINE :] == b"".join(posts)
    assert (tmp_path / "board").read_bytes() == board


@pytest.mark.parametrize("found", [b"", b"x", bytes(LINE - 1), bytes(LINE * 3 + 1)])
def test_a_board_file_that_is_none_is_begun_again(tmp_path: Path, found: bytes) -> None:
    (tmp_path / "board").write_bytes(found)

    async def keep(board: Board) -> None:
        await board.keep()
        with pytest.raises(Refused):
            await board.post(b"x")

    assert len(on_board(tmp_path / "board", keep)) == LINES * LINE
    assert (tmp_path / "board").stat().st_size == LINES * LINE
