"""Two ends for a desk's connection: one that writes down what passes, one that answers as it is told."""

from __future__ import annotations

import contextlib
import re
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)


@dataclass(frozen=True)
class Message:
    """A request or an answer."""

    head: str
    body: bytes


def read(stream: socket.SocketIO | object) -> Message | None:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.readline()  # type: ignore[union-attr]
        if not byte:
            return None
        head += byte
    found = _LENGTH.search(head)
    body = stream.read(int(found[1])) if found else b""  # type: ignore[union-attr]
    return Message(head.decode(), body)


class _Server:
    """Hands each connection to `_serve`, one after the other, until the `with` block is left."""

    def __init__(self) -> None:
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> _Server:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                client, _ = self._listener.accept()
                with client, contextlib.suppress(OSError):
                    self._serve(client)

    def _serve(self, client: socket.socket) -> None:
        raise NotImplementedError


class Recorder(_Server):
    """Passes on to `target`, as `HOST:PORT`, and keeps requests and answers in `seen`."""

    def __init__(self, target: str) -> None:
        super().__init__()
        host, _, port = target.rpartition(":")
        self._target = (host, int(port))
        self.seen: list[tuple[Message, Message]] = []

    def __enter__(self) -> Recorder:
        super().__enter__()
        return self

    def _serve(self, client: socket.socket) -> None:
        with socket.create_connection(self._target) as relay:
            asked, answered = client.makefile("rb"), relay.makefile("rb")
            while request := read(asked):
                relay.sendall(request.head.encode() + request.body)
                answer = read(answered)
                assert answer is not None
                client.sendall(answer.head.encode() + answer.body)
                self.seen.append((request, answer))


Answer = bytes | Callable[[Message], bytes]


class Script(_Server):
    """Gives these answers in turn, whatever is asked, and closes a connection after each; `asked` are the
    requests. After the last answer it closes at once."""

    def __init__(self, *answers: Answer) -> None:
        super().__init__()
        self._answers: Iterator[Answer] = iter(answers)
        self.asked: list[Message] = []

    def __enter__(self) -> Script:
        super().__enter__()
        return self

    def _serve(self, client: socket.socket) -> None:
        request = read(client.makefile("rb"))
        answer = next(self._answers, None)
        if request is None or answer is None:
            return
        self.asked.append(request)
        client.sendall(answer(request) if callable(answer) else answer)


def http(body: bytes, status: str = "200 OK", length: int | None = None, more: Sequence[str] = ()) -> bytes:
    """An answer, its length said truly unless `length` is given."""
    size = len(body) if length is None else length
    lines = [f"HTTP/1.1 {status}", f"Content-Length: {size}", "Connection: close", *more]
    return "\r\n".join([*lines, "", ""]).encode() + body
