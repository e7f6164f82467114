"""The relay at its onion, on a Tor network of this machine's own: what it costs beside tor, how long a source
waits for a small drop, and what a flood of 50 circuits does to others.

Each node of that network runs here, so a flood also takes the CPU that carries everybody else.

    python -m bench.onion [--json PATH]
"""

from __future__ import annotations

import argparse
import http.client
import json
import statistics
import tempfile
import threading
import time
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from support.firefox import Firefox
from support.firefox_prefs import LEVELS, TOR_BROWSER
from support.onions import Onions, running, socks_port, visit
from support.relay_process import PART, ask, commit, new_id
from support.small_edition import some_drop
from support.source import Source

from bench.bare import bare
from bench.servers import Server
from keys.errors import Unreachable

STANZAS = 2  # one a journalist
PARTS = 100  # of 1 MiB
LANES = 3  # parts in flight, as the page sends them
ROUNDS = 4  # the first warms up and is not counted
CLICKS = 5
CIRCUITS = 50
UNDER_WAY = 300  # seconds in which all of them should be
HONEST = 20  # drops
_TROUBLE = (OSError, http.client.HTTPException, Unreachable)


def main() -> None:
    parser = argparse.ArgumentParser(description="What the onion costs, and what a flood does to it.")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the results there")
    path = parser.parse_args().json
    results: dict[str, object] = {}
    # Not in /tmp, which may be memory.
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as name, running(Path(name)) as onions:
        for measure in (upload, click, flood):
            results[measure.__name__] = measure(onions)
            print(measure.__name__, json.dumps(results[measure.__name__]), flush=True)
    if path:
        path.write_text(json.dumps(results, indent=1) + "\n")


def upload(onions: Onions) -> dict[str, object]:
    """CPU seconds of 100 MiB over the onion, as [least, median]; the ratio, to tor's, is of the medians. The
    same again with a program in the relay's place that does the least that one can. `room` is the bytes that
    a socket's sender may have on its way: a box has more than others, and its relay reads less often."""
    source = onions.relay.source.removeprefix("unix:")
    found = _costs(onions, Server("relay", onions.relay.process.pid, "", "", onions.folder))
    onions.relay.stop()
    with bare(Path(source), onions.folder) as least:
        floor = _costs(onions, least)
    onions.relay.start()
    room = int(Path("/proc/sys/net/core/wmem_default").read_text())
    return {**found, "least": floor, "room": room}


def _costs(onions: Onions, server: Server) -> dict[str, object]:
    """Of this server and of its tor."""
    tor = Server("tor", onions.tor.pid, "", "", onions.folder)
    spent: dict[str, list[float]] = {server.name: [], tor.name: []}
    taken = []
    part = some_drop(PART, STANZAS)
    for _ in range(ROUNDS):
        before = {one.name: one.cpu() for one in (server, tor)}
        start = time.perf_counter()
        _upload(onions, part)
        taken.append(time.perf_counter() - start)
        for one in (server, tor):
            spent[one.name].append(one.cpu() - before[one.name])
    kept = {name: rounds[1:] for name, rounds in spent.items()}
    shown = {
        name: [round(min(rounds), 3), round(statistics.median(rounds), 3)] for name, rounds in kept.items()
    }
    ratio = statistics.median(kept[server.name]) / statistics.median(kept[tor.name])
    speed = PARTS / statistics.median(taken[1:])
    return {**shown, "ratio": round(ratio, 3), "mib_a_second": round(speed, 1)}


def _upload(onions: Onions, part: bytes) -> None:
    """Puts a drop of so many parts over one circuit."""
    port = socks_port(onions.source)
    id_, circuit, waiting = new_id(), new_id(), deque(range(PARTS))
    refused: list[int] = []

    def lane() -> None:
        with visit(port, onions.source_onion, circuit) as opened, suppress(IndexError):
            while True:
                status = ask(opened, "PUT", f"/drops/{id_}/{waiting.popleft()}", part).status
                refused.extend([status] * (status != 204))

    lanes = [threading.Thread(target=lane) for _ in range(LANES)]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join()
    with visit(port, onions.source_onion, circuit) as opened:
        status = commit(opened, id_, PARTS, PARTS * PART).status
    if refused or status != 201:
        raise RuntimeError(f"the relay answered {refused}, and {status} to the commit")


