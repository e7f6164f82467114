"""A newsroom with its lane for visitors without JavaScript: relay and sealer, each a process of its own."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.front import Bend, Front
from support.house import House
from support.sealer_process import ImpatientSealer, SealerProcess, Visitor


class Lane:
    """A newsroom of ada and bo in `folder`, its relay and its sealer, until the `with` block is left. Keyword
    arguments are settings of the sealer."""

    def __init__(self, folder: Path, decided: str = "seal", more: str = "", **settings: int | str) -> None:
        self.house = House(folder, ("ada", "bo"), f"without_javascript: {decided}\n{more}")
        try:
            relay = self.house.relay.source
            self.sealer = SealerProcess(self.house.edition, relay, folder / "sealer.yaml", **settings)
        except BaseException:
            self.house.relay.stop()
            raise

    def __enter__(self) -> Lane:
        return self

    def __exit__(self, *_: object) -> None:
        self.sealer.stop()
        self.house.relay.stop()

    def visitor(self, language: str = "en") -> Visitor:
        return Visitor(self.sealer.address, language)


@contextmanager
def impatient(house: House, bend: Bend, folder: Path) -> Iterator[Visitor]:
    """A visitor of a sealer that soon gives up the relay, whose answers are bent."""
    with (
        Front(house.relay.source, bend) as front,
        ImpatientSealer(house.edition, front.address, folder / "s.yaml") as sealer,
    ):
        yield Visitor(sealer.address)
