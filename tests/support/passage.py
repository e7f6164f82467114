"""A port on this computer that leads to an onion, for programs that know no SOCKS."""

from __future__ import annotations

import socket
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from keys.desk import socks
from keys.errors import Unreachable


@contextmanager
def passage(proxy: str, onion: str) -> Iterator[str]:
    """The URL of one, until the `with` block is left; all that goes through it shares a circuit."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            with (
                suppress(OSError, Unreachable),
                socks.connect(proxy, onion, 80, "passage", 60) as far,
            ):
                far.settimeout(None)
                back = threading.Thread(target=_pass, args=(far, self.request))
                back.start()
                _pass(self.request, far)
                back.join()

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        serving = threading.Thread(target=server.serve_forever, args=(0.05,))
        serving.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            serving.join()


def _pass(one: socket.socket, other: socket.socket) -> None:
    with suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
    with suppress(OSError):
        other.shutdown(socket.SHUT_WR)
