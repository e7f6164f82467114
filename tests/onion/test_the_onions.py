"""The box's two onions, over a real Tor network: what a source, a journalist and a stranger can do."""

from __future__ import annotations

import base64
import http.client
import json
import os
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import pytest
from support.newsdesk import Source
from support.onions import Onions, socks_port, visit
from support.relay_process import PART, Reply, ask, commit, new_id, send
from support.small_edition import age_head
from support.tornet import until

from keys.desk import socks
from keys.errors import Unreachable
from keys.onion import ClientKey, ServiceKey

pytestmark = pytest.mark.onion
CIRCUIT_DROPS = 8  # that one circuit may begin (relay/PROTOCOL.md)


def some_drop(size: int) -> bytes:
    head = age_head(2)
    return head + os.urandom(size - len(head))


def desk(onions: Onions, name: str, *words: str) -> tuple[int, str, str]:
    """What this journalist's `desk` says, over this journalist's tor."""
    tor = {"ada": onions.ada, "bea": onions.bea, "stranger": onions.source}[name]
    who = "ada" if name == "stranger" else name
    home = onions.folder / f"{name}-home"
    house = onions.newsdesk
    if not home.exists():
        keys = ("--masthead", house.folder / "masthead.pub", "--identity", house.folder / f"{who}.key")
        where = ("--relay", f"http://{onions.desk_onion}", "--socks", socks_port(tor))
        joined = house.desk(who, "--home", home, "join", house.edition, *keys, *where)
        assert joined.status == 0, joined.err
    done = house.desk(who, "--home", home, *words)
    return done.status, done.out, done.err


def base64_of(key: ClientKey) -> str:
    return base64.b64encode(key.secret).decode()


def test_a_source_gets_the_page_as_it_was_signed(onions: Onions) -> None:
    masthead = onions.newsdesk.folder / "masthead.pub"
    words = ("verify-edition", f"http://{onions.source_onion}", "--masthead", masthead)
    done = onions.newsdesk.desk("ada", *words, "--socks", socks_port(onions.source), passphrase=None)
    assert done.status == 0, done.err
    assert done.out.startswith("genuine: edition 1")


def test_a_drop_goes_from_one_onion_to_a_desk_at_the_other(onions: Onions) -> None:
    source = Source(onions.newsdesk)
    sealed = source.sealed("through the knothole", {"proof.pdf": os.urandom(3_000_000)})
    with visit(socks_port(onions.source), onions.source_onion) as opened:
        assert send(opened, sealed, new_id()).status == 201
    status, out, err = desk(onions, "ada", "fetch")
    assert (status, out) == (0, "1 new drop, 0 notes\n"), err
    drop = json.loads(desk(onions, "ada", "list", "--json")[1])[0]["id"]
    assert "through the knothole" in desk(onions, "ada", "show", drop)[1]


def test_without_a_key_there_is_no_desk_onion(onions: Onions) -> None:
    status, _, err = desk(onions, "stranger", "fetch")
    assert status == 1
    assert "the onion wants a client key, and this tor has none for it" in err


def test_a_wrong_key_opens_nothing_and_says_so(onions: Onions) -> None:
    key = ClientKey.generate()
    tor, name = onions.source, onions.desk_onion.removesuffix(".onion")
    tor.ask(f"ONION_CLIENT_AUTH_ADD {name} x25519:{base64_of(key)}")
    try:
        with pytest.raises(Unreachable, match="does not take this tor's client key"):
            socks.connect(socks_port(tor), onions.desk_onion, 80, "desk", 60)
    finally:
        tor.ask(f"ONION_CLIENT_AUTH_REMOVE {name}")


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
    for circuit in ("one", "another"):
        said = []
        for _ in range(CIRCUIT_DROPS + 1):
            with visit(port, onions.source_onion, circuit) as opened:
                said.append(ask(opened, "PUT", f"/drops/{new_id()}/0?commit", drop).status)
        assert said == [*CIRCUIT_DROPS * [201], 503]


def test_a_flood_on_one_circuit_does_not_keep_a_source_out(onions: Onions) -> None:
    port = socks_port(onions.source)
    over = threading.Event()
    answers: list[int] = []
    words = (port, onions.source_onion, answers, over)
    floods = [threading.Thread(target=flood, args=words) for _ in range(8)]
    for one in floods:
        one.start()
    try:
        until("there is no flood", lambda: len(answers) > 50)
        before = len(answers)
        drop, id_ = some_drop(3 * PART + 1), new_id()
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
    """Asks for the board without end, on the one circuit of all floods."""
    while not over.is_set():
        with (
            suppress(OSError, http.client.HTTPException, Unreachable),
            visit(port, onion, "flood") as opened,
        ):
            while not over.is_set():
                answers.append(ask(opened, "GET", "/board").status)


def test_an_upload_outlives_a_restart_of_the_relay_and_of_tor(onions: Onions) -> None:
    drop, id_ = some_drop(3 * PART + 1), new_id()
    restarts = iter((onions.restart_relay, onions.restart_tor))
    for n in range(4):
        part = drop[n * PART : (n + 1) * PART]
        assert persist(onions, lambda o, n=n, part=part: ask(o, "PUT", f"/drops/{id_}/{n}", part)) == 204
        if n < 2:
            next(restarts)()
    assert persist(onions, lambda o: commit(o, id_, 4, len(drop))) == 201
    with visit(socks_port(onions.ada), onions.desk_onion) as opened:
        assert ask(opened, "GET", f"/drops/{id_}").body == drop


def persist(onions: Onions, request: Callable[[http.client.HTTPConnection], Reply]) -> int:
    """The status of a request that is made until it is answered, as the page does it."""
    end = time.monotonic() + 60
    while True:
        try:
            with visit(socks_port(onions.source), onions.source_onion) as opened:
                return request(opened).status
        except (OSError, http.client.HTTPException, Unreachable):
            assert time.monotonic() < end
            onions.source.ask("SIGNAL NEWNYM")


def test_who_is_revoked_is_out_and_others_are_not(onions: Onions) -> None:
    assert desk(onions, "bea", "fetch")[0] == 0
    (onions.clients / "ada.auth").unlink()
    onions.restart_tor()
    status, _, err = desk(onions, "ada", "fetch")
    assert status == 1
    assert "the onion does not take this tor's client key: it is another onion's, or was revoked" in err
    status, _, err = desk(onions, "bea", "fetch")
    assert status == 0, err
    (onions.clients / "bea.auth").unlink()
    onions.restart_tor()
    for name in ("ada", "bea", "stranger"):
        status, _, err = desk(onions, name, "fetch")
        assert status == 1
        assert "key" in err
