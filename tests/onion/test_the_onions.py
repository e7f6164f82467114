"""The box's two onions, over a real Tor network: what a source, a journalist and a stranger can do."""

from __future__ import annotations

import http.client
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from support.newsdesk import Source
from support.onions import Onions, given, socks_port, visit
from support.relay_process import PART, ask, new_id, send
from support.small_edition import age_head
from support.stage import Stage
from support.strands import strand
from support.tornet import until

from keys.desk import socks
from keys.errors import Unreachable
from keys.onion import ClientKey, ServiceKey

pytestmark = pytest.mark.onion
CIRCUIT_DROPS = 8  # that one circuit may begin (relay/PROTOCOL.md)


def some_drop(size: int) -> bytes:
    head = age_head(2)
    return head + os.urandom(size - len(head))


def test_a_source_gets_the_page_as_it_was_signed(onions: Onions) -> None:
    masthead = onions.house.folder / "masthead.pub"
    words = ("verify-edition", f"http://{onions.source_onion}", "--masthead", masthead)
    done = onions.desks.run(*words, "--socks", socks_port(onions.source))
    assert done.status == 0, done.err
    assert done.out.startswith("genuine: edition 1")


@pytest.mark.usefixtures("empty")
def test_a_drop_goes_from_one_onion_to_a_desk_at_the_other(onions: Onions) -> None:
    sealed = Source(onions.house).sealed("through the knothole", {"proof.pdf": os.urandom(1_200_000)})
    id_ = new_id()
    with visit(socks_port(onions.source), onions.source_onion) as opened:
        assert send(opened, sealed, id_).status == 201
    fetched = onions.desk("ada", "fetch")
    assert fetched.status == 0, fetched.err
    assert "1 new drop, 0 notes\n" in fetched.out
    assert "through the knothole" in onions.desk("ada", "show", id_).out


def test_without_a_key_there_is_no_desk_onion(onions: Onions) -> None:
    done = onions.desk("ada", "fetch", tor=onions.source)
    assert done.status == 1
    assert "the onion wants a client key, and this tor has none for it" in done.err


def test_a_wrong_key_opens_nothing_and_says_so(onions: Onions) -> None:
    for onion in (onions.desk_onion, onions.closed_onion):
        with (
            given(onions.source, onion, ClientKey.generate()),
            pytest.raises(Unreachable, match="does not take this tor's client key"),
        ):
            socks.connect(socks_port(onions.source), onion, 80, "desk", 60)


def test_a_desk_onion_to_which_nobody_is_invited_is_closed(onions: Onions) -> None:
    for tor in (onions.source, onions.ada):
        with pytest.raises(Unreachable, match="the onion wants a client key"):
            socks.connect(socks_port(tor), onions.closed_onion, 80, "desk", 60)


def test_nobody_gets_to_a_desks_requests_through_the_source_onion(onions: Onions) -> None:
    with visit(socks_port(onions.source), onions.source_onion) as opened:
        assert ask(opened, "GET", "/drops").status == 404
        assert ask(opened, "GET", "/status").status == 404


def test_a_service_that_is_nowhere_is_not_found(onions: Onions) -> None:
    with pytest.raises(Unreachable, match="the onion cannot be found"):
        socks.connect(socks_port(onions.source), ServiceKey.generate().address, 80, "desk", 60)


def test_tor_says_which_circuit_a_source_is_on(onions: Onions) -> None:
    """One circuit begins as many drops as it may, each on a connection of its own; then the next one does."""
    drop = some_drop(20_000)
    port = socks_port(onions.source)

    def begin(circuit: str) -> int:
        with visit(port, onions.source_onion, circuit) as opened:
            return ask(opened, "PUT", f"/drops/{new_id()}/0?commit", drop).status

    with ThreadPoolExecutor(2 * (CIRCUIT_DROPS + 1)) as pool:
        said = {name: pool.map(begin, [name] * (CIRCUIT_DROPS + 1)) for name in ("one", "another")}
        for statuses in said.values():
            assert sorted(statuses) == [*CIRCUIT_DROPS * [201], 503]


def test_a_flood_on_one_circuit_does_not_keep_a_source_out(onions: Onions) -> None:
    port = socks_port(onions.source)
    over = threading.Event()
    answers: list[int] = []
    words = (port, onions.source_onion, answers, over)
    floods = [threading.Thread(target=flood, args=words) for _ in range(8)]
    for one in floods:
        one.start()
    try:
        until("the circuit's share is not used up", lambda: len(answers) > 210)
        before = len(answers)
        drop, id_ = some_drop(PART + 1), new_id()
        with visit(port, onions.source_onion) as opened:
            assert send(opened, drop, id_).status == 201
        assert len(answers) > before
    finally:
        over.set()
        for one in floods:
            one.join()
    assert set(answers) <= {200, 503}
    with visit(socks_port(onions.ada), onions.desk_onion) as opened:
        assert ask(opened, "GET", f"/drops/{id_}").body == drop


def flood(port: str, onion: str, answers: list[int], over: threading.Event) -> None:
    """Asks for the page without end, on the one circuit of all floods."""
    while not over.is_set():
        with (
            suppress(OSError, http.client.HTTPException, Unreachable),
            visit(port, onion, "flood") as opened,
        ):
            while not over.is_set():
                answers.append(ask(opened, "GET", "/en/").status)


@strand("revoked")
def test_who_is_revoked_is_out_and_others_are_not(stage: Stage) -> None:
    onions = stage.onions
    with onions.another("revoking") as box, given(onions.source, box.desk_onion, box.key("bea")):
        with visit(socks_port(onions.source), box.desk_onion) as opened:
            assert ask(opened, "GET", "/status").status == 200
        (box.clients / "bea.auth").unlink()
        box.restart_tor(onions.source, onions.ada)
        done = onions.desk("bea", "fetch", tor=onions.source, box=box)
        assert done.status == 1
        assert (
            "the onion does not take this tor's client key: it is another onion's, or was revoked" in done.err
        )
        with given(onions.ada, box.desk_onion, box.key("ada")):
            done = onions.desk("ada", "fetch", box=box)
        assert done.status == 0, done.err
