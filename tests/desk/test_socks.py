"""What a desk says to tor's SOCKS port, and what it makes of the answers."""

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.newsdesk import Newsdesk, run
from support.wires import http

from keys.desk import socks
from keys.desk.client import Client
from keys.errors import DeskError, Unreachable
from keys.onion import ServiceKey

ONION = ServiceKey.generate().address
GRANTED = b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0"


@contextmanager
def proxy(*answers: bytes) -> Iterator[tuple[str, list[bytes]]]:
    """A SOCKS port that says all its answers to one client, and the next to the next; what it was told."""
    told: list[bytes] = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60)

        def serve() -> None:
            for answer in answers:
                client, _ = listener.accept()
                with client, suppress(OSError):  # a desk that has heard enough hangs up
                    client.sendall(answer)
                    client.shutdown(socket.SHUT_WR)
                    with client.makefile("rb") as stream:
                        told.append(stream.read())

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"127.0.0.1:{listener.getsockname()[1]}", told
        thread.join()


def test_the_onion_goes_to_tor_by_name() -> None:
    with proxy(GRANTED) as (address, told):
        socks.connect(address, ONION, 80, "one", 10).close()
    there = b"\x3e" + ONION.encode() + b"\x00\x50"
    assert told == [b"\x05\x01\x02" + b"\x01\x03one\x01-" + b"\x05\x01\x00\x03" + there]


def test_each_client_has_a_circuit_of_its_own_and_keeps_it() -> None:
    circuits = []
    for client in (Client(f"http://{ONION}", "127.0.0.1:1"), Client(f"http://{ONION}", "127.0.0.1:1")):
        for _ in range(2):
            with proxy(GRANTED + http(b"{}")) as (address, told):
                client._connection._proxy = address  # type: ignore[attr-defined]
                assert client.status() == {}
                client.close()
            circuits.append(told[0][4:].partition(b"\x01-")[0])
    assert circuits[0] == circuits[1] != circuits[2] == circuits[3]


def refused(code: int) -> bytes:
    return b"\x05\x02\x01\x00\x05" + bytes([code]) + b"\x00\x01\0\0\0\0\0\0"


def test_a_tor_that_reached_no_directory_is_asked_once_more() -> None:
    with proxy(refused(0x04)[:8], GRANTED) as (address, told):
        socks.connect(address, ONION, 80, "one", 10).close()
    assert told[0] == told[1]


@pytest.mark.parametrize(
    ("code", "said", "hint"),
    [
        (0x04, "the onion is down, or this tor has no key for it or a wrong one", "ExtendedErrors"),
        (0xF0, "the onion cannot be found", "try again"),
        (0xF2, "the onion does not answer", "try again"),
        (0xF4, "the onion wants a client key, and this tor has none for it", "desk invite"),
        (0xF5, "does not take this tor's client key", "desk invite"),
        (0xF6, "this is no onion address", "compare"),
        (0x77, "tor says error 77", "try again"),
    ],
)
def test_tors_errors_are_told_apart(code: int, said: str, hint: str) -> None:
    times = 2 if code == 0x04 else 1
    with proxy(*times * [refused(code)]) as (address, _), pytest.raises(Unreachable) as caught:
        socks.connect(address, ONION, 80, "desk", 10)
    assert said in str(caught.value)
    assert hint in caught.value.hint


@given(st.binary(max_size=40).filter(lambda data: not data.startswith(GRANTED[:6])))
def test_whatever_else_listens_there_is_not_tor(answers: bytes) -> None:
    with proxy(answers) as (address, _), pytest.raises(Unreachable) as caught:
        socks.connect(address, ONION, 80, "desk", 10)
    assert caught.value.hint


@pytest.mark.parametrize("address", ["", "9050", "127.0.0.1", "192.168.0.1:9050", "127.0.0.1:99999", "x\n:1"])
def test_tor_is_on_this_computer(address: str) -> None:
    with pytest.raises(DeskError, match="SOCKS port"):
        socks.parse(address)


def test_a_desk_without_tor_is_told_what_to_start(quiet: Newsdesk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"127.0.0.1:{listener.getsockname()[1]}"
    words = ("join", quiet.edition, "--masthead", quiet.folder / "masthead.pub", "--socks", nobody)
    words += ("--identity", quiet.folder / "ada.key", "--relay", f"http://{ONION}")  # type: ignore[assignment]
    assert run("--home", quiet.home("ada"), *words).status == 0
    done = quiet.desk("ada", "fetch")
    assert done.status == 1
    assert done.err == (
        f"desk: error: the relay does not answer: there is no tor at {nobody}\n"
        "desk: hint: start tor; Tor Browser's is 127.0.0.1:9150 while it is open: give it with --socks\n"
    )


@pytest.mark.parametrize(
    ("relay", "proxy_", "said"),
    [
        (f"http://{ONION[1:]}", socks.TOR, "this is not an onion address or key"),
        (f"http://{ONION}", "example.org:9050", "SOCKS port is an address such as 127.0.0.1:9050"),
        ("http://example.onion", socks.TOR, "this is not an onion address or key"),
    ],
)
def test_a_wrong_address_is_refused_at_once(
    quiet: Newsdesk, relay: str, proxy_: str, said: str, tmp_path: Path
) -> None:
    words = ("join", quiet.edition, "--masthead", quiet.folder / "masthead.pub", "--socks", proxy_)
    words += ("--identity", quiet.folder / "ada.key", "--relay", relay)  # type: ignore[assignment]
    done = run("--home", tmp_path, *words)
    assert done.status == 1
    assert said in done.err
