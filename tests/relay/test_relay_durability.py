"""Nothing is acknowledged before it is durable: the order of the relay's own system calls, as strace saw it.

A kill loses nothing that was written, durable or not, so only this and the power cuts test the flushes.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.relay_process import PART, RelayProcess, ask, commit, new_id
from support.small_edition import TERMS, some_drop

CALLS = "trace=write,writev,pwrite64,sendto,rename,syncfs,fsync,fdatasync"
EVENTS = {
    "data": re.compile(r"write(?:64|v)?\(.*= \d{4,}$"),
    "to sizes": re.compile(r"pwrite64\(\d+, .* = 4$"),
    "to drops": re.compile(r'rename\(".*", ".*/drops/.*= 0$'),
    "to gone": re.compile(r'rename\(".*", ".*/gone/.*= 0$'),
    "to board": re.compile(r'rename\(".*/board\.new", ".*/board".*= 0$'),
    "flush begins": re.compile(r"syncfs\("),
    "flush ends": re.compile(r"syncfs\(.*= 0$|syncfs resumed.*= 0$"),
    "answer": re.compile(r'sendto\(\d+, "HTTP/1\.1 '),
}


class Traced:
    """A relay and all that it has done since the last look."""

    def __init__(self, relay: RelayProcess, log: Path) -> None:
        self.relay = relay
        self._log = log
        self._read = 0

    def events(self) -> list[str]:
        """What happened, up to the answer that was just given."""
        while True:
            lines = self._log.read_text(errors="replace").splitlines()[self._read :]
            found = [name for line in lines for name, what in EVENTS.items() if what.search(line)]
            if "answer" in found:
                self._read += len(lines)
                return found


@pytest.fixture
def traced(edition: Path, tmp_path: Path) -> Iterator[Traced]:
    if shutil.which("strace") is None:
        pytest.fail("strace is missing: apt install strace")
    log = tmp_path / "calls"
    wrap = ["strace", "-D", "-f", "-qq", "-s", "80", "-e", CALLS, "-e", "signal=none", "-o", str(log)]
    with RelayProcess(edition, tmp_path / "data", wrap=wrap) as relay:
        yield Traced(relay, log)


FLUSH = ["flush begins", "flush ends"]


def test_each_answer_follows_its_flush(traced: Traced) -> None:
    relay, id_, drop = traced.relay, new_id(), some_drop(PART + 5000)
    ask(relay.source, "GET", "/")
    traced.events()

    for n in (0, 1, 0):  # and again, for what replaces a part must be as durable
        assert ask(relay.source, "PUT", f"/drops/{id_}/{n}", drop[n * PART : (n + 1) * PART]).status == 204
        events = traced.events()
        assert [event for event in events if event != "data"] == ["to sizes", *FLUSH, "answer"]
        assert events[0] == "data"

    assert commit(relay.source, id_, 2, len(drop)).status == 201
    assert traced.events() == ["to drops", *FLUSH, "to gone", "answer"]  # the list of its parts

    assert ask(relay.source, "PUT", f"/drops/{new_id()}/0?commit", some_drop()).status == 201
    assert traced.events() == ["data", *FLUSH, "to drops", *FLUSH, "answer"]

    assert ask(relay.desk, "POST", "/board", os.urandom(TERMS["board_post"] * 2048)).status == 204
    assert traced.events() == ["data", *FLUSH, "to board", *FLUSH, "answer"]

    assert ask(relay.desk, "DELETE", f"/drops/{id_}").status == 204
    assert traced.events() == ["to gone", *FLUSH, "answer"]


def test_a_disk_that_fails_ends_the_relay(edition: Path, tmp_path: Path) -> None:
    """After one failed flush no later one can be believed: nothing more is acknowledged, the relay ends."""
    # The board's first two flushes and the first drop's succeed.
    failure = ["-e", "trace=syncfs", "-e", "inject=syncfs:error=EIO:when=5+"]
    failing = ["strace", "-D", "-f", "-qq", *failure, "-o", str(tmp_path / "calls")]
    with RelayProcess(edition, tmp_path / "data", wrap=failing) as relay:
        id_, lost = new_id(), new_id()
        assert ask(relay.source, "PUT", f"/drops/{id_}/0?commit", some_drop()).status == 201
        assert ask(relay.source, "PUT", f"/drops/{lost}/0?commit", some_drop()).status == 500
        assert relay.process.wait(30) == 1
        relay.stop()
        assert "relay: error: the disk did not keep what was written" in relay.errors
        assert lost not in relay.errors
    with RelayProcess(edition, tmp_path / "data") as relay:
        assert [drop["id"] for drop in ask(relay.desk, "GET", "/drops").said["drops"]] == [id_]
