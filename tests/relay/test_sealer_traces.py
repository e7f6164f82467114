"""What the sealer leaves behind: nothing on a disk, nothing in what it prints, no more memory than before."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.held import held
from support.lane import Lane
from support.relay_process import RelayProcess, ask, connect
from support.sealer_process import SealerProcess, Visitor, encode

CANARY = f"canary{secrets.token_hex(12)}"
ANSWERS = {"evidence": f"{CANARY} e"}
MIB = 1 << 20
LARGE = 96 * MIB
# What opens or makes anything on a file system.
CALLS = "trace=open,openat,openat2,creat,mkdir,mkdirat,rename,renameat,renameat2,link,linkat,symlink,truncate"


def journey(sealer: SealerProcess) -> list[str]:
    """Goes the whole way with a canary in every field; the words it was given."""
    visitor = Visitor(sealer.address)
    words = visitor.begin()
    files = [(f"{CANARY}.txt", CANARY.encode() * 9), ("large", CANARY.encode() * (3 * MIB // len(CANARY)))]
    visitor.send(CANARY, files, to=[], answers={"evidence": CANARY})
    assert visitor.send(CANARY, files, answers=ANSWERS).status == 200
    visitor.type_back(CANARY)
    visitor.read(CANARY)
    visitor.read(words)
    assert visitor.send(f"{CANARY} again", files).status == 200
    visitor.post(CANARY, [(CANARY, CANARY)])
    ask(sealer.address, "GET", f"/en/{CANARY}")
    ask(
        sealer.address,
        "POST",
        "/en/send",
        CANARY.encode(),
        {"Content-Type": f"multipart/form-data; boundary={CANARY}"},
    )
    ask(
        sealer.address,
        "POST",
        "/en/send",
        f"--X\r\n{CANARY}\r\n\r\n".encode(),
        {"Content-Type": "multipart/form-data; boundary=X"},
    )
    with connect(sealer.address) as plug:
        plug.sendall(f"{CANARY} / HTTP/1.1\r\n\x00{CANARY}: {CANARY}\r\n\r\n".encode())
        plug.recv(1000)
    return words.split()


def test_it_opens_nothing_for_writing(lane: Lane, tmp_path: Path) -> None:
    """And could not: no byte may go into any file, and every path it opens is opened for reading."""
    if shutil.which("strace") is None:
        pytest.fail("strace is missing: apt install strace")
    log = tmp_path / "calls"
    strace = ["strace", "-D", "-f", "-qq", "-e", CALLS, "-e", "signal=none", "-o", str(log)]
    wrap = [*strace, "prlimit", "--fsize=0", "--core=0", "--"]
    house = lane.house
    with SealerProcess(house.edition, house.relay.source, tmp_path / "s.yaml", wrap=wrap) as sealer:
        journey(sealer)
    assert (sealer.process.returncode, sealer.said, sealer.errors) == (0, "", "")
    calls = log.read_text().splitlines()
    assert any("manifest.json" in call for call in calls)
    written = [
        call for call in calls if not re.search(r"open(at)?\(.*O_RDONLY", call) and "/dev/null" not in call
    ]
    assert [call for call in written if not re.search(r"\+\+\+|resumed|= -1 ", call)] == []


def test_nothing_of_a_visit_is_kept_or_said(tmp_path: Path, lane: Lane) -> None:
    edition = lane.house.edition
    with RelayProcess(edition, tmp_path / "data") as relay:
        with SealerProcess(edition, relay.source, tmp_path / "sealer.yaml") as sealer:
            words = journey(sealer)
        kept = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert any(b"age-encryption.org" in data for data in kept.values())
    secret = [CANARY.encode(), " ".join(words).encode(), " ".join(words[:4]).encode()]
    for path, data in kept.items():
        assert not any(one in data for one in secret), path
    assert (sealer.said, sealer.errors, relay.errors) == ("", "", "")


def test_a_relay_that_talks_nonsense_is_not_repeated(lane: Lane, tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def babble() -> None:
            while True:
                try:
                    plug, _ = server.accept()
                except OSError:
                    return
                with plug:
                    plug.recv(1 << 16)
                    plug.sendall(f"HTTP/1.1 {CANARY}\r\n\r\n".encode())

        thread = threading.Thread(target=babble, daemon=True)
        thread.start()
        address = f"127.0.0.1:{server.getsockname()[1]}"
        with SealerProcess(lane.house.edition, address, tmp_path / "s.yaml") as sealer:
            visitor = Visitor(sealer.address)
            words = visitor.begin()
            reply = visitor.send(CANARY, answers=ANSWERS)
        server.shutdown(socket.SHUT_RDWR)
        thread.join()
    assert (reply.status, CANARY in reply.body.decode()) == (400, True)
    assert "It may have arrived all the same" in visitor.text
    assert not any(secret in sealer.said + sealer.errors for secret in (CANARY, words))


def test_a_large_file_takes_no_more_memory_than_a_small_one(lane: Lane, tmp_path: Path) -> None:
    house = lane.house
    before = set(house.drops())
    with SealerProcess(house.edition, house.relay.source, tmp_path / "s.yaml") as sealer:
        visitor = Visitor(sealer.address)
        visitor.begin()
        visitor.send("small", [("a", bytes(8 * MIB))], answers=ANSWERS)
        visitor.begin()
        settled = sealer.memory()
        most = upload(visitor, LARGE, sealer)
    assert most - settled < 28 * MIB
    assert len(set(house.drops()) - before) == 2


def test_a_message_that_comes_byte_by_byte_takes_little_memory(lane: Lane) -> None:
    house, visitor = lane.house, lane.visitor()
    visitor.begin()
    fields = [("codename", visitor.hidden("codename")), ("to", "ada"), ("q-evidence", "e")]
    body, kind = encode([*fields, ("message", "@" * 3000)])
    begin = body.index(b"@")
    found = held(house.edition, house.relay.source, "send", kind, body, begin, begin + 3000)
    assert found.answer.startswith(b"HTTP/1.1 200 ")
    assert found.size < 300_000


def upload(visitor: Visitor, size: int, sealer: SealerProcess) -> int:
    """Sends one file of so many bytes; the most memory the sealer had meanwhile."""
    fields = [("codename", visitor.hidden("codename")), ("to", "ada"), ("message", "m"), ("q-evidence", "e")]
    body, kind = encode(fields, [("large", b"@")])
    start, end = body.split(b"@")
    piece = os.urandom(MIB)
    most = 0
    with connect(visitor.address) as plug:
        length = len(start) + size + len(end)
        head = (
            f"POST /en/send HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\r\n"
        )
        plug.sendall(head.encode() + start)
        for _ in range(size // MIB):
            plug.sendall(piece)
            most = max(most, sealer.memory())
        plug.sendall(end)
        assert plug.recv(12) == b"HTTP/1.1 200"
        return max(most, sealer.memory())


@pytest.mark.parametrize(
    "path", ["/", "/en/send.html", "/en/answers.html", "/nl/index.html", "/en/nowhere", "/styles/page.css"]
)
def test_no_answer_says_when_or_who(lane: Lane, path: str) -> None:
    reply = ask(lane.sealer.address, "GET", path)
    assert reply.status == 200
    assert not {"date", "server", "set-cookie", "etag", "last-modified"} & reply.headers.keys()
    assert reply.headers["referrer-policy"] == "no-referrer"
    assert reply.headers["cache-control"] == "no-store"
    policy = dict(part.split(" ", 1) for part in reply.headers["content-security-policy"].split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["style-src"] == "'self'"
    assert policy["form-action"] in ("'self'", "'none'")
    assert policy.get("script-src", "'none'") == "'none'"


def test_words_are_never_asked_for_in_an_address(lane: Lane) -> None:
    visitor = lane.visitor()
    words = visitor.begin()
    for page in ("start", "words", "confirm", "write", "answers", "thread"):
        made = lane.house.edition / f"en/sealer/{page}.html"
        assert re.findall(r"<form(?! method=\"post\")", " ".join(made.read_text().split())) == []
        assert "<script" not in made.read_text()
    reply = ask(
        lane.sealer.address,
        "GET",
        f"/en/write?typed={words.replace(' ', '+')}&codename={visitor.hidden('codename')}",
    )
    assert "Show me twelve words" in reply.body.decode()


def test_the_pages_to_fill_are_not_served_as_they_are(lane: Lane) -> None:
    for page in ("write.html", "messages.json"):
        assert b"<!--" not in ask(lane.sealer.address, "GET", f"/en/sealer/{page}").body
    assert b"<!DOCTYPE html>" in ask(lane.sealer.address, "GET", "/scripts/send.js").body


def test_a_word_of_help_names_every_setting() -> None:
    said = subprocess.run(
        [sys.executable, "-m", "relay.sealer", "--help"], capture_output=True, text=True, check=True
    )
    for setting in ("edition", "listen", "relay", "circuits", "uploads", "connections", "idle_seconds"):
        assert f"\n  {setting} " in said.stdout
