"""A desk's watcher at the source onion, over a real Tor network: at an honest box, and at one that lies."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.front import Forward, Front, changed
from support.house import PASSPHRASE
from support.newsdesk import Result, run
from support.onions import Onions, socks_port
from support.wires import Message

pytestmark = pytest.mark.onion


@pytest.fixture
def front(onions: Onions) -> Iterator[Front]:
    """What stands between the box's tor and its relay."""
    socket = Path(onions.relay.source.removeprefix("unix:"))
    relay = socket.with_name("behind.sock")
    socket.rename(relay)
    try:
        with Front(f"unix:{relay}", at=socket) as one:
            yield one
    finally:
        socket.unlink()
        relay.rename(socket)


@pytest.fixture
def home(onions: Onions, tmp_path: Path) -> Path:
    """ada's desk, whose watcher goes where the newsroom says the page is."""
    house = onions.house
    keys = ("--masthead", house.folder / "masthead.pub", "--identity", house.folder / "ada.key")
    where = ("--relay", f"http://{onions.desk_onion}", "--socks", socks_port(onions.ada))
    home = tmp_path / "home"
    joined = run("--home", home, "join", house.edition, *keys, *where, passphrase=PASSPHRASE)
    assert joined.status == 0, joined.err
    return home


def desk(home: Path, *words: str) -> Result:
    return run("--home", home, *words, "--json", passphrase=PASSPHRASE)


def test_a_canary_goes_through_both_onions_and_back(front: Front, home: Path) -> None:
    done = desk(home, "watch")
    assert (done.status, done.err) == (0, "")
    assert done.json["canary"] == "sent"
    assert done.json["compared"] >= 7, "more in the other language, or with a large canary"
    assert len({one.circuit for one in front.passed}) == 1
    done = desk(home, "fetch")
    assert done.status == 0, done.err
    if done.json["watch"]["canary"] != "answered":  # its answer may have been posted after the look
        done = desk(home, "watch")
        assert (done.status, done.json["canary"]) == (0, "answered"), done.err
        assert len({one.circuit for one in front.passed}) == 3, "a circuit for each visit"
    assert not (home / "evidence").exists()


def test_a_page_that_is_altered_at_the_onion_is_reported(front: Front, home: Path) -> None:
    def bend(request: Message, forward: Forward) -> Message:
        answer = forward()
        if not request.head.startswith("GET /scripts/"):
            return answer
        return changed(answer, body=answer.body + b"\nfetch('/spy')")

    front.bend = bend
    done = desk(home, "watch")
    assert done.status == 1
    (found,) = done.json["findings"]
    assert found["says"] == "/scripts/send.js is not what the newsroom signed"
    assert (Path(found["evidence"]) / "manifest.json.minisig").exists()