def click(onions: Onions) -> dict[str, object]:
    """Seconds from the click that sends a short message to the page that says it is stored, at each level."""
    port = int(socks_port(onions.source).rpartition(":")[2])
    found: dict[str, object] = {}
    for level, prefs in LEVELS.items():
        with Firefox({**TOR_BROWSER, **prefs, "network.proxy.socks_port": port}) as firefox:
            taken = [_click(Source(firefox, f"http://{onions.source_onion}")) for _ in range(CLICKS)]
        found[level] = [round(min(taken), 2), round(statistics.median(taken), 2)]
    return found


def _click(source: Source) -> float:
    source.open_send()
    source.write("A short message", answers={"evidence": "none yet"}, to=["ada"])
    source.submit()
    words = source.words()
    source.firefox.click("#words-written")
    source.reach("confirm")
    source.firefox.type("#typed", " ".join(words))
    start = time.perf_counter()
    source.firefox.click("#confirm [type=submit]")
    source.reach("done")
    return time.perf_counter() - start


def flood(onions: Onions) -> dict[str, object]:
    """How many honest drops arrive, each over a circuit of its own, and the seconds that they take as
    [median, longest], without a flood and beside one. The flood comes through another tor than they, over so
    many `circuits`: those that did not get through do not count."""
    before = [_honest(onions) for _ in range(HONEST)]
    with _flooded(onions) as (circuits, answers):
        beside = [_honest(onions) for _ in range(HONEST)]
    arrived = {name: [one for one in all_ if one] for name, all_ in (("alone", before), ("beside", beside))}
    shown = {
        name: [round(statistics.median(took), 2), round(max(took), 2)] if took else []
        for name, took in arrived.items()
    }
    medians = [statistics.median(took) for took in arrived.values() if took]
    return {
        **shown,
        "arrived": {name: f"{len(took)} of {HONEST}" for name, took in arrived.items()},
        "circuits": circuits,
        "slowdown": round(medians[1] / medians[0], 2) if len(medians) == 2 else None,
        "flood_answered": {str(status): count for status, count in sorted(answers.items())},
    }


def _honest(onions: Onions) -> float:
    """Seconds that one small drop takes; 0 if it never arrives. A source tries again, as the page does."""
    drop, id_ = some_drop(50_000, STANZAS), new_id()
    start = time.perf_counter()
    while time.perf_counter() - start < 180:
        with suppress(*_TROUBLE), visit(socks_port(onions.ada), onions.source_onion) as opened:
            if ask(opened, "PUT", f"/drops/{id_}/0?commit", drop).status == 201:
                return time.perf_counter() - start
        time.sleep(1)
    return 0


@contextmanager
def _flooded(onions: Onions) -> Iterator[tuple[int, Counter[int]]]:
    """So many circuits that begin drops and read the board as fast as they are let; yields how many of them
    are under way once all are, or time is up, and what they are answered."""
    over, answers, under_way = threading.Event(), Counter[int](), threading.Semaphore(0)
    port = socks_port(onions.source)

    def attack(circuit: str) -> None:
        drop = some_drop(20_000, STANZAS)
        first = True
        while not over.is_set():
            with suppress(*_TROUBLE), visit(port, onions.source_onion, circuit) as opened:
                while not over.is_set():
                    answers[ask(opened, "PUT", f"/drops/{new_id()}/0?commit", drop).status] += 1
                    answers[ask(opened, "GET", "/board").status] += 1
                    if first:
                        under_way.release()
                    first = False

    attacks = [threading.Thread(target=attack, args=(new_id(),)) for _ in range(CIRCUITS)]
    for one in attacks:
        one.start()
    try:
        end = time.monotonic() + UNDER_WAY
        circuits = sum(under_way.acquire(timeout=max(end - time.monotonic(), 0)) for _ in attacks)
        yield circuits, answers
    finally:
        over.set()
        for one in attacks:
            one.join()


if __name__ == "__main__":
    main()
