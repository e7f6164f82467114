"""A large file goes through the page without staying in it."""

from __future__ import annotations

import threading
from pathlib import Path

from support.firefox import Firefox
from support.house import House
from support.source import Source

GIB = 1 << 30


def test_memory_stays_flat_on_a_gibibyte(firefox: Firefox, house: House, tmp_path: Path) -> None:
    before = set(house.drops())
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(GIB)  # sparse: it takes no room on the disk before it is sealed
    source = Source(firefox, house.url)
    source.open_send()
    source.write("large", answers={"evidence": "a film"}, files=[large], to=["ada"])
    at_rest = peak = firefox.memory()
    sent = threading.Event()
    source.begin()
    while source.steps == ["sending"]:
        peak = max(peak, firefox.memory())
        sent.wait(0.5)  # looking costs the browser time
    source.reach("done")
    [drop] = set(house.drops()) - before
    assert house.size(drop) > GIB
    house.forget(drop)
    # What was sealed and sent stays until the browser collects its garbage: 110 to 380 MB were seen.
    assert peak - at_rest < GIB / 2
