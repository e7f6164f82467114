"""Requests of every kind: what is served, what is refused, and that no answer says more than it must."""

from __future__ import annotations

import json
import re
import socket

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.relay_process import RelayProcess, ask, connect, connection, new_id
from support.small_edition import PAGES, POLICY, some_drop


def exchange(address: str, request: bytes, *, end: bool = False) -> bytes:
    """All that comes back for these bytes until the relay closes, which it may do at once if they `end`."""
    with connect(address) as plugged:
        plugged.sendall(request)
        if end:
            plugged.shutdown(socket.SHUT_WR)
        return b"".join(iter(lambda: plugged.recv(1 << 16), b""))


def silent(answer: bytes) -> bool:
    """Whether no answer in these bytes tells what made it, or when."""
    head = answer.partition(b"\r\n\r\n")[0].lower()
    return b"\r\ndate:" not in head and b"\r\nserver:" not in head and b"aiohttp" not in answer.lower()


@pytest.mark.parametrize("path", ["/", "/en/", *PAGES])
def test_the_edition(relay: RelayProcess, path: str) -> None:
    reply = ask(relay.source, "GET", path)
    assert reply.status == 200
    assert reply.body == PAGES.get(path, PAGES.get(f"{path}index.html"))
    assert reply.headers == {
        "content-length": str(len(reply.body)),
        "content-type": "text/html; charset=utf-8",
        "cache-control": "no-cache",
        "content-security-policy": POLICY,
    }
    assert ask(relay.source, "GET", f"{path}?anything").body == reply.body


def test_the_head_of_a_page(relay: RelayProcess) -> None:
    whole = ask(relay.source, "GET", "/en/send.html")
    head = ask(relay.source, "HEAD", "/en/send.html")
    assert (head.status, head.headers, head.body) == (200, whole.headers, b"")


NOT_PATHS = """
    /nothing /en /en/send.htm /../manifest.json /%2e%2e/manifest.json /en/..%2findex.html // //index.html
    /./index.html /en/../index.html /index.html%00 /index.html/ /%69ndex.html http://relay/index.html
    https://relay/ /drops /status /manifest.json.minisig *
"""


@pytest.mark.parametrize("target", NOT_PATHS.split())
def test_a_path_is_a_key_and_nothing_else(relay: RelayProcess, target: str) -> None:
    answer = exchange(relay.source, f"GET {target} HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n".encode())
    assert answer.split()[1] in (b"404", b"400")
    assert silent(answer)
    assert b"<title>" not in answer


@pytest.mark.parametrize(
    ("method", "target"),
    [
        ("POST", "/"),
        ("DELETE", "/en/send.html"),
        ("PUT", "/board"),
        ("POST", "/board"),
        ("GET", f"/drops/{new_id()}"),
        ("DELETE", f"/drops/{new_id()}"),
        ("PATCH", f"/drops/{new_id()}/0"),
        ("OPTIONS", "/"),
        ("TRACE", "/"),
    ],
)
def test_what_a_source_may_not_do(relay: RelayProcess, method: str, target: str) -> None:
    reply = ask(relay.source, method, target)
    assert reply.status == 405
    assert reply.said == {"error": "this is not done here"}


@pytest.mark.parametrize("target", ["/", "/index.html", "/manifest.json"])
def test_the_desk_socket_has_no_edition(relay: RelayProcess, target: str) -> None:
    assert ask(relay.desk, "GET", target).status == 404


MALFORMED = [
    b"\r\n\r\n\x00\x01\x02",
    b"GET\r\n\r\n",
    b"GET / HTTP/9.9\r\n\r\n",
    b"GET / HTTP/1.1\r\nsecret-name\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: secret\r\n\r\n",
    b"GET / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
    b"PUT / HTTP/1.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n",
    b"PUT / HTTP/1.1\r\nTransfer-Encoding: secret\r\n\r\n",
    b"GET /secret" + b"x" * 20_000 + b" HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nX: secret" + b"x" * 20_000 + b"\r\n\r\n",
    b"GET / HTTP/1.1\r\n" + b"X: secret\r\n" * 1000 + b"\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc",  # how TLS begins
    b"GET /secret\x00 HTTP/1.1\r\n\r\n",
]


