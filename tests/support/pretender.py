"""What answers at tor's control socket: as tor does, but for what a test makes of it."""

from __future__ import annotations

import base64
import contextlib
import hashlib
import hmac
import os
import socket
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from relay.settings import Address

DONE = "250 OK"
NO = ["551 Not found in cache"]
Lines = list[str]  # of one answer


def started(percent: int) -> Lines:
    """To GETINFO status/bootstrap-phase."""
    return [f'250-status/bootstrap-phase=NOTICE BOOTSTRAP PROGRESS={percent} TAG=x SUMMARY="x"', DONE]


def served(name: str) -> Lines:
    """To GETINFO hs/service/desc/id/NAME."""
    return [f"250+hs/service/desc/id/{name}=", "hs-descriptor 3", ".", DONE]


def fetched(name: str, *actions: str) -> Lines:
    """To GETINFO version, after HSFETCH: events of asking, and then the answer."""
    return [
        *(f"650 HS_DESC {action} {name} NO_AUTH $F00~nick ID" for action in actions),
        "250-version=1",
        DONE,
    ]


def uploaded(name: str, hours: int) -> Lines:
    """To GETINFO hs/client/desc/id/NAME: a descriptor of so many hours ago."""
    return descriptor(name, int(time.time()) // 3600 - hours + 55)


def descriptor(name: str, expires: int) -> Lines:
    """One whose certificate ends at this hour, counted from 1970."""
    raw = base64.b64encode(bytes([1, 8]) + expires.to_bytes(4, "big") + bytes(98)).decode()
    lines = ["descriptor-signing-key-cert", "-----BEGIN ED25519 CERT-----", raw, "-----END ED25519 CERT-----"]
    return [f"250+hs/client/desc/id/{name}=", "hs-descriptor 3", *lines, ".", DONE]


class Listener:
    """A unix socket at which nothing is said; use it in a `with` block."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.path = folder / "control"
        self.address = Address(self.path)
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self.path))
        self._listener.listen()
        self._open: list[socket.socket] = []
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Listener:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        for plug in (self._listener, *self._open):
            with contextlib.suppress(OSError):
                plug.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._listener.close()

    def _run(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                plug, _ = self._listener.accept()
                self._open.append(plug)
                with plug, contextlib.suppress(OSError):
                    self.serve(plug)

    def serve(self, plug: socket.socket) -> None:
        while plug.recv(4096):
            pass


class Sayer(Listener):
    """Says these bytes to whoever says something, and leaves; or says them again and again."""

    def __init__(self, folder: Path, said: bytes, forever: bool = False) -> None:
        super().__init__(folder)
        self._said = said
        self._forever = forever

    def serve(self, plug: socket.socket) -> None:
        plug.recv(4096)
        plug.sendall(self._said)
        while self._forever:
            plug.sendall(self._said)


class Pretender(Listener):
    """Gives these answers to commands that begin so, one after the other and from then on the last one, each
    the lines of it. Otherwise it knows the handshake, and says OK.

    `heard` are the commands, a list for each connection; `on` is called at those that begin so. `known` is
    what it takes for the cookie, if not what is in the file that it names.
    """

    def __init__(
        self,
        folder: Path,
        answers: Mapping[str, list[Lines]] = {},
        *,
        cookie: bytes = bytes(range(32)),
        known: bytes | None = None,
        methods: str = "COOKIE,SAFECOOKIE",
        on: Mapping[str, Callable[[], object]] = {},
    ) -> None:
        super().__init__(folder)
        self.cookie_file = folder / "cookie"
        self.cookie_file.write_bytes(cookie)
        self.heard: list[list[str]] = []
        self._known = cookie if known is None else known
        self._methods = methods
        self._on = on
        self._answers = {command: list(these) for command, these in answers.items()}

    def serve(self, plug: socket.socket) -> None:
        heard: list[str] = []
        self.heard.append(heard)
        with plug.makefile("rwb", buffering=0) as file:
            for line in file:
                heard.append(line.decode().rstrip())
                for said in self._answer(heard[-1]):
                    file.write(said.encode() + b"\r\n")
                for start, call in self._on.items():
                    if heard[-1].startswith(start):
                        call()

    def _answer(self, command: str) -> Lines:
        for start, answers in self._answers.items():
            if command.startswith(start):
                return answers.pop(0) if len(answers) > 1 else answers[0]
        verb, *words = command.split()
        if verb == "PROTOCOLINFO":
            auth = f'250-AUTH METHODS={self._methods} COOKIEFILE="{self.cookie_file}"'
            return ["250-PROTOCOLINFO 1", auth, '250-VERSION Tor="0.4.9.11"', DONE]
        if verb == "AUTHCHALLENGE":
            theirs, ours = bytes.fromhex(words[1]), os.urandom(32)
            self._right = self._hash("controller-to-server", theirs + ours).hex()
            proof = self._hash("server-to-controller", theirs + ours).hex().upper()
            return [f"250 AUTHCHALLENGE SERVERHASH={proof} SERVERNONCE={ours.hex().upper()}"]
        if verb == "AUTHENTICATE" and words != [self._right]:
            return ["515 Authentication failed"]
        return [DONE]

    def _hash(self, direction: str, nonces: bytes) -> bytes:
        key = f"Tor safe cookie authentication {direction} hash".encode()
        return hmac.digest(key, self._known + nonces, hashlib.sha256)
