"""Desks: commands at one home run one after the other, and those at different homes at once."""

from __future__ import annotations

import multiprocessing
from collections import defaultdict
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from threading import Lock

from support.newsdesk import Result, run

_AT_ONCE = 4


class Desks:
    """Runs `desk` in processes of their own, until the `with` block is left: it prints, asks and sets a mask
    for all of a process."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload(["pytest", "keys.desk.__main__"])
        self._processes = ProcessPoolExecutor(_AT_ONCE, context, _hurry)
        self._homes: defaultdict[Path, Lock] = defaultdict(Lock)

    def __enter__(self) -> Desks:
        return self

    def __exit__(self, *_: object) -> None:
        self._processes.shutdown()

    def run(self, *words: str | Path, passphrase: bytes | None = None, text: str = "") -> Result:
        """What a command prints that is of no home."""
        return self._processes.submit(run, *words, passphrase=passphrase, text=text).result()

    def at(
        self,
        home: Path,
        joining: Sequence[str | Path],
        passphrase: bytes,
        *words: str | Path,
        text: str = "",
    ) -> Result:
        """What a command at this home prints, which joins first if it is new."""
        with self._homes[home]:
            if not home.exists():
                joined = self.run("--home", home, "join", *joining, passphrase=passphrase)
                assert joined.status == 0, joined.err
            return self.run("--home", home, *words, passphrase=passphrase, text=text)


def _hurry() -> None:
    """Nobody waits at a desk for the watcher to read like a person."""
    from keys.desk.watcher import visit

    at_once = visit.Pace(*4 * [visit.Span(0, 0, 0)])
    visit.BRIEF = visit.PATIENT = at_once
