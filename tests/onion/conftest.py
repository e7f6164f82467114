"""A newsroom's two onions on a Tor network of their own: one network and one relay for all these tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support.onions import Onions
from support.tornet import Network


@pytest.fixture(scope="session")
def onions(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Onions]:
    folder = tmp_path_factory.mktemp("onion")
    with Network(folder / "network") as network, Onions(folder, network) as running:
        yield running
