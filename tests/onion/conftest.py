"""A newsroom's onions on a Tor network of their own, and a Firefox a security level: one of each for all
these tests. Those that take long run at once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.onions import Onions, running, socks_port, visit
from support.relay_process import ask
from support.stage import LEVELS, Firefoxes, Stage
from support.strands import Strands


@pytest.fixture(scope="session")
def firefoxes(request: pytest.FixtureRequest) -> Iterator[Firefoxes]:
    """Those that chosen tests want start while the network does."""
    wanted = {getattr(item.function, "strand", "") for item in request.session.items}
    with Firefoxes() as started:
        for level in LEVELS:
            if level in wanted:
                started.start(level)
        yield started


@pytest.fixture(scope="session")
def onions(tmp_path_factory: pytest.TempPathFactory, firefoxes: Firefoxes) -> Iterator[Onions]:
    with running(tmp_path_factory.mktemp("onion")) as started:
        yield started


@pytest.fixture(scope="session")
def strands(
    request: pytest.FixtureRequest,
    tmp_path_factory: pytest.TempPathFactory,
    firefoxes: Firefoxes,
    onions: Onions,
) -> Strands[Stage]:
    """What chosen tests of strands came to, once all have ended."""

    def stage(strand: str) -> Stage:
        return Stage(strand, onions, tmp_path_factory.mktemp(strand), firefoxes)

    return Strands([item.function for item in request.session.items], stage)


@pytest.fixture
def empty(onions: Onions) -> None:
    """The box holds no drops: what others left there, no desk has to fetch."""
    with visit(socks_port(onions.ada), onions.desk_onion) as opened:
        for drop in ask(opened, "GET", "/drops").said["drops"]:
            assert ask(opened, "DELETE", f"/drops/{drop['id']}").status == 204
