"""A SOCKS port in the place of tor's: whatever is asked for by name leads to one address on this computer."""

from __future__ import annotations

import contextlib
import socket
import threading


class SocksPort:
    """Use it in a `with` block. `asked` are the names and ports that were asked for, each with the circuit it
    was to go over."""

    def __init__(self, target: tuple[str, int]) -> None:
        self._target = target
        self.asked: list[tuple[str, int, str]] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self._acceptor = threading.Thread(target=self._accept)

    def __enter__(self) -> SocksPort:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                near, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(near,), daemon=True).start()

    def _serve(self, near: socket.socket) -> None:
        with near, contextlib.suppress(OSError):
            self._agree(near)
            with socket.create_connection(self._target) as far:
                near.sendall(b"\x05\x00\x00\x01\0\0\0\0\0\0")
                back = threading.Thread(target=_pass, args=(far, near))
                back.start()
                _pass(near, far)
                back.join()

    def _agree(self, near: socket.socket) -> None:
        """RFC 1928 and 1929, from a client that gives a user's name."""
        assert _read(near, 3) == b"\x05\x01\x02"
        near.sendall(b"\x05\x02")
        circuit = _read(near, _read(near, 2)[1])
        _read(near, _read(near, 1)[0])
        near.sendall(b"\x01\x00")
        assert _read(near, 4) == b"\x05\x01\x00\x03", "it asked for no name"
        host = _read(near, _read(near, 1)[0])
        port = int.from_bytes(_read(near, 2))
        self.asked.append((host.decode(), port, circuit.decode()))


def _read(plug: socket.socket, size: int) -> bytes:
    data = plug.recv(size, socket.MSG_WAITALL)
    if len(data) < size:
        raise ConnectionResetError
    return data


def _pass(one: socket.socket, other: socket.socket) -> None:
    with contextlib.suppress(OSError):
        while data := one.recv(1 << 16):
            other.sendall(data)
        other.shutdown(socket.SHUT_WR)
