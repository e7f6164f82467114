"""A loopback TCP proxy before the relay that cuts, holds and watches connections, as a bad circuit would.

It reads just enough HTTP to know which parts of a drop the client may know to be stored.
"""

from __future__ import annotations

import contextlib
import re
import socket
import struct
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from types import TracebackType

Address = tuple[str, int]

_CHUNK = 1 << 16
_PUT = re.compile(rb"PUT /drops/[0-9a-f]{32}/(\d+)\S* HTTP/1\.1\r\n")
_LONGEST_PUT = 64  # bytes of a request line that matches
_RESET = struct.pack("ii", 1, 0)  # SO_LINGER on, 0 seconds: closing sends RST


@dataclass
class _Link:
    """One client's connection and its own to the relay; without pipelining it carries one part at a time."""

    client: socket.socket
    relay: socket.socket
    part: int | None = None

    def reset(self) -> None:
        for end in (self.client, self.relay):
            with contextlib.suppress(OSError):
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
                end.shutdown(socket.SHUT_RDWR)  # wakes the thread that reads it


class CuttingProxy:
    """Forwards to `target` until the `with` block is left.

    `cuts` are byte counts: whenever that much more has come from clients, the connection that brought it is
    reset. `lose` answers to parts are swallowed: the relay has stored the part, the client sees a dead
    connection. After `hold_after` bytes nothing more goes to the relay until `resume`.
    """

    def __init__(
        self, target: Address, *, cuts: Sequence[int] = (), lose: int = 0, hold_after: int | None = None
    ) -> None:
        self._target = target
        self._cuts = list(cuts)
        self._lose = lose
        self._hold_after = hold_after
        self._since_cut = 0
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._links: list[_Link] = []
        self.made = 0  # connections ended on purpose, those of lost answers among them
        self.forwarded = 0  # bytes from clients
        self.acknowledged: set[int] = set()  # parts whose answer was passed on
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept)

    def __enter__(self) -> CuttingProxy:
        self._acceptor.start()
        return self

    def __exit__(self, *_: type[BaseException] | BaseException | TracebackType | None) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        self.resume()
        for link in self._links:
            link.reset()

    @property
    def held(self) -> bool:
        return not self._open.is_set()

    def resume(self) -> None:
        self._hold_after = None
        self._open.set()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):  # the listener is shut on leaving
            while True:
                client, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        with client, contextlib.suppress(OSError), socket.create_connection(self._target) as relay:
            link = _Link(client, relay)
            self._links.append(link)
            back = threading.Thread(target=self._downstream, args=(link,), daemon=True)
            back.start()
            with contextlib.suppress(OSError):
                self._upstream(link)
            back.join()
            self._links.remove(link)

    def _upstream(self, link: _Link) -> None:
        tail = b""
        while data := link.client.recv(_CHUNK):
            self._open.wait()
            for found in _PUT.finditer(tail + data):
                link.part = int(found[1])
            tail = (tail + data)[-_LONGEST_PUT:]
            if self._cuts_here(len(data)):
                return link.reset()
            link.relay.sendall(data)
        return link.relay.shutdown(socket.SHUT_WR)

    def _downstream(self, link: _Link) -> None:
        with contextlib.suppress(OSError):
            while data := link.relay.recv(_CHUNK):
                if link.part is not None and data.startswith(b"HTTP/1.1 2"):
                    if self._loses():
                        return link.reset()
                    self.acknowledged.add(
                        link.part
                    )  # before it is passed on: what a page shows is never ahead
                    link.part = None
                link.client.sendall(data)
            link.client.shutdown(socket.SHUT_WR)
        return None

    def _cuts_here(self, size: int) -> bool:
        with self._lock:
            self.forwarded += size
            self._since_cut += size
            if self._hold_after is not None and self.forwarded >= self._hold_after:
                self._open.clear()
            if not self._cuts or self._since_cut < self._cuts[0]:
                return False
            self._since_cut = 0
            self._cuts.pop(0)
            self.made += 1
            return True

    def _loses(self) -> bool:
        with self._lock:
            if not self._lose:
                return False
            self._lose -= 1
            self.made += 1
            return True
