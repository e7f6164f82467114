"""One Firefox a security level for all these tests, each started when it is first asked for."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support.builds import ONION
from support.firefox import Firefox
from support.firefox_prefs import LEVELS
from support.house import PARTNERS, House
from support.tripwire import Tripwire

HERE = Path(__file__).parent
_EVERYTHING = f"""
onion: {ONION}
elsewhere: And on page 2 of the printed paper.
contact: Call the desk.
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.path.is_relative_to(HERE):
            item.add_marker(pytest.mark.browser)


@pytest.fixture(scope="session")
def tripwire() -> Iterator[Tripwire]:
    with Tripwire() as wire:
        yield wire


@pytest.fixture(scope="session")
def browser_at(tripwire: Tripwire) -> Iterator[Callable[[str], Firefox]]:
    started: dict[str, Firefox] = {}
    with contextlib.ExitStack() as stack:

        def at(level: str) -> Firefox:
            if level not in started:
                started[level] = stack.enter_context(Firefox({**LEVELS[level], **tripwire.prefs}))
            return started[level]

        yield at


@pytest.fixture
def firefox(browser_at: Callable[[str], Firefox], tripwire: Tripwire) -> Iterator[Firefox]:
    """A Firefox with its defaults; a test fails whose page breaks policy, throws or asks outside."""
    yield from _watched(browser_at("standard"), tripwire)


@pytest.fixture(params=LEVELS)
def any_firefox(
    request: pytest.FixtureRequest, browser_at: Callable[[str], Firefox], tripwire: Tripwire
) -> Iterator[Firefox]:
    """The same at each security level in turn."""
    yield from _watched(browser_at(request.param), tripwire)


def _watched(firefox: Firefox, tripwire: Tripwire) -> Iterator[Firefox]:
    firefox.errors()
    yield firefox
    assert firefox.errors() == []
    assert tripwire.requests == []


@pytest.fixture(scope="session")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A newsroom of three journalists."""
    with House(tmp_path_factory.mktemp("newsroom") / "house") as one:
        yield one


@pytest.fixture(scope="session")
def alliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """A newsroom of three partners, of whom a source may choose two, that says all a newsroom can."""
    folder = tmp_path_factory.mktemp("alliance") / "house"
    with House(folder, ("ada", "bo", "cor", "dee"), PARTNERS + _EVERYTHING) as one:
        yield one
