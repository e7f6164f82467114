"""What stands before a relay's source socket, as a box does that is not honest: it sees every request of
every visitor, and answers what it likes. It takes plain connections, those of a box's tor, and SOCKS ones in
the place of a visitor's tor."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from support.relay_process import connect
from support.wires import Message, read

Forward = Callable[[], Message]
# What answers a request, of which `forward` gives the relay's answer; None never answers.
Bend = Callable[[Message, Forward], Message | None]


def honest(_: Message, forward: Forward) -> Message:
    return forward()


def commits(request: Message) -> bool:
    return "?commit" in request.head or request.head.startswith("POST /drops/")


def loses_commits(request: Message, forward: Forward) -> Message:
    """The relay does what it is asked for, and nobody hears of it."""
    answer = forward()
    if commits(request):
        raise ConnectionResetError
    return answer


def lacks_the_board(request: Message, forward: Forward) -> Message:
    answer = forward()
    if request.head.startswith("GET /board "):
        return changed(answer, head=answer.head.replace("200 OK", "404 Not Found"))
    return answer


@dataclass(frozen=True)
class Passed:
    """A request and its answer, on the connection of this number and the circuit of this name."""

    link: int
    circuit: str
    request: Message
    answer: Message


class Front:
    """Use it in a `with` block; `bend` may be set anew at any time. It listens at a port, or a unix socket
    `at`. Every SOCKS connection takes `opening` seconds."""

    def __init__(
        self,
        target: str,
        bend: Bend = honest,
        *,
        at: Path | None = None,
        opening: float = 0,
    ) -> None:
        self.target = target  # as the relay prints it
        self.bend = bend
        self.opening = opening
        self._links: list[socket.socket] = []
        self.passed: list[Passed] = []
        self.links = 0  # connections, used or not
        self.open: list[int] = []  # those of them that took no more time to open
        if at:
            self._listener = socket.socket(socket.AF_UNIX)
            self._listener.bind(str(at))
            self._listener.listen(32)
            self.address = f"unix:{at}"
        else:
            self._listener = socket.create_server(("127.0.0.1", 0))
            self.address = f"127.0.0.1:{self._listener.getsockname()[1]}"
        self.url = self.address if at else f"http://{self.address}"
        self._acceptor = threading.Thread(target=self._accept)

    def __enter__(self) -> Front:
        self._acceptor.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._acceptor.join()
        self._listener.close()
        for link in self._links:
            with contextlib.suppress(OSError):
                link.shutdown(socket.SHUT_RDWR)

    def heads(self) -> list[str]:
        """The first lines of all requests."""
        return [one.request.head.partition(" HTTP")[0] for one in self.passed]

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                self._links.append(client)
                self.links += 1
                threading.Thread(target=self._serve, args=(client, self.links), daemon=True).start()

    def _serve(self, client: socket.socket, link: int) -> None:
        with client, contextlib.suppress(OSError), client.makefile("rb") as asked:
            circuit, line = "", b""
            if client.recv(1, socket.MSG_PEEK) == b"\x05":
                circuit = _socks(client, asked)
                time.sleep(self.opening)
                client.sendall(b"\x05\x00\x00\x01\0\0\0\0\0\0")
            elif client.recv(5, socket.MSG_PEEK | socket.MSG_WAITALL) == b"PROXY":
                line = asked.readline()
                circuit = line.split()[2].decode()
            self.open.append(link)
            while request := read(asked):
                answer = self.bend(request, lambda request=request: self._forward(line, request))  # type: ignore[misc]
                if answer is None:
                    client.recv(1)
                    return
                self.passed.append(Passed(link, circuit, request, answer))
                client.sendall(answer.head.encode("latin-1") + answer.body)
                if "\r\nConnection: close\r\n" in request.head:
                    return

    def _forward(self, line: bytes, request: Message) -> Message:
        with (
            connect(self.target) as relay,
            relay.makefile("rb") as said,
        ):
            relay.sendall(line + request.head.encode() + request.body)
            if (answer := read(said)) is None:
                raise ConnectionResetError  # the relay has ended
            return answer


def _socks(client: socket.socket, asked: BinaryIO) -> str:
    """Takes a SOCKS 5 request for wherever, up to its answer; gives the user's name."""
    methods = asked.read(asked.read(2)[1])
    user = b""
    client.sendall(b"\x05\x02" if 2 in methods else b"\x05\x00")
    if 2 in methods:
        user = asked.read(asked.read(2)[1])
        asked.read(asked.read(1)[0])
        client.sendall(b"\x01\x00")
    kind = asked.read(4)[3]
    asked.read(asked.read(1)[0] if kind == 3 else 4)
    asked.read(2)
    return user.decode()


def changed(answer: Message, head: str | None = None, body: bytes | None = None) -> Message:
    """An answer with another head or body; the length it says is right."""
    head = answer.head if head is None else head
    if body is None:
        return Message(head, answer.body)
    lines = [
        f"Content-Length: {len(body)}" if line.lower().startswith("content-length:") else line
        for line in head.split("\r\n")
    ]
    return Message("\r\n".join(lines), body)
