"""Who may use the desk socket from a browser: a page that was opened from a disk, and no other."""

from __future__ import annotations

import os

import pytest
from support.relay_process import RelayProcess, ask, connection, new_id, send
from support.small_edition import TERMS, some_drop

FILE = {"Origin": "null"}
ALLOWED = "access-control-allow-origin"
LINES = TERMS["board_post"] * 2048


def test_a_page_from_a_disk_may_read_every_answer(relay: RelayProcess) -> None:
    id_ = new_id()
    assert send(relay.desk, some_drop(), id_).status == 201
    with connection(relay.desk) as kept:
        for method, target, body, status in [
            ("GET", "/drops", None, 200),
            ("GET", f"/drops/{id_}", None, 200),
            ("GET", f"/drops/{new_id()}", None, 404),
            ("GET", "/board", None, 200),
            ("GET", "/nothing", None, 404),
            ("POST", "/board", os.urandom(LINES), 204),
            ("POST", "/board", b"x", 400),
            ("PUT", f"/drops/{new_id()}/0?commit", some_drop(), 201),
        ]:
            reply = ask(kept, method, target, body, FILE)
            assert (reply.status, reply.headers[ALLOWED]) == (status, "null")
            assert not {"date", "server"} & reply.headers.keys()
        part = ask(kept, "GET", f"/drops/{id_}", headers=FILE | {"Range": "bytes=100-"})
        assert (part.status, part.headers[ALLOWED]) == (206, "null")


def test_it_asks_first_and_hears_what_it_may(relay: RelayProcess) -> None:
    asked = FILE | {"Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "range"}
    reply = ask(relay.desk, "OPTIONS", f"/drops/{new_id()}/0?commit", headers=asked)
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers[ALLOWED] == "null"
    assert reply.headers["access-control-allow-methods"] == "GET, POST, PUT"
    assert reply.headers["access-control-allow-headers"] == "Content-Type, Range"
    assert "access-control-allow-credentials" not in reply.headers


@pytest.mark.parametrize(
    "origin", ["http://evil.example", "https://evil.onion", "null, null", "NULL", "file://", "*", ""]
)
def test_a_page_from_elsewhere_does_nothing(relay: RelayProcess, origin: str) -> None:
    before = ask(relay.desk, "GET", "/board").body
    drop = new_id()
    for method, target, body in [
        ("GET", "/drops", None),
        ("OPTIONS", "/drops", None),
        ("POST", "/board", os.urandom(LINES)),
        ("PUT", f"/drops/{drop}/0?commit", some_drop()),
        ("DELETE", f"/drops/{drop}", None),
    ]:
        reply = ask(relay.desk, method, target, body, {"Origin": origin})
        assert (reply.status, reply.said) == (403, {"error": "web pages may not do this"})
        assert not any(name.startswith("access-control") for name in reply.headers)
    assert ask(relay.desk, "GET", "/board").body == before
    assert ask(relay.desk, "GET", f"/drops/{drop}").status == 404


def test_a_page_deletes_nothing(relay: RelayProcess) -> None:
    id_ = new_id()
    assert send(relay.desk, some_drop(), id_).status == 201
    assert ask(relay.desk, "DELETE", f"/drops/{id_}", headers=FILE).status == 403
    assert ask(relay.desk, "GET", f"/drops/{id_}").status == 200
    assert ask(relay.desk, "DELETE", f"/drops/{id_}").status == 204


def test_two_origins_are_none(relay: RelayProcess) -> None:
    with connection(relay.desk) as opened:
        opened.putrequest("GET", "/drops")
        opened.putheader("Origin", "null")
        opened.putheader("Origin", "http://evil.example")
        opened.endheaders()
        assert opened.getresponse().status == 403


def test_who_is_no_page_hears_nothing_of_it(relay: RelayProcess) -> None:
    assert ALLOWED not in ask(relay.desk, "GET", "/drops").headers
    assert ask(relay.desk, "OPTIONS", "/board").status == 405


def test_the_source_socket_allows_nobody(relay: RelayProcess) -> None:
    for method, target in [("GET", "/board"), ("GET", "/"), ("OPTIONS", "/board"), ("GET", "/drops")]:
        reply = ask(relay.source, method, target, headers=FILE)
        assert not any(name.startswith("access-control") for name in reply.headers)
