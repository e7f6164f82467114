"""A box as the operator makes it, a relay on unix sockets and a tor with the box's torrc; and its guests."""

from __future__ import annotations

import http.client
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.newsdesk import Newsdesk, run
from support.relay_process import RelayProcess, new_id
from support.tor import render_torrc
from support.tor_control import Control
from support.tornet import Network, Tor

from keys.desk import socks

VISITOR = ("SocksPort auto ExtendedErrors OnionTrafficOnly", "ClientOnly 1")


class Onions:
    """The onions of a newsroom, served until the `with` block is left. ada and bea are invited; `source` is a
    tor without any key."""

    def __init__(self, folder: Path, network: Network) -> None:
        self.folder = folder
        self.newsdesk = Newsdesk(folder / "newsdesk")
        _make("keygen", "--onions", "-o", folder)
        places = [folder / name for name in ("source-onion", "desk-onion")]
        self.source_onion, self.desk_onion = ((place / "hostname").read_text().strip() for place in places)
        self.clients = folder / "desk-onion/authorized_clients"
        sockets = [folder / name for name in ("source.sock", "desk.sock")]
        self.relay = RelayProcess(
            self.newsdesk.edition,
            folder / "data",
            source=f"unix:{sockets[0]}",
            desk=f"unix:{sockets[1]}",
            circuits="haproxy",
        )
        self.newsdesk.relay = self.relay
        try:
            self.ada, self.bea = (self._invite(network, name) for name in ("ada", "bea"))
            self.source = network.tor("source", VISITOR)
            self.box = network.tor("box", [render_torrc(zip(places, sockets, strict=True))])
            self._published()
            for visitor in (self.source, self.ada, self.bea):
                visitor.wait(
                    "it has no circuit", "status/bootstrap-phase", lambda said: "PROGRESS=100" in said
                )
        except BaseException:
            self.relay.stop()
            raise

    def __enter__(self) -> Onions:
        return self

    def __exit__(self, *_: object) -> None:
        self.relay.stop()

    def restart_relay(self) -> None:
        self.relay.kill()
        self.relay.start()

    def restart_tor(self) -> None:
        """Ends the box's tor and starts it again. Visitors forget what they knew of it: else they would ask
        none of the directories again that they asked a moment ago."""
        self.box.stop()
        self.box.start()
        self._published()
        for visitor in (self.source, self.ada, self.bea):
            visitor.ask("SIGNAL NEWNYM")

    def _published(self) -> None:
        with self.box.control() as control:
            control.ask("SETEVENTS HS_DESC")
            try:
                _published(control, self.source_onion, self.desk_onion)
            except TimeoutError:
                raise TimeoutError(f"the onions are not published: {self.box.said()}") from None

    def _invite(self, network: Network, name: str) -> Tor:
        """A journalist's tor, with the key of the invitation."""
        theirs = self.folder / f"{name}-keys"
        theirs.mkdir(mode=0o700)
        _make("invite", name, "--onion", self.desk_onion, "-o", theirs)
        (theirs / f"{name}.auth").rename(self.clients / f"{name}.auth")
        (theirs / f"{name}.tor-browser").unlink()
        return network.tor(name, [*VISITOR, f"ClientOnionAuthDir {theirs}"])


def _published(control: Control, *onions: str) -> None:
    """Waits until every directory has each onion: one that is asked too early is not asked again for long."""
    stored = {onion.removesuffix(".onion"): False for onion in onions}
    waiting: Counter[tuple[str, str]] = Counter()
    while not all(stored.values()) or +waiting:
        _, action, onion, _, directory, *_ = control.event()
        if onion in stored and action == "UPLOAD":
            waiting[onion, directory] += 1
        elif onion in stored and action in ("UPLOADED", "FAILED"):
            waiting[onion, directory] -= 1
            stored[onion] |= action == "UPLOADED"


def socks_port(tor: Tor) -> str:
    """Where a visitor's tor listens."""
    found = re.search(r'"(127\.0\.0\.1:[0-9]+)"', tor.info("net/listeners/socks"))
    assert found is not None
    return found[1]


@contextmanager
def visit(port: str, onion: str, circuit: str = "") -> Iterator[http.client.HTTPConnection]:
    """A connection to an onion, on a circuit of its own or the one of this name."""
    opened = http.client.HTTPConnection(onion)
    opened.sock = socks.connect(port, onion, 80, circuit or new_id(), 60)
    try:
        yield opened
    finally:
        opened.close()


def _make(*words: str | Path) -> None:
    done = run(*words, passphrase=None)
    assert done.status == 0, done.err
