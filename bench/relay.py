"""The relay beside nginx in one interleaved run: CPU seconds of whole process trees, memory, flushes.

python -m bench.relay [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import os
import secrets
import signal
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

from support.relay_process import PART, ask, commit
from support.small_edition import some_drop

from bench import load, servers
from bench.servers import Server

GIB = 1 << 30
ROUNDS = 5  # the first warms up and is not counted
SMALL = 2000  # drops a round
AT_ONCE = 32
LANES = 3  # parts in flight, as the page sends them
TRICKLERS = 200
KEPT = GIB // PART


def main() -> None:
    parser = argparse.ArgumentParser(description="What the relay costs, beside nginx.")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the results there")
    path = parser.parse_args().json
    # Not in /tmp, which may be memory.
    with tempfile.TemporaryDirectory(prefix="bench-", dir="/var/tmp") as name, ExitStack() as stack:
        relay = stack.enter_context(servers.relay(Path(name, "relay")))
        nginx = stack.enter_context(servers.nginx(Path(name, "nginx")))
        results: dict[str, object] = {"idle_mib": round(relay.memory() / 2**20, 1)}
        for measure in (upload, fetch, small, trickle):
            results[measure.__name__] = measure(relay, nginx)
            print(measure.__name__, json.dumps(results[measure.__name__]), flush=True)
    if path:
        path.write_text(json.dumps(results, indent=1) + "\n")


def compared(
    relay: Server, nginx: Server, work: Callable[[Server], None], per: float = 1
) -> dict[str, object]:
    """CPU seconds of the same work at both, in turns, as [least, median]; the ratio is of the medians."""
    spent: dict[str, list[float]] = {"relay": [], "nginx": []}
    for _ in range(ROUNDS):
        for server in (relay, nginx):
            os.sync()  # so that nobody writes back what another one left
            before = server.cpu()
            work(server)
            spent[server.name].append((server.cpu() - before) / per)
    kept = {name: rounds[1:] for name, rounds in spent.items()}
    medians = {name: statistics.median(rounds) for name, rounds in kept.items()}
    shown = {name: [round(min(rounds), 6), round(medians[name], 6)] for name, rounds in kept.items()}
    return {**shown, "ratio": round(medians["relay"] / medians["nginx"], 3)}


def small(relay: Server, nginx: Server) -> dict[str, object]:
    """CPU a drop of 10 KB, 32 at once: durable here, not at nginx."""
    body = some_drop(10_000)
    refused = 0

    def work(server: Server) -> None:
        nonlocal refused
        names = [secrets.token_hex(16) for _ in range(SMALL)]
        targets = [f"/drops/{name}/0?commit" if server is relay else f"/{name}" for name in names]
        refused += load.many_small(server.write, targets, body, AT_ONCE)

    result = compared(relay, nginx, work, SMALL)
    return {**result, "refused": refused, "drops_per_flush": drops_per_flush(relay, lambda: work(relay))}


def drops_per_flush(relay: Server, work: Callable[[], None]) -> float:
    """Counted by strace, in a round of its own since that costs time."""
    command = ["strace", "-f", "-q", "-c", "-e", "trace=syncfs,fsync,fdatasync,sync", "-p", str(relay.pid)]
    counting = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    time.sleep(1)
    work()
    counting.send_signal(signal.SIGINT)
    _, said = counting.communicate()
    calls = [line.split() for line in said.splitlines() if line.endswith("sync") or line.endswith("syncfs")]
    flushes = sum(int(columns[3]) for columns in calls)
    return round(SMALL / flushes, 1)


def upload(relay: Server, nginx: Server) -> dict[str, object]:
    """CPU of 1 GiB in parts of 1 MiB: durable here, not at nginx. Leaves a drop to be fetched."""
    part = some_drop(PART)
    memory: list[int] = []

    def work(server: Server) -> None:
        name = secrets.token_hex(16)
        before = server.memory()
        if server is relay:
            load.upload(server.write, [f"/drops/{name}/{n}" for n in range(KEPT)], part, LANES)
            memory.append(server.memory() - before)
            if commit(server.write, name, KEPT, GIB).status != 201:
                raise RuntimeError("the drop was not committed")
            return
        (server.files / name).mkdir()
        load.upload(server.write, [f"/{name}/{n}" for n in range(KEPT)], part, LANES)

    result = compared(relay, nginx, work)
    return {**result, "memory_mib": round(max(memory) / 2**20, 1)}


def fetch(relay: Server, nginx: Server) -> dict[str, object]:
    """CPU of sending 1 GiB, the same file at both."""
    drop = ask(relay.read, "GET", "/drops").said["drops"][0]["id"]
    (nginx.files / "whole").hardlink_to(next((relay.files / "drops").iterdir()))

    def work(server: Server) -> None:
        load.fetch(server.read, f"/drops/{drop}" if server is relay else "/whole", GIB)

    return compared(relay, nginx, work)


def trickle(relay: Server, nginx: Server) -> dict[str, object]:  # noqa: ARG001 - one shape for all
    """The 99th percentile of a client's drops of 10 KB in milliseconds, alone and beside 200 slow clients."""
    body = some_drop(10_000)

    def p99() -> float:
        targets = [f"/drops/{secrets.token_hex(16)}/0?commit" for _ in range(500)]
        return statistics.quantiles(load.latencies(relay.write, targets, body), n=100)[98] * 1000

    p99()
    alone, beside, dropped = [], [], 0
    for _ in range(3):
        alone.append(p99())
        before = relay.memory()
        with load.Tricklers(relay.write, lambda _: f"/drops/{secrets.token_hex(16)}/0", TRICKLERS) as slow:
            time.sleep(3)
            each = (relay.memory() - before) / TRICKLERS
            beside.append(p99())
            dropped += slow.dropped()
    ratio = statistics.median(beside) / statistics.median(alone)
    return {
        "alone_ms": [round(ms, 2) for ms in alone],
        "beside_ms": [round(ms, 2) for ms in beside],
        "ratio": round(ratio, 2),
        "dropped": dropped,
        "kib_each": round(each / 1024, 1),
    }


if __name__ == "__main__":
    main()