@pytest.mark.parametrize("request_", MALFORMED, ids=range(len(MALFORMED)))
def test_what_is_no_http(relay: RelayProcess, request_: bytes) -> None:
    answer = exchange(relay.source, request_)
    assert answer.startswith(b"HTTP/1.1 4")
    assert silent(answer)
    assert b"secret" not in answer
    assert b"Connection: close\r\n" in answer
    assert ask(relay.source, "GET", "/").status == 200


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(request=st.binary(max_size=200) | st.binary(max_size=100).map(lambda b: b"GET /" + b + b"\r\n\r\n"))
def test_any_bytes_get_a_silent_answer_or_none(relay: RelayProcess, request: bytes) -> None:
    assert silent(exchange(relay.source, request, end=True))


def test_every_answer_is_silent(relay: RelayProcess) -> None:
    id_ = new_id()
    drop = some_drop()
    for address, method, target, body in [
        (relay.source, "GET", "/", None),
        (relay.source, "GET", "/board", None),
        (relay.source, "GET", "/nothing", None),
        (relay.source, "PUT", f"/drops/{id_}/0?commit", drop),
        (relay.source, "PUT", f"/drops/{id_}/x", drop),
        (relay.desk, "GET", "/drops", None),
        (relay.desk, "GET", f"/drops/{id_}", None),
        (relay.desk, "GET", "/status", None),
        (relay.desk, "DELETE", f"/drops/{id_}", None),
    ]:
        reply = ask(address, method, target, body)
        assert not {"date", "server", "set-cookie", "etag", "last-modified"} & reply.headers.keys()
        if target not in ("/", "/board", f"/drops/{id_}"):
            assert reply.status == 204 or json.loads(reply.body) is not None


def test_many_requests_on_one_connection(relay: RelayProcess) -> None:
    with connection(relay.source) as kept:
        for _ in range(3):
            assert ask(kept, "GET", "/").status == 200
            assert ask(kept, "PUT", f"/drops/{new_id()}/0", b"").status == 400
            assert ask(kept, "PUT", f"/drops/{new_id()}/0?commit", some_drop()).status == 201


def test_pipelined_requests_are_answered_in_order(relay: RelayProcess) -> None:
    request = b"GET / HTTP/1.1\r\nHost: h\r\n\r\nGET /nothing HTTP/1.1\r\nHost: h\r\n\r\n"
    last = b"GET /en/ HTTP/1.1\r\nHost: h\r\nConnection: close\r\n\r\n"
    answer = exchange(relay.source, request * 20 + last)
    assert re.findall(rb"HTTP/1\.1 (\d+)", answer) == [*[b"200", b"404"] * 20, b"200"]


def test_an_old_http_gets_one_answer(relay: RelayProcess) -> None:
    answer = exchange(relay.source, b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"Connection: close\r\n" in answer


def test_a_client_that_asks_before_it_sends(relay: RelayProcess) -> None:
    drop = some_drop()
    head = f"PUT /drops/{new_id()}/0?commit HTTP/1.1\r\nHost: h\r\nContent-Length: {len(drop)}\r\n"
    with connect(relay.source) as plugged:
        plugged.sendall(f"{head}Expect: 100-continue\r\n\r\n".encode())
        assert plugged.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        plugged.sendall(drop)
        assert plugged.recv(1000).startswith(b"HTTP/1.1 201 ")


def test_a_body_is_never_inflated(relay: RelayProcess) -> None:
    reply = ask(
        relay.source, "PUT", f"/drops/{new_id()}/0?commit", some_drop(), headers={"Content-Encoding": "gzip"}
    )
    assert reply.status == 201
