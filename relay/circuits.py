"""Circuits: all that the relay can know of who asks, and what each of them may take. Kept in memory alone."""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from relay.errors import Refused
from relay.parse import PART

LONGEST = 107  # bytes of any such line (the PROXY protocol, version 1)

# How tor writes it (HiddenServiceExportCircuitID in tor(1)): the circuit's number as the last 32 bits.
_LINE = re.compile(
    rb"PROXY TCP6 fc00:dead:beef:4dad::([0-9a-f]{1,4}):([0-9a-f]{1,4}) ::1 [0-9]{1,5} [0-9]{1,5}\r\n"
)


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a circuit may take at once, and what it is given back each second. A circuit of Tor carries about
    2 MB/s, so only one that does nothing but ask, over several connections, comes to feel these."""

    most: float
    rate: float


REQUESTS = Allowance(200, 20)
BYTES = Allowance(64 * PART, 8 * PART)  # both ways, without heads
DROPS = Allowance(8, 1 / 60)  # begun, or gone on with from another circuit
# Above these a circuit is abusive. The page asks again after pauses that soon grow to 15 seconds and more:
# some tabs of it, refused whatever they ask for, stay far below. Who is closed must be introduced anew, and
# then tor's proof of work makes a flood pay again.
REFUSALS = Allowance(100, 1)

LONGEST_WAIT = 30  # seconds: whoever would wait longer has more requests open than any browser
CIRCUITS = 10_000  # remembered at once
FORGET = max(one.most / one.rate for one in (REQUESTS, BYTES, DROPS))  # seconds until nothing is owed
_IDS = 16  # drops that one circuit goes on with at no cost


def proxy_line(start: bytes) -> tuple[int, bytes] | None:
    """The circuit that a connection's first bytes name and the bytes after it, None while more must come.

    Refuses (ValueError) what cannot become tor's line.
    """
    end = start.find(b"\n", 0, LONGEST) + 1
    if not end and len(start) < LONGEST:
        return None
    found = _LINE.fullmatch(start, 0, end)
    if found is None:
        raise ValueError("this connection does not come from tor")
    return int(found[1], 16) << 16 | int(found[2], 16), start[end:]


def line_of(circuit: int) -> bytes:
    """Tor's line for this circuit, for another process that reads it with `proxy_line`."""
    return b"PROXY TCP6 fc00:dead:beef:4dad::%x:%x ::1 1 80\r\n" % (circuit >> 16, circuit & 0xFFFF)


class _Bucket:
    """Fills up to an allowance; it can owe, too."""

    def __init__(self, allowance: Allowance, now: float) -> None:
        self._allowance = allowance
        self._has = allowance.most
        self._at = now

    def has(self, now: float) -> float:
        self._has = min(self._allowance.most, self._has + (now - self._at) * self._allowance.rate)
        self._at = now
        return self._has

    def take(self, amount: float, now: float) -> None:
        self._has = self.has(now) - amount

    def wait(self, now: float) -> float:
        """The seconds until nothing is owed."""
        return max(0.0, -self.has(now) / self._allowance.rate)


class Share:
    """One circuit's; `close`, if tor can be asked to, is called once when it is abusive."""

    def __init__(self, clock: Callable[[], float], close: Callable[[], None] | None = None) -> None:
        self._clock = clock
        self._close = close
        self.used = clock()
        self._requests, self._bytes, self._drops = (_Bucket(a, self.used) for a in (REQUESTS, BYTES, DROPS))
        self._refusals = _Bucket(REFUSALS, self.used)
        self._ids: deque[str] = deque(maxlen=_IDS)

    def take(self, size: int) -> float:
        """The seconds that a request with a body of `size` bytes has to wait for its turn: none while the
        circuit owes nothing. Refuses (503) to let anyone wait for long."""
        now = self._clock()
        if self._wait(now) > LONGEST_WAIT:
            raise self._refusal("too much is asked for from here; try again later")
        self._requests.take(1, now)
        self._bytes.take(min(size, PART), now)
        return self._wait(now)

    def _wait(self, now: float) -> float:
        return max(self._requests.wait(now), self._bytes.wait(now))

    def answered(self, size: int) -> None:
        """Counts the bytes of an answer, which the next request pays for."""
        self._bytes.take(size, self._clock())

    def begin(self, id_: str) -> None:
        """Refuses (503) a part of yet another drop, when one circuit has sent parts of too many."""
        if id_ in self._ids:
            return
        now = self._clock()
        if self._drops.has(now) < 1:
            raise self._refusal("too many drops come from here; try again later")
        self._drops.take(1, now)
        self._ids.append(id_)

    def _refusal(self, sentence: str) -> Refused:
        now = self._clock()
        self._refusals.take(1, now)
        if self._close is not None and self._refusals.wait(now):
            self._close()
            self._close = None
        return Refused(503, sentence)


class Shares:
    """Every circuit's share, until it owes nothing; of too many circuits the longest silent is forgotten."""

    def __init__(self, close: Callable[[int], None] | None = None) -> None:
        self._loop = asyncio.get_running_loop()
        self._close = close
        # By tor's process and its number of the circuit, the longest unused first.
        self._shares: OrderedDict[tuple[int, int], Share] = OrderedDict()
        self._forgetting: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._shares)

    def of(self, circuit: int, tor: int = 0) -> Share:
        share = self._shares.pop((tor, circuit), None) or self._new(circuit)
        share.used = self._loop.time()
        self._shares[tor, circuit] = share
        if len(self._shares) > CIRCUITS:
            self._shares.popitem(last=False)
        if self._forgetting is None:
            self._forgetting = self._loop.call_later(FORGET, self._forget)
        return share

    def _new(self, circuit: int) -> Share:
        return Share(self._loop.time, partial(self._close, circuit) if self._close is not None else None)

    def _forget(self) -> None:
        now = self._loop.time()
        while self._shares and next(iter(self._shares.values())).used <= now - FORGET:
            self._shares.popitem(last=False)
        self._forgetting = self._loop.call_later(FORGET, self._forget) if self._shares else None
