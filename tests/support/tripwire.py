"""A proxy for everything that is not on loopback, which answers nothing and remembers who asked for what."""

from __future__ import annotations

import socketserver
import threading
from types import TracebackType

from support.firefox_prefs import Prefs


class Tripwire:
    """`requests` holds the first line of every request that tried to leave this machine."""

    def __init__(self) -> None:
        self.requests: list[str] = []
        asked = self.requests

        class Handler(socketserver.StreamRequestHandler):
            def handle(self) -> None:
                asked.append(self.rfile.readline(1000).decode(errors="replace").strip())
                self.wfile.write(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")

        self._server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True

    def __enter__(self) -> Tripwire:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._server.shutdown()
        self._server.server_close()

    @property
    def prefs(self) -> Prefs:
        """What leads a Firefox here; it goes to loopback itself, whatever its proxy."""
        port = self._server.server_address[1]
        names = ("http", "ssl")
        where = {f"network.proxy.{n}": "127.0.0.1" for n in names} | {
            f"network.proxy.{n}_port": port for n in names
        }
        return {"network.proxy.type": 1, "network.dns.disablePrefetch": True, **where}
