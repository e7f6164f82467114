"""What tests at the onions work with: a Firefox a security level, as Tor Browser."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from support import firefox_prefs
from support.firefox import Firefox
from support.firefox_prefs import SAFEST, TOR_BROWSER
from support.onions import Onions, through

LEVELS = {**firefox_prefs.LEVELS, "safest": SAFEST}


class Firefoxes:
    """A Firefox a level, until the `with` block is left; each starts when its level is first named."""

    def __init__(self) -> None:
        self._pool = ThreadPoolExecutor(1)
        self._started: dict[str, Future[Firefox]] = {}

    def __enter__(self) -> Firefoxes:
        return self

    def __exit__(self, *_: object) -> None:
        for one in self._started.values():
            one.result().close()
        self._pool.shutdown()

    def start(self, level: str) -> Future[Firefox]:
        if level not in self._started:
            self._started[level] = self._pool.submit(Firefox, {**TOR_BROWSER, **LEVELS[level]})
        return self._started[level]


@dataclass(frozen=True)
class Stage:
    """What a strand works with."""

    strand: str
    onions: Onions
    folder: Path
    firefoxes: Firefoxes

    @property
    def firefox(self) -> Firefox:
        """That of the level for which the strand is named, as Tor Browser over the source's tor."""
        firefox = self.firefoxes.start(self.strand).result()
        through(firefox, self.onions.source)
        return firefox
