"""Clients that cost little, so that what is measured is the server."""

from __future__ import annotations

import selectors
import socket
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack

from support.relay_process import connect

_REPLY = 1 << 16


def put(target: str, size: int) -> bytes:
    return f"PUT {target} HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode()


def accepted(plugged: socket.socket) -> None:
    """Reads one reply without a body to speak of; fails unless its status is 2xx."""
    reply = plugged.recv(_REPLY)
    if not reply.startswith(b"HTTP/1.1 20"):
        raise RuntimeError(f"the server answered {reply[:100]!r}")


def upload(address: str, targets: Iterable[str], part: bytes, lanes: int) -> None:
    """Puts the same part to every target, `lanes` at a time."""
    waiting = deque(targets)
    errors: list[BaseException] = []

    def lane() -> None:
        try:
            with connect(address) as plugged:
                while waiting:
                    plugged.sendall(put(waiting.popleft(), len(part)))
                    plugged.sendall(part)
                    accepted(plugged)
        except (OSError, RuntimeError, IndexError) as error:
            errors.append(error)

    threads = [threading.Thread(target=lane) for _ in range(lanes)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if errors:
        raise errors[0]


def many_small(address: str, targets: Sequence[str], body: bytes, at_once: int) -> int:
    """Puts a small body to every target over `at_once` connections; returns how many were not accepted."""
    waiting = deque(targets)
    refused = 0
    with ExitStack() as stack, selectors.DefaultSelector() as selector:
        for _ in range(min(at_once, len(waiting))):
            plugged = stack.enter_context(connect(address))
            selector.register(plugged, selectors.EVENT_READ, plugged)
            plugged.sendall(put(waiting.popleft(), len(body)) + body)
        while selector.get_map():
            for key, _ in selector.select(60):
                ready: socket.socket = key.data
                refused += not ready.recv(_REPLY).startswith(b"HTTP/1.1 20")
                if waiting:
                    ready.sendall(put(waiting.popleft(), len(body)) + body)
                else:
                    selector.unregister(ready)
    return refused


def fetch(address: str, target: str, size: int) -> None:
    """Reads a body of `size` bytes and forgets it."""
    buffer = bytearray(1 << 20)
    with connect(address) as plugged:
        plugged.sendall(f"GET {target} HTTP/1.1\r\nHost: h\r\n\r\n".encode())
        head = b""
        while b"\r\n\r\n" not in head:
            head += plugged.recv(_REPLY)
        left = size - len(head.partition(b"\r\n\r\n")[2])
        while left > 0:
            left -= plugged.recv_into(buffer)


class Tricklers:
    """`count` clients that each send a part at 1 KB/s for as long as the `with` block lasts."""

    def __init__(self, address: str, target: Callable[[int], str], count: int) -> None:
        self._plugs = [connect(address) for _ in range(count)]
        for n, plugged in enumerate(self._plugs):
            plugged.sendall(put(target(n), 1 << 20))
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._trickle)

    def _trickle(self) -> None:
        piece = b"x" * 100
        while not self._stop.wait(0.1):
            for plugged in self._plugs:
                plugged.sendall(piece)

    def __enter__(self) -> Tricklers:
        self._thread.start()
        return self

    def dropped(self) -> int:
        """How many the server has given up on: it said or closed something."""
        return sum(_readable(plugged) for plugged in self._plugs)

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()
        for plugged in self._plugs:
            plugged.close()


def _readable(plugged: socket.socket) -> bool:
    plugged.setblocking(False)
    try:
        plugged.recv(1)
    except BlockingIOError:
        return False
    finally:
        plugged.settimeout(60)
    return True


def latencies(address: str, targets: Sequence[str], body: bytes) -> list[float]:
    """Seconds that each put takes, one after the other on one connection."""
    taken = []
    with connect(address) as plugged:
        for target in targets:
            start = time.perf_counter()
            plugged.sendall(put(target, len(body)) + body)
            accepted(plugged)
            taken.append(time.perf_counter() - start)
    return taken
