import contextlib
import http.client
import socketserver
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler

import pytest
from support.cutting_proxy import CuttingProxy

ID = "ab" * 16


class _Relay(socketserver.ThreadingMixIn, socketserver.TCPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.address = ("127.0.0.1", int(self.server_address[1]))
        self.stored: dict[str, bytes] = {}

    def handle_error(self, *_: object) -> None:
        """A cut connection is what the tests are for."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Relay

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if len(body) == int(self.headers["Content-Length"]):
            self.server.stored[self.path] = body
            self.send_response(204)
            self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def relay() -> Iterator[_Relay]:
    with _Relay() as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield server
        server.shutdown()


def _put(url: str, part: int, size: int) -> int:
    with contextlib.closing(http.client.HTTPConnection(url.removeprefix("http://"), timeout=30)) as client:
        client.request("PUT", f"/drops/{ID}/{part}", b"x" * size)
        return client.getresponse().status


def test_what_is_forwarded_arrives_and_counts_as_acknowledged(relay: _Relay) -> None:
    with CuttingProxy(relay.address) as proxy:
        assert [_put(proxy.url, part, 300_000) for part in (0, 7)] == [204, 204]
        assert proxy.acknowledged == {0, 7}
        assert proxy.made == 0
    assert {path: len(body) for path, body in relay.stored.items()} == {
        f"/drops/{ID}/0": 300_000,
        f"/drops/{ID}/7": 300_000,
    }


def test_a_cut_reaches_neither_side_whole(relay: _Relay) -> None:
    with CuttingProxy(relay.address, cuts=[200_000]) as proxy:
        with pytest.raises((OSError, http.client.HTTPException)):
            _put(proxy.url, 0, 300_000)
        assert (proxy.made, proxy.acknowledged, relay.stored) == (1, set(), {})
        assert _put(proxy.url, 0, 300_000) == 204


def test_a_lost_answer_leaves_the_part_stored(relay: _Relay) -> None:
    with CuttingProxy(relay.address, lose=1) as proxy:
        with pytest.raises((OSError, http.client.HTTPException)):
            _put(proxy.url, 3, 1000)
        assert (proxy.made, proxy.acknowledged, list(relay.stored)) == (1, set(), [f"/drops/{ID}/3"])
        assert _put(proxy.url, 3, 1000) == 204
        assert proxy.acknowledged == {3}


def test_a_held_part_waits_for_resume(relay: _Relay) -> None:
    with CuttingProxy(relay.address, hold_after=100_000) as proxy:
        answers: list[int] = []
        client = threading.Thread(target=lambda: answers.append(_put(proxy.url, 0, 900_000)))
        client.start()
        while not proxy.held:
            client.join(0.01)
        assert (answers, relay.stored) == ([], {})
        proxy.resume()
        client.join()
        assert answers == [204]
