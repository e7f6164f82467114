"""A tor's control port (control-spec.txt): one command at a time, and its events."""

from __future__ import annotations

import socket
from collections import Counter
from collections.abc import Iterator
from pathlib import Path


class Control:
    """A connection to a control socket, past the cookie; use it in a `with` block."""

    def __init__(self, path: Path, cookie: Path) -> None:
        self._plug = socket.socket(socket.AF_UNIX)
        self._plug.settimeout(60)
        try:
            self._plug.connect(str(path))
            self._lines = self._plug.makefile("rb")
            self.ask(f"AUTHENTICATE {cookie.read_bytes().hex()}")
        except BaseException:
            self._plug.close()
            raise

    def __enter__(self) -> Control:
        return self

    def __exit__(self, *_: object) -> None:
        self._lines.close()
        self._plug.close()

    def ask(self, command: str) -> str:
        """The lines of the answer without their codes; RuntimeError when tor says no. Not to be mixed with
        `event`: events that come between are thrown away."""
        self._plug.sendall(command.encode() + b"\r\n")
        said: list[str] = []
        while True:
            line = self._line()
            if line.startswith("650"):
                continue
            said.append(line[4:])
            if line[3] == "+":
                while (more := self._line()) != ".":
                    said.append(more)
            if line[3] == " ":
                if line[0] != "2":
                    raise RuntimeError(f"tor says no to {command.split()[0]}: {line}")
                return "\n".join(said)

    def info(self, key: str) -> str:
        return self.ask(f"GETINFO {key}").removeprefix(f"{key}=").removesuffix("\nOK")

    def event(self) -> list[str]:
        """The words of the next event, once SETEVENTS asked for some."""
        return self._line()[4:].split()

    def patience(self, seconds: float) -> None:
        """How long tor may be silent before TimeoutError; 60 seconds without this."""
        self._plug.settimeout(seconds)

    def _line(self) -> str:
        line = self._lines.readline()
        if not line:
            raise ConnectionResetError("tor has gone")
        return line.decode().rstrip("\r\n")


def uploads(control: Control, *onions: str) -> Iterator[tuple[int, int]]:
    """Follows, after SETEVENTS HS_DESC, how the onions' descriptors go to directories: how many have arrived,
    of how many. Ends once all have: a directory that is asked too early is not asked again for long."""
    stored = {onion.removesuffix(".onion"): 0 for onion in onions}
    waiting: Counter[tuple[str, str]] = Counter()
    while not all(stored.values()) or +waiting:
        _, action, onion, _, directory, *_ = control.event()
        if onion in stored and action == "UPLOAD":
            waiting[onion, directory] += 1
        elif onion in stored and action in ("UPLOADED", "FAILED"):
            waiting[onion, directory] -= 1
            stored[onion] += action == "UPLOADED"
        done = sum(stored.values())
        yield done, done + (+waiting).total()
