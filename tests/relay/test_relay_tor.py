"""Tor's control socket: a tor that works, one that does not, and what only sits in its place."""

from __future__ import annotations

import asyncio
import base64
import os
import re
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.pretender import (
    NO,
    Lines,
    Listener,
    Pretender,
    Sayer,
    descriptor,
    fetched,
    served,
    started,
    uploaded,
)
from support.relay_process import RelayProcess, ask, connection, new_id, send
from support.small_edition import some_drop
from support.tornet import Tor

from relay import tor
from relay.errors import NoTor
from relay.settings import Address

NAME = "a" * 55 + "d"
ONION = {"source": f"{NAME}.onion"}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that tests do not wait long for an end that says nothing."""
    monkeypatch.setattr(tor, "SECONDS", 0.5)
    monkeypatch.setattr(tor, "FETCH_SECONDS", 0.5)


# A real tor, which is not let near a network.


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Tor]:
    running = Tor(
        tmp_path_factory.mktemp("tor") / "tor", ["DisableNetwork 1", "SocksPort 0", "ControlPort auto"]
    )
    running.control().__exit__()
    yield running
    running.stop()


def test_a_tor_without_a_network_says_so(real: Tor) -> None:
    before = threading.active_count()
    assert tor.health(Address(real.folder / "control"), ONION) == tor.Health(0, {})
    assert threading.active_count() == before


def test_a_control_port_is_as_good(real: Tor) -> None:
    port = re.search(r"127\.0\.0\.1:([0-9]+)", real.info("net/listeners/control"))
    assert port is not None
    assert tor.health(Address(None, int(port[1])), ONION) == tor.Health(0, {})


def test_a_circuit_that_is_gone_is_closed_enough(real: Tor) -> None:
    tor.close(Address(real.folder / "control"), [1, 2**32 - 1])


def test_the_cookie_that_tor_names_may_not_be_readable(real: Tor) -> None:
    cookie = real.folder / "data/control_auth_cookie"
    aside = cookie.rename(cookie.with_name("aside"))
    try:
        assert said(Address(real.folder / "control")) == "this user may not read tor's cookie"
    finally:
        aside.rename(cookie)


def said(address: Address) -> str:
    with pytest.raises(NoTor) as refused:
        tor.health(address, ONION)
    return str(refused.value)


# Nobody there, or somebody else.

NO_ANSWER = "tor does not answer at its control socket"


def test_no_tor_at_all(tmp_path: Path) -> None:
    assert said(Address(tmp_path / "control")) == "tor is not running, or has another control socket"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    assert said(Address(None, port)) == "tor is not running"
    with Listener(tmp_path) as left:
        pass
    assert said(left.address) == "tor is not running"


def test_an_end_that_says_nothing(tmp_path: Path) -> None:
    with Listener(tmp_path) as silent:
        assert said(silent.address) == NO_ANSWER


ENDS = {
    "nothing": b"",
    "a web server": b"HTTP/1.1 400 Bad Request\r\n\r\n",
    "a line without an end": b"250 " + b"x" * 3_000_000,
    "lines without an end": b"250-x\r\n" * 500_000,
    "data without an end": b"250+x\r\n" + b"x\r\n" * 500_000,
    "events without an end": b"650 HS_DESC\r\n" * 300_000,
    "no": b"514 Authentication required\r\n",
    "no words": b"250 \r\n",
}


@pytest.mark.parametrize("name", ENDS)
@pytest.mark.parametrize("forever", [False, True])
def test_an_end_that_is_not_tor(tmp_path: Path, name: str, forever: bool) -> None:
    with Sayer(tmp_path, ENDS[name], forever and ENDS[name] != b"") as end:
        assert said(end.address) in (NO_ANSWER, "tor offers no cookie at its control socket")


@given(
    st.lists(st.sampled_from([b"250", b"650", b"5", b"-", b"+", b" ", b"\r\n", b".", b"\xff"]) | st.binary())
)
@example([b"250+", b"\r\n", b".", b"\r\n"])
def test_any_bytes_are_no_tor(tmp_path_factory: pytest.TempPathFactory, pieces: list[bytes]) -> None:
    with Sayer(tmp_path_factory.mktemp("end"), b"".join(pieces)) as end:
        assert said(end.address)


def test_who_does_not_know_the_cookie_learns_nothing_of_it(tmp_path: Path) -> None:
    with Pretender(tmp_path, known=bytes(32)) as end:
        assert said(end.address) == "what listens at the control socket is not tor"
    assert [line.split()[0] for line in end.heard[0]] == ["PROTOCOLINFO", "AUTHCHALLENGE"]


def test_the_cookie_itself_is_never_sent(tmp_path: Path) -> None:
    with Pretender(tmp_path) as end:
        tor.close(end.address, [7])
    assert end.heard[0][3:] == ["CLOSECIRCUIT 7"]
    assert end.cookie_file.read_bytes().hex() not in "".join(end.heard[0]).lower()


@pytest.mark.parametrize("methods", ["COOKIE", "NULL", "HASHEDPASSWORD"])
def test_nothing_but_the_cookies_hash_will_do(tmp_path: Path, methods: str) -> None:
    with Pretender(tmp_path, methods=methods) as end:
        assert said(end.address) == "tor offers no cookie at its control socket"
    assert len(end.heard[0]) == 1


@pytest.mark.parametrize("cookie", [b"", bytes(31), bytes(33), b"root:x:0:0:root:/root:/bin/bash" * 9])
def test_a_file_that_is_no_cookie_is_not_proven(tmp_path: Path, cookie: bytes) -> None:
    with Pretender(tmp_path, cookie=cookie) as end:
        assert said(end.address) == "tor's cookie is not one"
    assert len(end.heard[0]) == 1


def test_no_pipe_and_no_link_is_read(tmp_path: Path) -> None:
    with Pretender(tmp_path) as end:
        real = end.cookie_file.rename(tmp_path / "real")
        end.cookie_file.symlink_to(real)
        assert said(end.address) == "this user may not read tor's cookie"
        end.cookie_file.unlink()
        os.mkfifo(end.cookie_file)
        assert said(end.address) == "tor's cookie is not one"


@pytest.mark.parametrize(
    ("verb", "answer"),
    [
        ("AUTHCHALLENGE", "513 AUTHCHALLENGE only supports SAFECOOKIE authentication"),
        ("AUTHCHALLENGE", "250 AUTHCHALLENGE SERVERHASH=00 SERVERNONCE=00"),
        ("AUTHENTICATE", "515 Authentication failed"),
    ],
)
def test_a_tor_that_does_not_take_its_own_cookie(tmp_path: Path, verb: str, answer: str) -> None:
    with Pretender(tmp_path, {verb: [[answer]]}) as end:
        assert said(end.address) == "tor does not take its cookie at its control socket"


# What tor says of an onion.

RECEIVED, FAILED = ("REQUESTED", "RECEIVED"), ("REQUESTED", "FAILED")
UPLOADS = [f"650 HS_DESC {action} {NAME} UNKNOWN $F00~nick" for action in ("UPLOADED", "FAILED")]


def look(
    folder: Path, *fetches: Lines, service: Lines | None = None, client: Lines | None = None
) -> tor.Published:
    """What is found where each HSFETCH has these events, and then GETINFO says this."""
    given = {
        "GETINFO status/": [started(100)],
        "GETINFO hs/service/": [service or served(NAME)],
        "GETINFO hs/client/": [client or uploaded(NAME, 0)],
        "GETINFO version": list(fetches),
    }
    with Pretender(folder, given) as end:
        health = tor.health(end.address, ONION)
    assert health.progress == 100
    return health.onions["source"]


def test_an_onion_that_a_directory_has(tmp_path: Path) -> None:
    found = look(tmp_path, [*UPLOADS, *fetched(NAME, *RECEIVED)])
    assert (found.served, found.found, found.stale) == (True, True, False)
    assert found.uploaded is not None
    assert 0 <= (datetime.now(UTC) - found.uploaded).total_seconds() < 2 * 3600


def test_an_onion_that_the_next_directory_has(tmp_path: Path) -> None:
    assert look(tmp_path, *2 * [fetched(NAME, *FAILED)], fetched(NAME, *RECEIVED)).found


@pytest.mark.parametrize("actions", [FAILED, ["REQUESTED"]], ids=["none has it", "none answers"])
def test_an_onion_that_no_directory_gives(tmp_path: Path, actions: list[str]) -> None:
    found = look(tmp_path, [*UPLOADS, *fetched(NAME, *actions)], client=uploaded(NAME, 5))
    assert (found.served, found.found) == (True, False)
    assert found.uploaded is not None
    assert 5 <= (datetime.now(UTC) - found.uploaded).total_seconds() / 3600 < 7
    never = look(tmp_path / "never", fetched(NAME, *actions), client=NO)
    assert never == tor.Published(served=True, found=False)


def test_directories_that_were_all_asked_a_moment_ago(tmp_path: Path) -> None:
    found = look(tmp_path, [*UPLOADS, *fetched(NAME)])
    assert (found.found, found.stale) == (None, False)
    assert found.uploaded is not None
    assert look(tmp_path / "none", fetched(NAME), client=NO) == tor.Published(served=True, found=False)


def test_an_onion_that_tor_does_not_serve(tmp_path: Path) -> None:
    assert look(tmp_path, fetched(NAME, *RECEIVED), service=NO) == tor.Published(served=False)


@pytest.mark.parametrize(("hours", "stale"), [(0, False), (2, False), (3, True), (4, True), (100, True)])
def test_a_descriptor_that_should_have_been_uploaded_anew(tmp_path: Path, hours: int, stale: bool) -> None:
    assert look(tmp_path, fetched(NAME, *RECEIVED), client=uploaded(NAME, hours)).stale == stale


@pytest.mark.parametrize("hour", [0, 2**32 - 1])
def test_a_certificate_of_another_age(tmp_path: Path, hour: int) -> None:
    assert look(tmp_path, fetched(NAME, *RECEIVED), client=descriptor(NAME, hour)).found


@given(st.text(max_size=200) | st.binary(max_size=60).map(lambda raw: base64.b64encode(raw).decode()))
def test_any_certificate_has_an_hour_or_none(raw: str) -> None:
    text = f"descriptor-signing-key-cert\n-----BEGIN ED25519 CERT-----\n{raw}\n-----END ED25519 CERT-----"
    assert isinstance(tor._uploaded(text), datetime | None)


# Closing, from the event loop.


def test_circuits_that_come_meanwhile_are_closed_together(tmp_path: Path) -> None:
    async def close() -> None:
        closer = tor.Closer(end.address)
        for circuit in (1, 2, 3):
            closer(circuit)
        while len(end.heard) < 1 or "CLOSECIRCUIT 3" not in end.heard[0]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        closer(4)
        while "CLOSECIRCUIT 4" not in end.heard[-1]:  # noqa: ASYNC110
            await asyncio.sleep(0.01)

    with Pretender(tmp_path) as end:
        asyncio.run(close())
    assert [heard[3:] for heard in end.heard] == [
        [f"CLOSECIRCUIT {n}" for n in (1, 2, 3)],
        ["CLOSECIRCUIT 4"],
    ]


LINE = b"PROXY TCP6 fc00:dead:beef:4dad::0:%x ::1 51 80\r\n"


def behind_tor(edition: Path, folder: Path, control: Address) -> RelayProcess:
    given = {"source": f"unix:{folder}/source", "circuits": "haproxy", "control": str(control)}
    return RelayProcess(edition, folder / "data", **given)


def ask_too_much(relay: RelayProcess, circuit: int, times: int) -> None:
    """Begins so many drops, most of them too many."""
    with connection(relay.source) as opened:
        opened.sock.sendall(LINE % circuit)
        for _ in range(times):
            assert ask(opened, "PUT", f"/drops/{new_id()}/0", b"x").status in (204, 503)


def test_the_relay_has_an_abusive_circuit_closed_and_no_other(edition: Path, tmp_path: Path) -> None:
    closed = threading.Event()
    end = Pretender(tmp_path / "tor", on={"CLOSECIRCUIT": closed.set})
    with end, behind_tor(edition, tmp_path, end.address) as relay:
        ask_too_much(relay, 0x20, 60)  # spent, and more
        ask_too_much(relay, 0x21, 120)
        assert closed.wait(30)
        ask_too_much(relay, 0x21, 60)
    assert relay.errors == ""
    assert [heard[3:] for heard in end.heard] == [["CLOSECIRCUIT 33"]]


@pytest.mark.parametrize("hangs", [True, False])
def test_the_relay_serves_on_when_tor_hangs_or_is_gone(edition: Path, tmp_path: Path, hangs: bool) -> None:
    with ExitStack() as stack:
        address = Address(tmp_path / "none")
        if hangs:
            address = stack.enter_context(Listener(tmp_path / "tor")).address
        with behind_tor(edition, tmp_path, address) as relay:
            for circuit in (1, 2):
                ask_too_much(relay, circuit, 120)
            with connection(relay.source) as opened:
                opened.sock.sendall(LINE % 3)
                assert send(opened, some_drop(), new_id()).status == 201
    assert (relay.process.returncode, relay.errors) == (0, "")


def test_a_relay_without_a_control_socket_does_not_load_stem() -> None:
    words = [sys.executable, "-c", "import sys, relay.__main__; sys.exit('stem' in sys.modules)"]
    assert subprocess.run(words, check=False).returncode == 0
