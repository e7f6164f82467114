"""One sync looks like another (FORMAT.md section 5), and survives a bad line and a hostile relay."""

import io
import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.cutting_proxy import CuttingProxy
from support.newsdesk import PASSPHRASE, Newsdesk, Source, put, run
from support.relay_process import RelayProcess, ask
from support.wires import Message, Recorder, Script, http

from keys import line
from keys.age import read_header


def shape(seen: list[tuple[Message, Message]]) -> list[tuple[str, int, str, int]]:
    """What someone sees who watches the line or runs the relay: everything but ids, cursors and sealed
    bytes."""

    def masked(head: str) -> str:
        return re.sub(r"[0-9a-f]{32}|after=\S+|127\.0\.0\.1:\d+", "-", head)

    return [
        (masked(request.head), len(request.body), masked(answer.head), len(answer.body))
        for request, answer in seen
    ]


def record(house: Newsdesk, *arguments: str, text: str = "") -> list[tuple[Message, Message]]:
    with Recorder(house.relay.desk) as recorder:
        assert house.join("ada", relay=recorder.url).status == 0
        assert house.desk("ada", *arguments, text=text).status == 0
    return recorder.seen


def test_a_sync_with_a_reply_looks_like_one_without(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    house.desk("ada", "fetch")
    silent = record(house, "fetch")
    short = record(house, "reply", drop, text="x")
    longest = record(house, "reply", drop, text="é" * (line.LONGEST // 2))
    silent_again = record(house, "fetch")
    assert shape(silent) == shape(short) == shape(longest) == shape(silent_again)
    assert [request.head.split(" ")[0] for request, _ in silent] == ["GET", "GET", "GET", "POST", "PUT"]
    assert len(silent[3][0].body) == house.newsroom.board.post * line.LINE
    assert len(source.look()) == 2


def test_a_sync_with_casework_looks_like_one_without(house: Newsdesk) -> None:
    drop = Source(house).send("hello")
    house.desk("ada", "fetch")
    silent = record(house, "fetch")
    house.desk("ada", "show", drop)
    read = record(house, "fetch")
    for text in ("x", '"' * 4000, "é" * 1000):
        assert house.desk("ada", "case", drop, "note", text=text).status == 0
    told = [record(house, "fetch") for _ in range(3)]
    house.desk("ada", "case", drop, "state", "checking")
    with_a_reply = record(house, "reply", drop, text="é" * (line.LONGEST // 2))
    assert all(shape(one) == shape(silent) for one in (read, *told, with_a_reply))
    house.desk("bea", "fetch")
    assert len(house.desk("bea", "case", drop, "--json").json["history"]) == 4


def test_replies_and_covers_are_sealed_alike(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop, text="hello")
    notes = [one for one in ask(house.relay.desk, "GET", "/drops").said["drops"] if one["id"] != drop]
    heads = []
    for note in notes:
        body = ask(house.relay.desk, "GET", f"/drops/{note['id']}").body
        stanzas = read_header(io.BytesIO(body)).stanzas
        heads.append(
            [(stanza.type, len(stanza.args[0]), len(stanza.body)) for stanza in stanzas] + [len(body)]
        )
    assert len(heads) == 2
    assert heads[0] == heads[1]


def test_a_cut_download_goes_on_where_it_was(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello", {"big.bin": bytes(3 << 20)})
    whole = ask(house.relay.desk, "GET", f"/drops/{drop}").body
    listing = ask(house.relay.desk, "GET", "/drops").body
    with Script(http(listing), http(whole[:1_500_000], length=len(whole))) as script:
        house.join("ada", relay=script.url)
        cut = house.desk("ada", "fetch")
    assert (cut.status, cut.out) == (1, "")
    assert cut.err == (
        "desk: error: the relay does not answer: the connection ended in the middle of a drop\n"
        "desk: hint: fetch again: it goes on from there\n"
    )
    seen = record(house, "fetch")
    asked = next(request.head for request, _ in seen if f"/drops/{drop}" in request.head)
    assert "Range: bytes=1500000-\r\n" in asked
    assert house.desk("ada", "show", drop, "--json").json["files"][0]["size"] == 3 << 20


def test_a_download_that_goes_on_from_bad_bytes_begins_again(house: Newsdesk) -> None:
    """Such as a power cut leaves behind: the relay never sent them."""
    drop = Source(house).send("hello")
    whole = ask(house.relay.desk, "GET", f"/drops/{drop}").body
    part = house.home("ada") / "drops" / f"{drop}.part"
    part.write_bytes(whole[:5000] + bytes(5000))
    seen = record(house, "fetch")
    asked = [request.head for request, _ in seen if f"/drops/{drop}" in request.head]
    assert ["Range: " in head for head in asked] == [True, False]
    assert house.desk("ada", "show", drop, "--json").json["message"] == "hello"


def test_a_drop_that_is_broken_is_fetched_again_once(house: Newsdesk) -> None:
    drop = put(house.relay, Source(house).sealed("hello")[:-1])
    part = house.home("ada") / "drops" / f"{drop}.part"
    part.write_bytes(b"something else")
    seen = record(house, "fetch")
    assert sum(f"/drops/{drop}" in request.head for request, _ in seen) == 2
    (listed,) = house.desk("ada", "list", "--json").json
    assert listed["problem"].startswith("this is not a whole and unaltered age file")


def test_a_drop_is_on_the_disk_before_it_has_its_name(house: Newsdesk, tmp_path: Path) -> None:
    """The desk's own system calls, as strace saw them: a kill loses nothing that was written."""
    if shutil.which("strace") is None:
        pytest.fail("strace is missing: apt install strace")
    drop = Source(house).send("hello")
    log = tmp_path / "calls"
    trace = ["strace", "-f", "-qq", "-y", "-e", "trace=fsync,rename", "-e", "signal=none", "-o", str(log)]
    command = ["-m", "keys.desk", "--home", str(house.home("ada")), "fetch", "--passphrase-fd", "0"]
    subprocess.run([*trace, sys.executable, *command], input=PASSPHRASE, check=True, capture_output=True)
    events = {
        "drop": rf"fsync\(\d+<.*/{drop}\.part>.*= 0$",
        "name": rf'rename\(".*/{drop}\.part", .*= 0$',
        "folder": r"fsync\(\d+<.*/drops>.*= 0$",
        "state": r'rename\(.*/state\.age".*= 0$',
    }
    lines = log.read_text().splitlines()
    found = [name for line in lines for name, what in events.items() if re.search(what, line)]
    assert found[:4] == ["drop", "name", "folder", "state"]


def test_a_relay_that_ignores_the_range_is_understood(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello", {"big.bin": bytes(1 << 20)})
    whole = ask(house.relay.desk, "GET", f"/drops/{drop}").body
    part = house.home("ada") / "drops" / f"{drop}.part"
    part.write_bytes(b"something else")
    listing = ask(house.relay.desk, "GET", "/drops").body
    with Script(http(listing), http(whole)) as script:
        house.join("ada", relay=script.url)
        house.desk("ada", "fetch")
    assert "Range: bytes=14-" in script.asked[1].head
    assert house.desk("ada", "show", drop).status == 0


def test_connections_cut_now_and_then_lose_nothing(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    host, _, port = house.relay.desk.rpartition(":")
    with CuttingProxy((host, int(port)), cuts=[200, 9000]) as proxy:
        house.join("ada", relay=proxy.url)
        statuses = {house.desk("ada", "fetch").status for _ in range(3)}
        assert 0 in statuses
        statuses = {house.desk("ada", "reply", drop, text="hello").status}
    house.join("ada")
    house.desk("ada", "fetch")
    assert {reply.text for reply in source.look()} == {"hello"}


ID = "a" * 32


def listing(**changes: object) -> bytes:
    page = {"drops": [{"id": ID, "size": 20_000, "day": "2026-01-01"}], "cursor": "c", "more": False}
    return http(json.dumps(page | changes).encode())


def one(**changes: object) -> bytes:
    return listing(drops=[{"id": ID, "size": 20_000, "day": "2026-01-01"} | changes])


EMPTY = listing(drops=[])
HOSTILE = {
    "silence": [],
    "not HTTP": [b"junk\r\n\r\n"],
    "endless header": [b"HTTP/1.1 200 OK\r\nA: " + b"a" * 100_000],
    "not JSON": [http(b"hello")],
    "deep JSON": [http(b"[" * 100_000)],
    "a list": [http(b"[]")],
    "an answer without end": [http(b"x" * (2 << 20))],
    "an answer cut short": [http(b"{}", length=100)],
    "no drops": [listing(drops=None)],
    "no cursor": [listing(cursor=1)],
    "a long cursor": [listing(cursor="c" * 1000)],
    "more of nothing": [listing(drops=[], more=True)],
    "a path for an id": [one(id="../../../etc/passwd")],
    "a short id": [one(id="aa")],
    "no size": [one(size=0)],
    "size as text": [one(size="1")],
    "size as truth": [one(size=True)],
    "no such day": [one(day="2026-02-31")],
    "a day that is none": [one(day="\x1b[2J")],
    "a drop that is too short": [one(), http(b"x" * 10)],
    "a drop that is too long": [one(), http(b"x" * 20_001)],
    "a board that is too short": [EMPTY, http(b"x" * 2048)],
    "a board that is too long": [EMPTY, http(b"x" * (65 * 2048))],
    "a refusal": [http(b'{"error": "it is \\u001b[31mfull\\ndesk: hint: x"}', "507 Insufficient Storage")],
    "a refusal without a reason": [http(b"<html>", "500 Internal Server Error")],
    "a redirect": [http(b"", "302 Found", more=["Location: http://example.org/"])],
}


@pytest.mark.parametrize("answers", HOSTILE.values(), ids=HOSTILE)
def test_a_relay_that_makes_no_sense_gets_one_clear_error(quiet: Newsdesk, answers: list[bytes]) -> None:
    with Script(*answers) as script:
        quiet.join("ada", relay=script.url)
        done = quiet.desk("ada", "fetch")
    assert (done.status, done.out) == (1, "")
    assert re.match(r"desk: error: the relay (refused|does not answer)(: [^\n]*)?\n", done.err)
    assert "Traceback" not in done.err
    assert "\x1b" not in done.err
    assert "\ndesk: hint: x" not in done.err
    assert [path.name for path in (quiet.home("ada") / "drops").iterdir() if path.suffix != ".part"] == []


def test_a_listing_that_never_ends_is_left(quiet: Newsdesk) -> None:
    endless = [
        listing(drops=[{"id": "b" * 32, "size": 9 << 20, "day": "2026-01-01"}], more=True) for _ in range(9)
    ]
    with Script(*endless) as script:
        quiet.join("ada", relay=script.url)
        quiet.desk("ada", "fetch")
    assert [request.head.split()[1] for request in script.asked[:3]] == ["/drops", "/drops?after=c", "/board"]


@pytest.mark.parametrize(
    "relay", ["http:", "example.org", "https://x.onion", "http://", "http://h:99999", "unix:x", "http://h/p"]
)
def test_addresses_that_are_none(quiet: Newsdesk, relay: str) -> None:
    done = quiet.join("ada", relay=relay)
    assert done.status == 1
    assert "a relay's address is http://HOST:PORT or unix:/PATH" in done.err


def test_two_desks_do_not_share_a_home_at_once(quiet: Newsdesk) -> None:
    seen: list[subprocess.CompletedProcess[str]] = []

    def while_it_waits(_: Message) -> bytes:
        command = [
            sys.executable,
            "-m",
            "keys.desk",
            "--home",
            quiet.home("ada"),
            "list",
            "--passphrase-fd",
            "0",
        ]
        seen.append(subprocess.run(command, input="x\n", capture_output=True, text=True, check=False))
        return http(b"")

    with Script(while_it_waits) as script:
        quiet.join("ada", relay=script.url)
        quiet.desk("ada", "fetch")
    assert (seen[0].returncode, seen[0].stdout, seen[0].stderr) == (
        1,
        "",
        "desk: error: another desk is at work in this home\ndesk: hint: wait until it has ended\n",
    )


def test_a_relay_at_a_unix_socket(house: Newsdesk) -> None:
    house.stop()
    folder = house.folder
    house.relay = RelayProcess(
        house.edition, folder / "data", source=f"unix:{folder}/s.sock", desk=f"unix:{folder}/d.sock"
    )
    assert house.join("ada", relay=house.relay.desk).status == 0
    assert house.desk("ada", "fetch").out == "0 new drops, 0 notes\n"
    checked = run("--home", house.home("ada"), "verify-edition", house.relay.source, passphrase=None)
    assert checked.status == 0
