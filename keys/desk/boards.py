"""What a desk knows of the board, and what it is shown that contradicts it (FORMAT.md section 7)."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import combinations

from keys.line import LINE

_LABEL = 16  # bytes at the beginning of a line
HASH = 16  # bytes of a line's SHA-256 that stand for it
_MEANWHILE = 600  # seconds in which no desk posts more than twice


@dataclass(frozen=True)
class Known:
    """A board that a desk saw, and its own lines that were accepted afterwards, each by its hash."""

    lines: tuple[bytes, ...]
    posted: tuple[bytes, ...] = ()


@dataclass(frozen=True)
class Sight:
    """A board as one onion showed it at a time; `posted` are lines that must stand on it if any does of an
    earlier sight. Times are of a monotonic clock, in seconds; what is remembered came before all time."""

    where: str
    lines: tuple[bytes, ...]
    asked: float = -math.inf
    got: float = -math.inf
    data: bytes = field(default=b"", repr=False)


@dataclass(frozen=True)
class Doubt:
    """Two sights of which an honest box shows one at most."""

    earlier: Sight
    later: Sight
    says: str


OLDER = "it showed a board that is older than one it had shown before"
LOST = "it showed a board without lines that it had accepted before"
OTHER = "it showed two different boards at the same time"


@dataclass
class Boards:
    """The sights of one sync or visit, and what was known before."""

    remembered: Known | None = None
    post: int = 4  # lines of one post
    desks: int = 1  # that post
    sights: list[Sight] = field(default_factory=list)
    _posts: list[tuple[float, float, tuple[bytes, ...]]] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.remembered:
            self.sights.append(Sight("desk", self.remembered.lines))
            self._posts.append((-math.inf, -math.inf, self.remembered.posted))

    def saw(self, where: str, data: bytes, asked: float, got: float) -> None:
        self.sights.append(Sight(where, hashes(data), asked, got, data))

    def posted(self, data: bytes, asked: float, got: float) -> None:
        """Remembers lines of this desk that the relay accepted."""
        self._posts.append((asked, got, hashes(data)))

    @property
    def known(self) -> Known | None:
        """Gives what to remember: the last board at the desk onion, and what was posted since."""
        desk = [sight for sight in self.sights if sight.where == "desk"]
        if not desk:
            return None
        posted = [line for asked, _, lines in self._posts if asked >= desk[-1].got for line in lines]
        return Known(desk[-1].lines, tuple(posted))

    def doubts(self) -> Iterator[Doubt]:
        """Gives the contradictions between any two sights."""
        for one, other in combinations(self.sights, 2):
            earlier, later = sorted((one, other), key=lambda sight: sight.asked)
            if len(earlier.lines) != len(later.lines):
                continue  # another edition's
            says = self._says(earlier, later)
            if says:
                yield Doubt(earlier, later, says)

    def _says(self, earlier: Sight, later: Sight) -> str:
        ordered = earlier.got <= later.asked
        if _moved(earlier.lines, later.lines) is not None:
            return LOST if ordered and not self._between(earlier, later) <= set(later.lines) else ""
        if _moved(later.lines, earlier.lines) is not None:
            return OLDER if ordered else ""
        turned = len(later.lines) // self.post <= 2 * self.desks + 2
        return "" if turned or later.asked - earlier.got > _MEANWHILE else OTHER

    def _between(self, earlier: Sight, later: Sight) -> set[bytes]:
        """Gives the lines that came onto the board after the one sight and before the other."""
        posts = (lines for asked, got, lines in self._posts if asked >= earlier.got and got <= later.asked)
        return {line for lines in posts for line in lines}


def labels(data: bytes) -> tuple[bytes, ...]:
    """Gives the labels of all lines."""
    return tuple(one[:_LABEL] for one in _lines(data))


def hashes(data: bytes) -> tuple[bytes, ...]:
    """Gives what stands for every line: of one that was spoilt the label may be as it was."""
    return tuple(hashlib.sha256(one).digest()[:HASH] for one in _lines(data))


def _lines(data: bytes) -> Iterator[bytes]:
    return (data[at : at + LINE] for at in range(0, len(data) - LINE + 1, LINE))


def _moved(before: Sequence[bytes], after: Sequence[bytes]) -> int | None:
    """Gives how many lines have left since `before`; None where nothing of it is on `after`."""
    size = len(before)
    return next((gone for gone in range(size) if before[gone:] == after[: size - gone]), None)
