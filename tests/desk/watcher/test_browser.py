"""What a watcher's browser makes of answers, and of connections that end."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.wires import read

from keys.desk.watcher import links
from keys.desk.watcher.browser import Browser, Request
from keys.errors import Unreachable
from keys.onion import ServiceKey

PAGE = Request("GET", "/", "document", site="none")
GRANTED = b"\x05\x02\x01\x00\x05\x00\x00\x01\0\0\0\0\0\0"  # by a SOCKS port, whatever it is asked
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"


@contextmanager
def server(*plans: Sequence[bytes]) -> Iterator[str]:
    """Answers the requests of each connection in turn with these bytes, and closes it after the last."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve() -> None:
            for answers in plans:
                link, _ = listener.accept()
                with link, link.makefile("rb") as asked, suppress(OSError):
                    for answer in answers:
                        read(asked)
                        link.sendall(answer)

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        thread.join()


@contextmanager
def opened(url: str) -> Iterator[Browser]:
    made = Browser(url, "127.0.0.1:1")
    try:
        yield made
    finally:
        made.close()


def test_an_answer_is_kept_to_the_byte() -> None:
    with server([OK, b"HTTP/1.1 204 No Content\r\nX: y\r\n\r\n"]) as url, opened(url) as one:
        first, second = (one.ask(PAGE, 100).answer for _ in range(2))
    assert (first.status, first.head, first.body) == (200, OK[:-5], b"hello")
    assert (second.status, list(second.headers), second.body) == (204, [("X", "y")], b"")
    assert first.whole
    assert second.whole


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\nhello",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + b"x" * 1000,
        OK + b"more",
    ],
)
def test_an_answer_of_no_said_or_too_great_length_is_not_whole(answer: bytes) -> None:
    with server([answer]) as url, opened(url) as one:
        assert not one.ask(PAGE, 10).answer.whole


@given(
    st.binary(max_size=200)
    | st.binary(max_size=60).map(lambda more: b"HTTP/1.1 200 OK\r\n" + more + b"\r\n\r\n")
)
def test_any_answer_is_one_or_none(answer: bytes) -> None:
    with server([answer]) as url, opened(url) as one, suppress(Unreachable):
        said = one.ask(PAGE, 100).answer
        assert said.head
        assert answer.startswith(said.head)
        assert 200 <= said.status < 600 or (said.status, said.body, said.whole) == (0, b"", False)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 200 OK\r\nX: " + b"x" * 300_000,
        OK.replace(b"HTTP/1.1", b"HTTP/1.0"),
        OK.replace(b"200", b"103"),
        b"<!doctype html><p>hello",
    ],
)
def test_what_is_no_http_is_kept_as_it_came(answer: bytes) -> None:
    with server([answer]) as url, opened(url) as one:
        said = one.ask(PAGE, 100).answer
    assert (said.status, said.body, said.whole) == (0, b"", False)
    assert len(said.head) == len(answer) or len(said.head) > 64 << 10
    assert answer.startswith(said.head)


def test_a_kept_connection_that_died_is_opened_again() -> None:
    with server([OK], [OK]) as url, opened(url) as one:
        assert [one.ask(PAGE, 100).answer.body for _ in range(2)] == [b"hello", b"hello"]


def test_an_answer_that_is_cut_is_none_and_what_came_of_it_is_kept() -> None:
    with server([OK[:-1]]) as url, opened(url) as one:
        with pytest.raises(Unreachable, match="was cut"):
            one.ask(PAGE, 100)
        (broken,) = one.broken
    assert (broken.answer.status, broken.answer.body, broken.answer.whole) == (200, b"hell", False)


def test_a_visit_that_is_broken_off_ends_at_once() -> None:
    hold = threading.Event()
    with (
        socket.create_server(("127.0.0.1", 0)) as listener,
        opened(f"http://127.0.0.1:{listener.getsockname()[1]}") as one,
    ):

        def break_off() -> None:
            link, _ = listener.accept()
            with link:
                link.recv(1)
                one.break_off()
                hold.wait(30)

        thread = threading.Thread(target=break_off)
        thread.start()
        with pytest.raises(Unreachable):
            one.ask(PAGE, 100)
        with pytest.raises(Unreachable, match="broken off"):
            one.pause(3600)
        with pytest.raises(Unreachable, match="broken off"):
            one.ask(PAGE, 100)
        hold.set()
        thread.join()


def all_of(link: socket.socket, end: bytes = b"nothing") -> bytes:
    said = b""
    while not said.endswith(end) and (data := link.recv(4096)):
        said += data
    return said


def test_a_second_connection_is_opened_beside_a_slow_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As Firefox does; what nobody used is closed soon."""
    monkeypatch.setattr(links, "_UNUSED", 0.1)
    heard: list[bytes] = []
    closed = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

        def tor() -> None:
            first, _ = listener.accept()
            second, _ = listener.accept()
            with first, second:
                second.sendall(GRANTED)
                heard.append(all_of(second, b"\r\n\r\n"))
                second.sendall(OK)
                first.sendall(GRANTED)
                heard.append(all_of(first))
                closed.set()
                all_of(second)

        thread = threading.Thread(target=tor)
        thread.start()
        one = Browser(f"http://{ServiceKey.generate().address}", f"127.0.0.1:{port}")
        try:
            assert one.ask(PAGE, 100).answer.body == b"hello"
            while not closed.is_set():
                one.pause(0.05)
        finally:
            one.close()
        thread.join()
    assert [b"GET / HTTP/1.1" in said for said in heard] == [True, False]
