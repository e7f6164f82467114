"""Tor's line before a connection: read whatever way it comes, and nothing else passes for it."""

from __future__ import annotations

import asyncio
import itertools
import socket
import subprocess
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import cast

import pytest
from aiohttp import web
from hypothesis import example, given, settings
from hypothesis import strategies as st
from support.piecewise import connected
from support.relay_process import PART, RelayProcess, ask, connect, connection, new_id, send
from support.small_edition import some_drop

from relay import circuits
from relay.answers import json_answer
from relay.circuits import LONGEST, LONGEST_WAIT, Share, Shares, proxy_line
from relay.connection import CircuitConnection, CircuitConnections
from relay.errors import Refused

LINE = b"PROXY TCP6 fc00:dead:beef:4dad::0:33 ::1 51 80\r\n"
ASK = b"GET /board HTTP/1.1\r\nHost: h\r\n\r\n"
PUT = b"PUT /x HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello"
CUTS = st.lists(st.integers(0, 300), max_size=4).map(sorted)


class Ear(CircuitConnections):
    """Real connections, of whose requests it keeps circuit, target and body."""

    def __init__(self) -> None:
        super().__init__(self._hear, most=1, idle=60)
        self.heard: list[tuple[int | None, str, bytes]] = []

    async def _hear(self, request: web.BaseRequest) -> web.StreamResponse:
        circuit = cast(CircuitConnection, request.protocol).circuit
        self.heard.append((circuit, request.raw_path, await request.read()))
        return json_answer(200, {})


def cut(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    ends = [0, *cuts, len(data)]
    return [data[start:end] for start, end in itertools.pairwise(ends)]


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1), st.integers(1, 65535), CUTS)
def test_the_circuit_is_tors_number(circuit: int, port: int, cuts: list[int]) -> None:
    high, low = divmod(circuit, 1 << 16)
    line = f"PROXY TCP6 fc00:dead:beef:4dad::{high:x}:{low:x} ::1 {low} {port}\r\n".encode()
    assert len(line) <= LONGEST

    async def ask_once() -> Ear:
        ear = Ear()
        async with connected(ear) as client:
            await client.send(*cut(line + PUT, cuts))
            assert await client.receive()
        return ear

    assert asyncio.run(ask_once()).heard == [(circuit, "/x", b"hello")]


def test_a_request_is_heard_wherever_it_is_cut() -> None:
    whole = LINE + PUT
    every = [range(1, len(whole)), *([at] for at in range(1, len(whole)))]

    async def ask_all() -> Ear:
        ear = Ear()
        for cuts in every:
            async with connected(ear) as client:
                await client.send(*cut(whole, cuts))
                assert await client.receive()
        return ear

    assert asyncio.run(ask_all()).heard == len(every) * [(0x33, "/x", b"hello")]


@pytest.mark.parametrize("at", range(len(LINE) - 1))
def test_every_other_byte_in_the_line_is_another_circuit_or_refused(at: int) -> None:
    for byte in b"\0\n\r :gA9\xff":
        changed = LINE[:at] + bytes([byte]) + LINE[at + 1 :]
        try:
            found = proxy_line(changed + ASK)
        except ValueError:
            continue
        assert found is not None
        assert found[1] == ASK
        assert changed[:at].count(b":") > 2 or changed == LINE


_SPEND = """
import sys
sys.path.insert(0, sys.argv[1])
from support.relay_process import ask, connect
from support.relay_process import new_id
import http.client
opened = http.client.HTTPConnection("relay")
opened.sock = connect(sys.argv[2])
opened.sock.sendall(sys.argv[3].encode())
print([ask(opened, "PUT", f"/drops/{new_id()}/0", b"x").status for _ in range(9)])
"""


def test_another_tor_counts_from_the_beginning(edition: Path, tmp_path: Path) -> None:
    """The same number after a restart of tor is another visitor, who owes nothing."""
    where = {"source": f"unix:{tmp_path}/source", "circuits": "haproxy"}
    with RelayProcess(edition, tmp_path / "data", **where) as relay:
        words = [sys.executable, "-c", _SPEND, str(Path(__file__).parents[1]), relay.source, LINE.decode()]
        for _ in range(2):
            done = subprocess.run(words, capture_output=True, text=True, check=True)
            assert done.stdout == f"{[204] * 8 + [503]}\n"


