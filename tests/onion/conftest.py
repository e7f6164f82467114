"""A newsroom's onions on a Tor network of their own, and a Firefox a security level: one of each for all
these tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack

import pytest
from support.firefox import Firefox
from support.firefox_prefs import LEVELS, SAFEST, TOR_BROWSER
from support.onions import Onions, running, socks_port

from keys.desk.watcher import visit
from keys.desk.watcher.visit import Pace, Span

_PREFS = {**LEVELS, "safest": SAFEST}


@pytest.fixture(scope="session")
def starting(request: pytest.FixtureRequest) -> Iterator[dict[str, Future[Firefox]]]:
    """A Firefox at each level where a chosen test wants one: they start while the network does."""
    wanted = _PREFS if any("firefox_at" in item.fixturenames for item in request.session.items) else {}
    with ExitStack() as stack, ThreadPoolExecutor(1) as pool:
        started = {level: pool.submit(Firefox, {**TOR_BROWSER, **_PREFS[level]}) for level in wanted}
        for one in started.values():
            stack.callback(lambda one=one: one.result().close())
        yield started


@pytest.fixture(scope="session")
def onions(
    tmp_path_factory: pytest.TempPathFactory, starting: dict[str, Future[Firefox]]
) -> Iterator[Onions]:
    with running(tmp_path_factory.mktemp("onion")) as started:
        yield started


@pytest.fixture(scope="session", autouse=True)
def no_pauses() -> Iterator[None]:
    """Nobody waits at a desk for the watcher to read like a person."""
    at_once = Pace(*4 * [Span(0, 0, 0)])
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(visit, "BRIEF", at_once)
        patch.setattr(visit, "PATIENT", at_once)
        yield


@pytest.fixture(scope="session")
def firefox_at(starting: dict[str, Future[Firefox]], onions: Onions) -> Callable[[str], Firefox]:
    """The Firefox of a level, as Tor Browser over the source's tor."""
    port = int(socks_port(onions.source).rpartition(":")[2])

    def at(level: str) -> Firefox:
        firefox = starting[level].result()
        firefox.set_pref("network.proxy.socks_port", port)
        return firefox

    return at
