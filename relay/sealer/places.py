"""How many uploads there may be at once: each takes memory for as long as its visitor needs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from relay.errors import Refused

EACH = 4  # of one circuit


class Places:
    """`most` places, of which no circuit gets more than a few."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._taken: Counter[int | None] = Counter()

    @contextmanager
    def take(self, circuit: int | None) -> Iterator[None]:
        """A place for as long as the block lasts; refuses (503) when there is none."""
        if self._taken.total() >= self._most or (circuit is not None and self._taken[circuit] >= EACH):
            raise Refused(503, "too many uploads; try again later")
        self._taken[circuit] += 1
        try:
            yield
        finally:
            self._taken[circuit] -= 1
            self._taken += Counter()  # forgets those that have none