@settings(deadline=None)
@given(st.binary(max_size=300), CUTS)
@example(ASK, [])
@example(LINE.replace(b"\r", b"") + ASK, [9])
@example(LINE.replace(b"TCP6", b"TCP4"), [len(LINE) - 1])
@example(b"PROXY UNKNOWN\r\n", [14])
@example(b" " + LINE, [1])
@example(b"\r\n\r\n\0\r\nQUIT\n" + LINE, [12])  # the binary version of the protocol
@example(LINE.replace(b"0:33", b"00000:33"), [])
@example(LINE.replace(b"51", b"5" * 100), [LONGEST - 1, LONGEST])
@example(b"P" * LONGEST, [1])
@example(b"P" * (LONGEST - 1), [1])
def test_any_bytes_wait_for_more_or_end_the_connection(data: bytes, cuts: list[int]) -> None:
    async def begin() -> tuple[Ear, bool]:
        ear = Ear()
        async with connected(ear) as client:
            await client.send(*cut(data, cuts))
            return ear, client.open

    ear, is_open = asyncio.run(begin())
    assert ear.heard == []
    assert is_open == (b"\n" not in data[:LONGEST] and len(data) < LONGEST)


@pytest.fixture(scope="module")
def behind_tor(edition: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(edition, tmp_path_factory.mktemp("relay") / "data", circuits="haproxy") as relay:
        yield relay
    assert relay.errors == ""


def status(plug: socket.socket) -> bytes:
    with plug.makefile("rb") as answer:
        return answer.readline().rstrip()


@pytest.mark.parametrize("start", [ASK, b"\n", LINE[1:], b"PROXY UNKNOWN\r\n", b"x" * LONGEST])
@pytest.mark.parametrize("side", ["source", "desk"])
def test_a_connection_without_the_line_is_dropped(behind_tor: RelayProcess, side: str, start: bytes) -> None:
    with connect(getattr(behind_tor, side)) as plug:
        plug.sendall(start)
        with suppress(ConnectionResetError):
            assert plug.recv(1) == b""


def test_the_line_counts_once(behind_tor: RelayProcess) -> None:
    with connect(behind_tor.source) as plug:
        plug.sendall(LINE + LINE + ASK)
        assert status(plug) == b"HTTP/1.1 400 Bad Request"


def test_a_drop_and_further_requests_go_through_one_connection(behind_tor: RelayProcess) -> None:
    drop, id_ = some_drop(3_000_000), new_id()
    with connection(behind_tor.source) as source, connection(behind_tor.desk) as desk:
        for opened in (source, desk):
            opened.sock.sendall(LINE)
        assert send(source, drop, id_).status == 201
        assert ask(desk, "GET", f"/drops/{id_}").body == drop
        assert ask(source, "GET", "/").status == 200


def test_without_the_setting_the_line_is_no_request(relay: RelayProcess) -> None:
    with connect(relay.source) as plug:
        plug.sendall(LINE + ASK)
        assert status(plug) == b"HTTP/1.1 400 Bad Request"


# What a circuit may take.


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def share(clock: Clock) -> Share:
    return Share(clock)


def test_the_fastest_circuits_of_today_never_wait(clock: Clock, share: Share) -> None:
    """2 GiB at 8 MiB/s, three parts in flight, and the whole board with every second part."""
    for n in range(2048):
        assert share.take(PART) == 0
        clock.now += 1 / 8
        if n % 2:
            assert share.take(0) == 0
            share.answered(PART)
            clock.now += 1 / 8


def test_a_source_beside_the_box_waits_but_is_never_refused(clock: Clock, share: Share) -> None:
    started = clock.now
    for _ in range(2048 // 3):
        clock.now += max(share.take(PART) for _ in range(3))
    assert 200 < clock.now - started < 256


def test_a_page_and_its_files_come_at_once(share: Share) -> None:
    for _ in range(100):
        assert share.take(0) == 0
        share.answered(50_000)


@pytest.mark.parametrize(("size", "answer"), [(0, 0), (PART, 0), (0, PART), (1 << 40, 0)])
def test_who_asks_without_end_waits_and_is_refused(
    clock: Clock, share: Share, size: int, answer: int
) -> None:
    waits: list[float] = []

    def ask_on() -> None:
        while True:
            waits.append(share.take(size))
            share.answered(answer)

    with pytest.raises(Refused) as refused:
        ask_on()
    assert refused.value.status == 503
    assert sorted(waits) == waits
    assert waits[0] == 0
    assert waits[-1] <= LONGEST_WAIT + 1
    clock.now += circuits.FORGET
    assert share.take(size) == 0


def test_parts_of_one_drop_are_one_drop(clock: Clock, share: Share) -> None:
    ids = [new_id() for _ in range(8)]
    for id_ in ids * 10:
        share.begin(id_)
    with pytest.raises(Refused):
        share.begin(new_id())
    share.begin(ids[0])
    clock.now += 60
    share.begin(new_id())
    with pytest.raises(Refused):
        share.begin(new_id())


def refused(share: Share) -> bool:
    """Whether one more drop is."""
    try:
        share.begin(new_id())
    except Refused:
        return True
    return False


def test_who_keeps_asking_is_closed_once(clock: Clock) -> None:
    closed: list[float] = []
    share = Share(clock, lambda: closed.append(clock.now))
    for n in range(8 + 100):
        assert refused(share) == (n >= 8)
    assert closed == []
    for _ in range(1000):
        assert refused(share)
    assert closed == [clock.now]


def test_who_asks_for_too_much_is_closed(clock: Clock) -> None:
    closed: list[float] = []
    share = Share(clock, lambda: closed.append(clock.now))
    for _ in range(5000):
        with suppress(Refused):
            share.take(PART)
    assert closed == [clock.now]


def test_a_page_that_is_refused_for_hours_is_not_closed(clock: Clock) -> None:
    """Three tabs of it, each with three parts and the board, as site/scripts/http.js asks again."""
    closed: list[float] = []
    share = Share(clock, lambda: closed.append(clock.now))
    while not refused(share):
        pass
    pauses = [1.0] * 12
    asks = [clock.now] * 12
    while clock.now < 1000 + 4 * 3600:
        n = asks.index(min(asks))
        clock.now = max(clock.now, asks[n])
        share._drops.take(share._drops.has(clock.now), clock.now)  # others of the circuit had what came back
        assert refused(share)
        asks[n] = clock.now + pauses[n] / 2  # the shortest it ever waits
        pauses[n] = min(2 * pauses[n], 30)
    assert closed == []


def test_circuits_are_remembered_up_to_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuits, "CIRCUITS", 3)

    async def visits() -> None:
        shares = Shares()
        first = shares.of(1)
        for circuit in (2, 1, 3, 4):
            shares.of(circuit)
        assert len(shares) == 3
        assert shares.of(1) is first

    asyncio.run(visits())


def test_each_circuit_is_closed_by_its_own_number() -> None:
    closed: list[int] = []

    async def visits() -> None:
        shares = Shares(closed.append)
        for circuit in (7, 8, 9):
            shares.of(circuit)
        for _ in range(200):
            refused(shares.of(8))

    asyncio.run(visits())
    assert closed == [8]


def test_circuits_are_forgotten_without_another_request(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(circuits, "FORGET", 0.05)

    async def wait() -> None:
        shares = Shares()
        for circuit in range(10):
            shares.of(circuit)
        while len(shares):  # noqa: ASYNC110 - nothing says when
            await asyncio.sleep(0.01)

    asyncio.run(wait())


def other(circuit: int) -> bytes:
    return LINE.replace(b"0:33 ::1 51", f"0:{circuit:x} ::1 {circuit}".encode())


def test_one_circuit_begins_so_many_drops_and_another_its_own(behind_tor: RelayProcess) -> None:
    drop = some_drop()
    said = []
    for circuit in (200, 201):
        for _ in range(9):  # each on a connection of its own
            with connection(behind_tor.source) as opened:
                opened.sock.sendall(other(circuit))
                said.append(ask(opened, "PUT", f"/drops/{new_id()}/0?commit", drop).status)
    assert said == 2 * [*8 * [201], 503]


def test_desks_have_no_share(behind_tor: RelayProcess) -> None:
    with connection(behind_tor.desk) as opened:
        opened.sock.sendall(other(300))
        for _ in range(12):
            assert ask(opened, "PUT", f"/drops/{new_id()}/0?commit", some_drop()).status == 201


def visitor(stack: ExitStack, address: str, circuit: int) -> socket.socket:
    """A connection of this circuit that asked for something."""
    plug = stack.enter_context(connect(address))
    plug.sendall(other(circuit) + b"HEAD / HTTP/1.1\r\nHost: h\r\n\r\n")
    return plug


def test_one_circuit_cannot_take_every_place(edition: Path, tmp_path: Path) -> None:
    given = {"circuits": "haproxy", "connections": 4}
    with RelayProcess(edition, tmp_path / "data", **given) as relay, ExitStack() as stack:
        crowd = [visitor(stack, relay.source, 1) for _ in range(4)]
        assert [status(plug) for plug in crowd] == 4 * [b"HTTP/1.1 200 OK"]
        assert status(visitor(stack, relay.source, 1)) == b"HTTP/1.1 503 Service Unavailable"
        for circuit in (2, 3):
            assert status(visitor(stack, relay.source, circuit)) == b"HTTP/1.1 200 OK"
        # Now it has two, and who had three would be no better.
        assert status(visitor(stack, relay.source, 2)) == b"HTTP/1.1 503 Service Unavailable"
        assert status(visitor(stack, relay.source, 4)) == b"HTTP/1.1 200 OK"
        assert status(visitor(stack, relay.source, 5)) == b"HTTP/1.1 503 Service Unavailable"
        assert [ended(plug) for plug in crowd] == [True, True, True, False]
    assert relay.errors == ""


def ended(plug: socket.socket) -> bool:
    try:
        plug.sendall(ASK)
        return plug.recv(1) == b""
    except OSError:
        return True
