"""What two sights of a board tell of the box (FORMAT.md section 7)."""

from __future__ import annotations

import os
from itertools import count

from hypothesis import given
from hypothesis import strategies as st

from keys.desk.boards import LOST, OLDER, OTHER, Boards, Known, hashes
from keys.line import LINE

LINES, POST = 32, 4


class Relay:
    """An honest board, and a clock that moves on with every request."""

    def __init__(self) -> None:
        self.board = os.urandom(LINES * LINE)
        self.clock = count()

    def post(self) -> bytes:
        lines = os.urandom(POST * LINE)
        self.board = self.board[len(lines) :] + lines
        return lines

    def seen(self, boards: Boards, where: str, board: bytes | None = None) -> None:
        boards.saw(where, board or self.board, next(self.clock), next(self.clock))

    def posted(self, boards: Boards, *, kept: bool = True) -> None:
        asked = next(self.clock)
        lines = self.post() if kept else os.urandom(POST * LINE)
        boards.posted(lines, asked, next(self.clock))


def says(boards: Boards) -> set[str]:
    return {doubt.says for doubt in boards.doubts()}


STEPS = st.lists(st.sampled_from(["post of mine", "post of another", "desk", "source", "later"]), max_size=40)


@given(STEPS)
def test_an_honest_box_is_never_doubted(steps: list[str]) -> None:
    relay, boards = Relay(), Boards(post=POST)
    for step in steps:
        match step:
            case "post of mine":
                relay.posted(boards)
            case "post of another":
                relay.post()
            case "later":
                boards = Boards(boards.known, POST)
            case _:
                relay.seen(boards, step)
        turned = sum(one.startswith("post") for one in steps) * POST >= LINES
        assert says(boards) <= ({OTHER} if turned else set())


@given(st.integers(1, LINES // POST - 1), st.sampled_from(["desk", "source"]))
def test_a_board_that_goes_back_is_seen(posts: int, where: str) -> None:
    relay, boards = Relay(), Boards(post=POST)
    before = relay.board
    for _ in range(posts):
        relay.post()
    relay.seen(boards, "desk")
    relay.seen(boards, where, before)
    assert says(boards) == {OLDER}
    later = Boards(Known(hashes(relay.board)), POST)
    relay.seen(later, where, before)
    assert says(later) == {OLDER}, "also when the newer one is only remembered"


def test_lines_that_were_taken_and_are_not_there_are_missed() -> None:
    relay, boards = Relay(), Boards(post=POST)
    relay.seen(boards, "desk")
    relay.posted(boards, kept=False)
    later = Boards(boards.known, POST)
    relay.seen(boards, "source")
    assert says(boards) == {LOST}
    relay.post()
    relay.seen(later, "desk")
    assert says(later) == {LOST}


def test_two_boards_at_the_same_time_are_seen() -> None:
    relay, boards = Relay(), Boards(post=POST)
    relay.seen(boards, "desk")
    relay.seen(boards, "source", os.urandom(LINES * LINE))
    assert says(boards) == {OTHER}


def test_sights_at_the_same_moment_have_no_order() -> None:
    relay, boards = Relay(), Boards(post=POST)
    before = relay.board
    relay.post()
    boards.saw("desk", relay.board, 0, 10)
    boards.saw("source", before, 5, 15)
    assert says(boards) == set()


def test_what_may_have_turned_over_is_not_doubted() -> None:
    relay, boards = Relay(), Boards(post=POST)
    relay.seen(boards, "desk")
    later = Boards(boards.known, POST)
    relay.seen(later, "source", os.urandom(LINES * LINE))
    assert says(later) == set(), "nobody knows how long ago the first was"
    busy = Boards(post=POST, desks=3)
    relay.seen(busy, "desk")
    relay.seen(busy, "source", os.urandom(LINES * LINE))
    assert says(busy) == set(), "three desks, each twice and one under way, turn it over"


def test_boards_of_two_editions_are_not_compared() -> None:
    relay, boards = Relay(), Boards(post=POST)
    relay.seen(boards, "desk")
    relay.seen(boards, "source", os.urandom(2 * LINES * LINE))
    assert says(boards) == set()
