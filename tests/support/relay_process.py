"""A relay as a process of its own, and plain requests to it."""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import secrets
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
PART = 1 << 20


@dataclass(frozen=True)
class Reply:
    status: int
    headers: dict[str, str]  # names in lower case
    body: bytes

    @property
    def said(self) -> Any:
        return json.loads(self.body)


class RelayProcess:
    """A relay for an edition and a data folder, on two free ports; use it in a `with` block.

    Keyword arguments are further settings. `wrap` is a command to start the relay under, such as strace's.
    """

    def __init__(self, edition: Path, data: Path, *, wrap: Sequence[str] = (), **settings: int | str) -> None:
        given = {"source": "127.0.0.1:0", "desk": "127.0.0.1:0"} | settings
        self.data = data
        self._wrap = list(wrap)
        self._settings = data.with_name(f"{data.name}.yaml")
        lines = [f"{key}: {value}\n" for key, value in given.items()]
        self._settings.write_text(
            f"edition: {edition.absolute()}\ndata: {data.absolute()}\n" + "".join(lines)
        )
        self.start()

    def start(self) -> None:
        """Starts it, again if it was killed; returns once both sockets are open."""
        self.process = subprocess.Popen(
            [*self._wrap, sys.executable, "-m", "relay", str(self._settings)],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line:
            self.stop()
            raise RuntimeError(f"the relay did not start: {self.errors}")
        addresses = json.loads(line)
        self.source: str = addresses["source"]
        self.desk: str = addresses["desk"]

    @property
    def source_url(self) -> str:
        return f"http://{self.source}"

    @property
    def desk_url(self) -> str:
        return f"http://{self.desk}"

    def __enter__(self) -> RelayProcess:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends it and returns its exit status; what it said is in `said` and `errors` then."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        self.said, self.errors = self.process.communicate(timeout=30)
        return self.process.returncode

    def kill(self) -> None:
        self.stop(signal.SIGKILL)

    def memory(self) -> int:
        """Resident bytes."""
        pages = int(Path(f"/proc/{self.process.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


def connect(address: str) -> socket.socket:
    """A connection to an address as the relay prints it."""
    if address.startswith("unix:"):
        plug = socket.socket(socket.AF_UNIX)
        try:
            plug.settimeout(30)
            plug.connect(address.removeprefix("unix:"))
        except OSError:
            plug.close()
            raise
        return plug
    host, _, port = address.rpartition(":")
    return socket.create_connection((host, int(port)), timeout=30)


@contextmanager
def connection(address: str) -> Iterator[http.client.HTTPConnection]:
    """A connection for any number of requests, one after the other."""
    opened = http.client.HTTPConnection("relay")
    opened.sock = connect(address)
    try:
        yield opened
    finally:
        opened.close()


def ask(
    address: str | http.client.HTTPConnection,
    method: str,
    target: str,
    body: bytes | None = None,
    headers: Mapping[str, str] = {},
) -> Reply:
    """The reply to one request, on a connection of its own unless one is given."""
    if isinstance(address, str):
        with connection(address) as opened:
            return ask(opened, method, target, body, headers)
    address.request(method, target, body, dict(headers))
    answer = address.getresponse()
    return Reply(answer.status, {k.lower(): v for k, v in answer.getheaders()}, answer.read())


def new_id() -> str:
    return secrets.token_hex(16)


def send(address: str | http.client.HTTPConnection, drop: bytes, id_: str) -> Reply:
    """Puts a drop part by part and commits it; the reply is that of the commit."""
    parts = [drop[at : at + PART] for at in range(0, len(drop), PART)]
    for n, part in enumerate(parts):
        reply = ask(address, "PUT", f"/drops/{id_}/{n}", part)
        if reply.status != 204:
            return reply
    return commit(address, id_, len(parts), len(drop))


def commit(address: str | http.client.HTTPConnection, id_: str, parts: int, size: int) -> Reply:
    return ask(address, "POST", f"/drops/{id_}", json.dumps({"parts": parts, "size": size}).encode())


class ForkedRelay(RelayProcess):
    """The same, forked from a process that loaded the relay before: for tests that start it very often."""

    def start(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["relay.__main__"])
        listen, say = context.Pipe(duplex=False)
        self.forked = context.Process(target=_run_forked, args=(self._settings, say))
        self.forked.start()
        say.close()
        with os.fdopen(os.dup(listen.fileno())) as said:
            addresses = json.loads(said.readline())
        listen.close()
        self.source, self.desk = addresses["source"], addresses["desk"]

    def stop(self, number: int = signal.SIGTERM) -> int:
        if self.forked.pid is not None and self.forked.exitcode is None:
            os.kill(self.forked.pid, number)
        self.forked.join(30)
        return self.forked.exitcode or 0


def _run_forked(settings: Path, say: Connection) -> None:
    from relay.__main__ import main

    os.dup2(say.fileno(), 1)
    sys.exit(main([str(settings)]))
