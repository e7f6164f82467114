"""A stream that returns less than it is asked for."""

import io
import itertools


class Trickle:
    """Reads from data in pieces of these sizes, over and over."""

    def __init__(self, data: bytes, sizes: tuple[int, ...] = (1, 2, 5, 3, 64, 1)) -> None:
        self._data = io.BytesIO(data)
        self._sizes = itertools.cycle(sizes)

    def read(self, n: int, /) -> bytes:
        return self._data.read(min(n, next(self._sizes)))
