"""The demo's two onions on the Tor network, and a visitor's tor that reaches them; or one reason why not."""

from __future__ import annotations

import os
import re
import subprocess
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from support.onions import VISITOR, socks_port
from support.tor import TOR, render_torrc
from support.tor_control import Control, uploads
from support.tornet import Tor

from keys.desk import socks
from keys.errors import Unreachable

_PHASE = re.compile(r'BOOTSTRAP PROGRESS=(\d+) TAG=\S+ SUMMARY="([^"]*)"')
_SILENCE = 180  # seconds: what tor needs, at a bad hour, to introduce an onion and to publish it
_TRIES = 5  # to reach an onion whose descriptors were stored a moment ago


class NoOnion(Exception):  # noqa: N818 - it is what the user sees
    """Why there is no onion, as the end of a sentence."""


@dataclass(frozen=True)
class Service:
    """The folder of an onion's keys, and the sockets it leads to: the relay's, and the sealer's if any."""

    folder: Path
    socket: Path
    sealer: Path | None = None

    @property
    def address(self) -> str:
        return (self.folder / "hostname").read_text().strip()


class PublicOnions:
    """Two tors in `folder`, the box's and a visitor's, until the `with` block is left; both onions published.

    `clients` is the visitor's ClientOnionAuthDir; `more` are lines for both torrcs, such as bridges. Refuses
    (NoOnion) when there is no tor, or it gets no further for `patience` seconds. `say` is told of each step.
    """

    def __init__(
        self,
        folder: Path,
        services: Sequence[Service],
        clients: Path,
        *,
        more: Sequence[str] = (),
        patience: float,
        say: Callable[[str], None],
    ) -> None:
        if not os.access(TOR, os.X_OK):
            raise NoOnion("tor is not installed (Debian's package is called tor)")
        self._services, self._patience, self._say = services, patience, say
        self._suspect = ""  # what may be wrong although tor goes on
        self._tors = ExitStack()
        try:
            torrc = render_torrc(((one.folder, one.socket) for one in services), services[0].sealer)
            box = self._start(folder / "box", [torrc, *more])
            visitor = [*VISITOR, f"ClientOnionAuthDir {clients}", *more]
            self._visitor = self._start(folder / "visitor", visitor)
            # Asked for first, for what happens from here on waits in this connection.
            with box.control() as events:
                events.patience(_SILENCE)
                events.ask("SETEVENTS HS_DESC")
                self._bootstrap(box, "the box's tor")
                self._bootstrap(self._visitor, "the visitor's tor")
                self._publish(events)
        except ConnectionError:
            self._tors.close()
            raise NoOnion("tor ended") from None
        except BaseException:
            self._tors.close()
            raise

    def __enter__(self) -> PublicOnions:
        return self

    def __exit__(self, *_: object) -> None:
        self._tors.close()

    @property
    def socks(self) -> str:
        """Where the visitor's tor listens."""
        return socks_port(self._visitor)

    def reach(self) -> None:
        """Returns once a visitor has reached every port of both; refuses (NoOnion) after some tries."""
        for service in self._services:
            for port in (80, *([8080] if service.sealer else [])):
                self._reach(service.address, port)

    def _reach(self, address: str, port: int) -> None:
        for tries in range(1, _TRIES + 1):
            try:
                return socks.connect(self.socks, address, port, "first", self._patience).close()
            except Unreachable as why:
                if tries == _TRIES:
                    raise NoOnion(f"{self._suspect}it was published, but {why.detail}") from None
                self._say(f"not reached yet: {why.detail}")
                self._visitor.ask("SIGNAL NEWNYM")  # else it would not ask the same directories again
                time.sleep(3 * tries)  # tor heeds it every ten seconds
        return None

    def _start(self, folder: Path, lines: Sequence[str]) -> Tor:
        tor = Tor(folder, lines)
        self._tors.callback(tor.stop)
        try:
            tor.ask("GETINFO version")
        except RuntimeError:
            raise NoOnion(f"tor does not start: {_complaint(folder / 'torrc')}") from None
        return tor

    def _bootstrap(self, tor: Tor, who: str) -> None:
        reached, since = -1, time.monotonic()
        with tor.control() as control:
            while reached < 100:
                said = control.info("status/bootstrap-phase")
                found = _PHASE.search(said)
                assert found is not None, said
                percent, summary = int(found[1]), found[2]
                if "REASON=CLOCK_SKEW" in said:
                    self._suspect = "this computer's clock is wrong: "
                if percent > reached:
                    reached, since = percent, time.monotonic()
                    self._say(f"{who}: {percent} %, {summary}")
                elif time.monotonic() - since > self._patience:
                    where = f"stood still at {percent} % ({summary}) for {self._patience:g} seconds"
                    raise NoOnion(f"{self._suspect or 'tor cannot reach the network: '}{who} {where}")
                time.sleep(0.1)

    def _publish(self, events: Control) -> None:
        stored, shown = 0, 0.0
        try:
            for stored, begun in uploads(events, *(one.address for one in self._services)):
                if begun and (time.monotonic() - shown > 1 or stored == begun):
                    shown = time.monotonic()
                    self._say(f"descriptors of the onions: {stored} of {begun} are with their directories")
        except TimeoutError:
            if not stored:
                raise NoOnion("tor reaches the network, but cannot publish an onion") from None


def _complaint(torrc: Path) -> str:
    """What tor has against its lines."""
    done = subprocess.run([TOR, "-f", torrc, "--verify-config"], capture_output=True, text=True, check=False)
    warnings = [line.partition("[warn] ")[2] for line in done.stdout.splitlines() if "[warn] " in line]
    found = [warning for warning in warnings if "config" in warning]
    return (found or warnings or ["it does not say why"])[-1].rstrip(".")
