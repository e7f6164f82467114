"""How long the relay leaves a body alone, by a clock of the test's own."""

from __future__ import annotations

import pytest

from relay.patience import LONGEST_REST, Pace

WANTED = 50_000
PART = 1 << 20


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def pieces(rate: float) -> list[int]:
    """The pieces as which a part is read, when so many bytes come a second."""
    clock = Clock()
    pace, left, read, waited = Pace(WANTED, clock), PART, [], 0.001
    while left > 0:
        clock.now += waited
        read.append(min(int(waited * rate), left))
        left -= read[-1]
        waited = pace.rest(read[-1], left, 0)
    return read


@pytest.mark.parametrize("rate", [200_000, 700_000, 2_000_000])
def test_what_comes_slowly_is_read_in_pieces_of_the_wanted_size(rate: float) -> None:
    read = pieces(rate)
    assert all(piece == pytest.approx(WANTED, rel=0.1) for piece in read[1:-1])


def test_a_slow_sender_is_not_left_alone_for_longer_than_the_longest_rest() -> None:
    clock = Clock()
    pace = Pace(WANTED, clock)
    clock.now += 60
    assert pace.rest(1, PART, 0) == LONGEST_REST


def test_nobody_rests_for_the_sake_of_a_fast_sender() -> None:
    clock = Clock()
    pace = Pace(WANTED, clock)
    clock.now += 0.001
    assert pace.rest(200_000, PART, 0) == 0


def test_the_last_bytes_are_waited_for_as_long_as_they_need() -> None:
    clock = Clock()
    pace = Pace(WANTED, clock)
    clock.now += 1
    assert pace.rest(1_000_000, 10_000, 0) == pytest.approx(0.01)


def test_who_becomes_faster_is_found_out() -> None:
    """Although a rest is as long as the pace before it says."""
    clock = Clock()
    pace = Pace(WANTED, clock)
    clock.now += 1
    waited = pace.rest(10_000, PART, 0)
    for _ in range(20):
        assert waited <= LONGEST_REST
        clock.now += waited or 0.001
        waited = pace.rest(int(1.5 * WANTED), PART, 0)  # the socket is full each time
    assert waited == 0


def test_what_waits_to_be_read_counts_before_anybody_rests() -> None:
    """Else a sender that was slow once would bring one read's worth a rest for ever."""
    clock = Clock()
    pace = Pace(WANTED, clock)
    clock.now += 0.4
    assert [pace.rest(WANTED, PART, waiting) for waiting in (3 * WANTED, 2 * WANTED, WANTED)] == [0, 0, 0]
    assert pace.rest(WANTED, PART, 0) == pytest.approx(0.1)
