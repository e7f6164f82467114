"""Tor's line before a connection: read whatever way it comes, and nothing else passes for it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.relay_process import RelayProcess, ask, connect, connection, new_id, send
from support.small_edition import some_drop

from relay.circuits import LONGEST, proxy_line

LINE = b"PROXY TCP6 fc00:dead:beef:4dad::0:33 ::1 51 80\r\n"
ASK = b"GET /board HTTP/1.1\r\nHost: h\r\n\r\n"


def feed(pieces: list[bytes]) -> tuple[int, bytes] | None:
    """What is found when bytes come in pieces, as a connection reads them."""
    start = b""
    for n, piece in enumerate(pieces):
        start += piece
        if found := proxy_line(start):
            return found[0], found[1] + b"".join(pieces[n + 1 :])
    return None


@given(st.integers(0, 2**32 - 1), st.integers(1, 65535), st.binary(max_size=200))
def test_the_circuit_is_tors_number_wherever_it_is_cut(circuit: int, port: int, rest: bytes) -> None:
    high, low = divmod(circuit, 1 << 16)
    line = f"PROXY TCP6 fc00:dead:beef:4dad::{high:x}:{low:x} ::1 {low} {port}\r\n".encode()
    assert len(line) <= LONGEST
    assert proxy_line(line + rest) == (circuit, rest)
    for at in range(len(line) + len(rest)):
        assert feed([(line + rest)[:at], (line + rest)[at:]]) == (circuit, rest)
    assert feed([bytes([byte]) for byte in line]) == (circuit, b"")


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


@given(st.binary(max_size=300))
@example(ASK)
@example(LINE.replace(b"\r", b"") + ASK)
@example(LINE.replace(b"TCP6", b"TCP4"))
@example(b"PROXY UNKNOWN\r\n")
@example(b" " + LINE)
@example(b"\r\n\r\n\0\r\nQUIT\n" + LINE)  # the binary version of the protocol
@example(LINE.replace(b"0:33", b"00000:33"))
@example(LINE.replace(b"51", b"5" * 100))
@example(b"P" * LONGEST)
def test_any_bytes_wait_for_more_or_are_refused(data: bytes) -> None:
    try:
        found = proxy_line(data)
    except ValueError:
        return
    assert found is None
    assert b"\n" not in data
    assert len(data) < LONGEST


@pytest.fixture(scope="module")
def behind_tor(edition: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(edition, tmp_path_factory.mktemp("relay") / "data", circuits="haproxy") as relay:
        yield relay
    assert relay.errors == ""


def status(plug: socket.socket) -> bytes:
    with plug.makefile("rb") as answer:
        return answer.readline().rstrip()


@pytest.mark.parametrize("at", range(len(LINE + ASK)))
def test_a_request_is_answered_wherever_it_is_cut(behind_tor: RelayProcess, at: int) -> None:
    with connect(behind_tor.source) as plug:
        plug.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        plug.sendall((LINE + ASK)[:at])
        plug.sendall((LINE + ASK)[at:])
        assert status(plug) == b"HTTP/1.1 200 OK"


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
