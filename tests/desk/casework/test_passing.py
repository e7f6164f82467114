"""A case with large files on its way to another partner, over connections that break."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.cutting_proxy import CuttingProxy
from support.newsdesk import Newsdesk, Source, joined
from support.relay_process import ask
from support.wires import Script, http

from keys.desk.client import Client
from keys.errors import KnotholeError
from keys.options import Partner

PARTNERS = (
    Partner(name="harbour", title="The Harbour Post", recipients=("ada",)),
    Partner(name="valley", title="Valley Radio", recipients=("cyn",)),
)
LARGE = bytes(range(256)) * (18 << 10)  # 4.5 MiB


@pytest.fixture
def alliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    with joined(tmp_path_factory.mktemp("alliance"), ("ada", "cyn"), partners=PARTNERS) as newsdesk:
        yield newsdesk


def sizes(house: Newsdesk) -> list[int]:
    return [
        one["size"] for one in ask(house.relay.desk, "GET", "/drops").said["drops"] if one["size"] > 1 << 20
    ]


def test_a_large_drop_gets_there_in_pieces_and_once(alliance: Newsdesk) -> None:
    drop = Source(alliance, to=("ada",)).send("hello", {"big.bin": LARGE})
    alliance.desk("ada", "fetch")
    assert alliance.desk("ada", "case", drop, "widen", "valley").status == 0
    host, _, port = alliance.relay.desk.rpartition(":")
    outgoing = alliance.home("ada") / "outgoing"
    with CuttingProxy((host, int(port)), cuts=[2 << 20, 900 << 10, 900 << 10, 100 << 10]) as proxy:
        alliance.join("ada", relay=proxy.url)
        failed = 0
        while alliance.desk("ada", "fetch").status:
            failed += 1
            assert failed < 10
            (waits,) = outgoing.iterdir()
            assert b"big.bin" not in waits.read_bytes(), "sealed, also while it waits"
        assert failed
        assert proxy.made == 4
        assert proxy.forwarded < 2 * len(LARGE), "it went on where it was"
    assert list(outgoing.iterdir()) == []
    one, other = sizes(alliance)
    assert one == other
    alliance.join("ada")
    assert alliance.desk("ada", "fetch").status == 0
    assert len(sizes(alliance)) == 2, "and not again"
    alliance.desk("cyn", "fetch")
    (entry,) = [row for row in alliance.desk("cyn", "list", "--json").json if row["kind"] == "drop"]
    shown = alliance.desk("cyn", "show", entry["id"], "--json").json
    assert shown["files"] == alliance.desk("ada", "show", drop, "--json").json["files"]


def test_a_relay_that_forgets_is_sent_it_again(alliance: Newsdesk) -> None:
    drop = Source(alliance, to=("ada",)).send("hello", {"big.bin": LARGE})
    alliance.desk("ada", "fetch")
    alliance.desk("ada", "case", drop, "widen", "cyn")
    host, _, port = alliance.relay.desk.rpartition(":")
    with CuttingProxy((host, int(port)), cuts=[3 << 20, 10, 10]) as proxy:
        alliance.join("ada", relay=proxy.url)
        while not list((alliance.home("ada") / "outgoing").glob("*")):
            alliance.desk("ada", "fetch")
    # What the relay had of it is another drop's now.
    for path in (alliance.home("ada") / "outgoing").iterdir():
        path.unlink()
    alliance.join("ada")
    assert alliance.desk("ada", "fetch").status == 0
    assert len(sizes(alliance)) == 2


ANSWERS = {
    "all is missing, always": http(json.dumps({"error": "x", "missing": [0]}).encode(), "409 Conflict"),
    "nothing is missing": http(json.dumps({"error": "x", "missing": []}).encode(), "409 Conflict"),
    "a part far away": http(json.dumps({"error": "x", "missing": [10**30]}).encode(), "409 Conflict"),
    "parts that are none": http(json.dumps({"error": "x", "missing": "0"}).encode(), "409 Conflict"),
    "truth for a number": http(json.dumps({"error": "x", "missing": [True]}).encode(), "409 Conflict"),
    "not JSON": http(b"<html>", "409 Conflict"),
    "never heard of": http(b'{"error": "x"}', "404 Not Found"),
}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
def test_a_relay_that_never_has_enough_is_left(answer: bytes, tmp_path: Path) -> None:
    path = tmp_path / "sealed"
    path.write_bytes(bytes((1 << 20) + 1))
    puts = 1 if b"[0]" in answer else 2
    with Script(*[answer, *[http(b"", "204 No Content")] * puts] * 10) as script:
        client = Client(script.url)
        with pytest.raises(KnotholeError):
            client.upload("0" * 32, path, lambda _: None)
        client.close()
    assert len(script.asked) < 12
