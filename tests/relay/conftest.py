"""A relay to ask: one process a module, for tests that do not disturb each other."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.lane import Lane
from support.relay_process import RelayProcess
from support.small_edition import write_edition


@pytest.fixture(scope="session")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_edition(tmp_path_factory.mktemp("edition"))


@pytest.fixture(scope="module")
def relay(edition: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    with RelayProcess(edition, tmp_path_factory.mktemp("relay") / "data") as running:
        yield running
    assert running.process.returncode == 0
    assert running.errors == ""


@pytest.fixture(scope="session")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    """A newsroom that seals for visitors without JavaScript."""
    with Lane(tmp_path_factory.mktemp("lane") / "house") as running:
        yield running
    assert running.sealer.process.returncode == 0
    assert (running.sealer.said, running.sealer.errors) == ("", "")
