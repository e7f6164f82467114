"""A desk's watcher at the source onion, over a real Tor network: at an honest box, and at one that lies."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.front import Forward, Front, changed
from support.newsdesk import Result
from support.onions import Onions
from support.wires import Message

pytestmark = pytest.mark.onion


@pytest.fixture
def front(empty: None, onions: Onions) -> Iterator[Front]:
    with onions.front("source") as one:
        yield one


@pytest.fixture
def desk(onions: Onions, tmp_path: Path) -> Callable[[str], Result]:
    """ada's desk, whose watcher goes where the newsroom says the page is."""
    return lambda word: onions.desk("ada", word, "--json", home=tmp_path / "home")


def test_a_canary_goes_through_both_onions_and_back(
    front: Front, desk: Callable[[str], Result], tmp_path: Path
) -> None:
    done = desk("watch")
    assert (done.status, done.err) == (0, "")
    assert done.json["canary"] == "sent"
    assert done.json["compared"] >= 7, "more in the other language, or with a large canary"
    assert len({one.circuit for one in front.passed}) == 1
    done = desk("fetch")
    assert done.status == 0, done.err
    if done.json["watch"]["canary"] != "answered":  # its answer may have been posted after the look
        done = desk("watch")
        assert (done.status, done.json["canary"]) == (0, "answered"), done.err
        assert len({one.circuit for one in front.passed}) == 3, "a circuit for each visit"
    assert not (tmp_path / "home/evidence").exists()


def test_a_page_that_is_altered_at_the_onion_is_reported(front: Front, desk: Callable[[str], Result]) -> None:
    def bend(request: Message, forward: Forward) -> Message:
        answer = forward()
        if not request.head.startswith("GET /scripts/"):
            return answer
        return changed(answer, body=answer.body + b"\nfetch('/spy')")

    front.bend = bend
    done = desk("watch")
    assert done.status == 1
    (found,) = done.json["findings"]
    assert found["says"] == "/scripts/send.js is not what the newsroom signed"
    assert (Path(found["evidence"]) / "manifest.json.minisig").exists()
