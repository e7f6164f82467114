"""What happens when there is too much: connections, waiting, bytes."""

from __future__ import annotations

import os
import socket
import subprocess
from contextlib import ExitStack
from pathlib import Path

import pytest
from support.relay_process import PART, RelayProcess, ask, commit, connect, connection, new_id, send
from support.small_edition import TERMS, some_drop, write_edition

BOARD_POST = TERMS["board_post"] * 2048


def status(plugged: socket.socket) -> bytes:
    return plugged.recv(1000).partition(b"\r\n")[0]


def put(size: int) -> bytes:
    return f"PUT /drops/{new_id()}/0 HTTP/1.1\r\nHost: h\r\nContent-Length: {size}\r\n\r\n".encode()


def test_connections_are_limited_for_each_socket(edition: Path, tmp_path: Path) -> None:
    with RelayProcess(edition, tmp_path / "data", connections=5) as relay:
        with ExitStack() as stack:
            for _ in range(5):
                kept = stack.enter_context(connection(relay.source))
                assert ask(kept, "GET", "/").status == 200
            with connect(relay.source) as sixth:
                assert status(sixth) == b"HTTP/1.1 503 Service Unavailable"
            assert ask(kept, "GET", "/").status == 200
            assert ask(relay.desk, "GET", "/drops").status == 200  # a crowd of sources keeps no desk out
        while ask(relay.source, "GET", "/").status == 503:
            pass  # until the relay has seen that they left
        assert ask(relay.source, "GET", "/").status == 200


def test_who_is_silent_is_cut_and_who_is_slow_is_not(edition: Path, tmp_path: Path) -> None:
    with RelayProcess(edition, tmp_path / "data", idle_seconds=2) as relay, ExitStack() as stack:
        mute, half_head, half_body, slow = (stack.enter_context(connect(relay.source)) for _ in range(4))
        half_head.sendall(b"GET / HT")
        half_body.sendall(put(1000) + b"x" * 10)
        drop = some_drop()
        slow.sendall(put(len(drop)))
        slow.settimeout(0.2)
        for at in range(0, 2000, 100):  # twice as long as the relay waits for the silent
            slow.sendall(drop[at : at + 100])
            with pytest.raises(TimeoutError):
                slow.recv(1)
        slow.sendall(drop[2000:])
        slow.settimeout(30)
        assert status(slow) == b"HTTP/1.1 204 No Content"
        assert status(half_body) == b"HTTP/1.1 408 Request Timeout"
        assert mute.recv(1) == half_head.recv(1) == b""


def test_a_reader_who_stops_reading_makes_the_relay_hold_little(relay: RelayProcess) -> None:
    def ask_on_and_on(greedy: socket.socket) -> None:
        for _ in range(500):
            greedy.sendall(b"GET /en/send.html HTTP/1.1\r\nHost: h\r\n\r\n" * 1000)

    before = relay.memory()
    with connect(relay.source) as greedy:
        greedy.settimeout(1)
        with pytest.raises(TimeoutError):
            ask_on_and_on(greedy)
        assert relay.memory() - before < 4 << 20
        assert ask(relay.source, "GET", "/").status == 200


def test_a_part_that_does_not_fit_the_reserve(edition: Path, tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    most = disk.f_blocks * disk.f_frsize
    with RelayProcess(edition, tmp_path / "data", reserve_bytes=most) as relay:
        for target in ("0", "0?commit"):
            reply = ask(relay.source, "PUT", f"/drops/{new_id()}/{target}", some_drop())
            assert (reply.status, reply.said) == (507, {"error": "the disk is full; nothing was stored"})
        assert ask(relay.desk, "POST", "/board", bytes(BOARD_POST)).status == 204
        assert ask(relay.desk, "GET", "/status").said["unfinished"] == 0


def test_a_disk_that_refuses(edition: Path, tmp_path: Path) -> None:
    """The file system itself says no in the middle of a part, which then leaves nothing behind."""
    limit = ["prlimit", f"--fsize={PART // 2}"]
    with RelayProcess(edition, tmp_path / "data", wrap=limit) as relay:
        id_, drop = new_id(), some_drop(20_000)
        assert ask(relay.source, "PUT", f"/drops/{id_}/0?commit", drop).status == 201
        with connection(relay.source) as kept:
            for target in (f"/drops/{new_id()}/0", f"/drops/{new_id()}/0?commit"):
                assert ask(kept, "PUT", target, some_drop(PART)).status == 507
            assert ask(kept, "PUT", f"/drops/{new_id()}/0?commit", drop).status == 201
        assert list((tmp_path / "data" / "tmp").iterdir()) == []
        assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop


@pytest.fixture
def small_disk(tmp_path: Path) -> list[str]:
    """A command that runs another with a disk of 8 MiB of its own at `tmp_path/data`."""
    (tmp_path / "data").mkdir()
    private = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--mount", "--map-root-user"]
    mounting = f'mount -t tmpfs -o size=8m small "{tmp_path}/data" && exec "$@"'
    command = [*private, "sh", "-c", mounting, "sh"]
    if subprocess.run([*command, "true"], check=False, capture_output=True).returncode != 0:
        pytest.skip("this machine lets only root mount a disk; the limits above run for everyone")
    return command


def test_a_disk_that_fills(edition: Path, tmp_path: Path, small_disk: list[str]) -> None:
    """Down to the reserve all is stored, and then nothing; but the board lives, and deleting helps."""
    with RelayProcess(edition, tmp_path / "data", wrap=small_disk, reserve_bytes=PART) as relay:
        stored: dict[str, bytes] = {}
        while (reply := send(relay.source, drop := some_drop(PART), id_ := new_id())).status == 201:
            stored[id_] = drop
        assert reply.status == 507
        assert 4 <= len(stored) <= 7
        assert ask(relay.desk, "GET", "/status").said["free_bytes"] >= PART
        assert ask(relay.desk, "POST", "/board", bytes(BOARD_POST)).status == 204
        for id_, drop in stored.items():
            assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop
        assert ask(relay.desk, "DELETE", f"/drops/{id_}").status == 204
        assert send(relay.source, some_drop(PART), new_id()).status == 201


def test_a_crowd_of_beginnings(edition: Path, tmp_path: Path) -> None:
    """Drops that are begun and never finished keep neither short drops nor the board from going on."""
    with RelayProcess(edition, tmp_path / "data", unfinished_drops=3) as relay:
        begun = [new_id() for _ in range(3)]
        for id_ in begun:
            assert ask(relay.source, "PUT", f"/drops/{id_}/0", some_drop()).status == 204
        assert ask(relay.source, "PUT", f"/drops/{new_id()}/0", some_drop()).status == 503
        assert ask(relay.source, "PUT", f"/drops/{new_id()}/0?commit", some_drop()).status == 201
        assert ask(relay.desk, "POST", "/board", bytes(BOARD_POST)).status == 204
        assert commit(relay.source, begun[0], 1, 20_000).status == 201
        assert ask(relay.source, "PUT", f"/drops/{new_id()}/0", some_drop()).status == 204


def test_an_upload_needs_no_memory(tmp_path: Path) -> None:
    edition = write_edition(tmp_path / "edition", drop_bytes=1 << 30)
    with RelayProcess(edition, tmp_path / "data") as relay:
        drop = some_drop(64 * PART)
        assert send(relay.source, drop, new_id()).status == 201
        before = relay.memory()
        assert send(relay.source, drop, new_id()).status == 201
        assert relay.memory() - before < 4 << 20
