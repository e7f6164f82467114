"""A box as the operator makes it, a relay on unix sockets and a tor with the box's torrc; and its guests."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from threading import Lock

from support.front import Front
from support.house import PASSPHRASE, House
from support.newsdesk import Result, run
from support.relay_process import new_id
from support.sealer_process import SealerProcess
from support.tor import render_torrc
from support.tor_control import uploads
from support.tornet import Network, Tor

from keys.desk import socks
from keys.onion import ClientKey

VISITOR = ("SocksPort auto ExtendedErrors OnionTrafficOnly", "ClientOnly 1")
_ONIONS = ("source-onion", "desk-onion", "closed/desk-onion")
_SOCKETS = ("source.sock", "desk.sock")
_DOORS = ("source.door", "desk.door")  # where tor finds them
_SEALER = "sealer.sock"
_NO_PAGE = "http://127.0.0.1:1"  # for the watcher of these desks: it has tests of its own


@contextmanager
def running(folder: Path) -> Iterator[Onions]:
    """A newsroom's onions on a network of their own, until the `with` block is left."""
    for place in (folder, folder / "closed"):
        place.mkdir(exist_ok=True)
        _make("keygen", "--onions", "-o", place)
    source, desk = (f"unix:{folder / name}" for name in _SOCKETS)
    control = f"unix:{folder}/network/box/control"
    relay = {"source": source, "desk": desk, "circuits": "haproxy", "control": control}
    more = "onion: ../source-onion/hostname\ndesk_onion: ../desk-onion/hostname\nwithout_javascript: seal\n"
    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        # While the network starts, which is mostly waiting.
        building = pool.submit(House, folder / "house", ("ada", "bea"), more, relay)
        stack.callback(lambda: building.result().relay.stop())
        network = stack.enter_context(Network(folder / "network"))
        house = building.result()
        listen = {"listen": f"unix:{folder / _SEALER}", "circuits": "haproxy"}
        sealer = stack.enter_context(SealerProcess(house.edition, source, folder / "sealer.yaml", **listen))
        yield Onions(folder, network, house, sealer)


class Onions:
    """The onions of a newsroom. ada and bea are invited; the tor `ada` has ada's key, the tor `source` none.
    `closed_onion` is a desk onion to which nobody is invited."""

    def __init__(self, folder: Path, network: Network, house: House, sealer: SealerProcess) -> None:
        self.folder = folder
        self.network = network
        self._one_desk = Lock()
        self.house = house
        self.relay = house.relay
        self.sealer = sealer
        places = [folder / name for name in _ONIONS]
        self.onions = [(place / "hostname").read_text().strip() for place in places]
        self.source_onion, self.desk_onion, self.closed_onion = self.onions
        self.clients = folder / "desk-onion/authorized_clients"
        ada = self._invite("ada")
        self._invite("bea")
        doors = [folder / name for name in (*_DOORS, _DOORS[1])]
        for door, socket in zip(doors, _SOCKETS, strict=False):
            door.symlink_to(socket)
        self.box = network.tor("box", [render_torrc(zip(places, doors, strict=True), folder / _SEALER)])
        self.ada = network.tor("ada", [*VISITOR, f"ClientOnionAuthDir {ada}"])
        self.source = network.tor("source", VISITOR)
        self._published()
        for visitor in (self.source, self.ada):
            visitor.wait("it has no circuit", "status/bootstrap-phase", lambda said: "PROGRESS=100" in said)

    def desk(self, name: str, *words: str | Path, tor: Tor | None = None, text: str = "") -> Result:
        """What this journalist's `desk` says, over ada's tor or the given one; it joins first where it has
        not. One at a time, for it is run in this process."""
        tor = tor or self.ada
        with self._one_desk:
            return self._desk(name, *words, tor=tor, text=text)

    def _desk(self, name: str, *words: str | Path, tor: Tor, text: str) -> Result:
        home = self.folder / f"{name}-at-{tor.folder.name}"
        if not home.exists():
            house = self.house
            keys = ("--masthead", house.folder / "masthead.pub", "--identity", house.folder / f"{name}.key")
            where = ("--relay", f"http://{self.desk_onion}", "--socks", socks_port(tor), "--page", _NO_PAGE)
            joined = run("--home", home, "join", house.edition, *keys, *where, passphrase=PASSPHRASE)
            assert joined.status == 0, joined.err
        return run("--home", home, *words, passphrase=PASSPHRASE, text=text)

    def key(self, name: str) -> ClientKey:
        """The client key of an invitation."""
        return ClientKey.parse((self.folder / f"{name}-keys/{name}.auth_private").read_text())[1]

    @contextmanager
    def front(self, which: str) -> Iterator[Front]:
        """What stands between the box's tor and the relay's socket `which`, source or desk."""
        door = self.folder / f"{which}.door"
        socket = door.readlink()
        door.unlink()
        try:
            with Front(f"unix:{self.folder / socket}", at=door) as front:
                yield front
        finally:
            door.unlink()
            door.symlink_to(socket)

    def restart_relay(self) -> None:
        self.relay.kill()
        self.relay.start()

    def restart_tor(self) -> None:
        """Ends the box's tor and starts it again. Visitors give up their circuits, for those to it are dead,
        and learn where the onions are now: tor asks a directory only once in 15 minutes, and NEWNYM, which
        ends that, has effect every 10 seconds."""
        self.box.stop()
        self.box.start()
        self._published()
        for visitor in (self.source, self.ada):
            visitor.close_circuits(self.source_onion, self.desk_onion)
            visitor.look_up(self.source_onion, self.desk_onion)

    def _published(self) -> None:
        with self.box.control() as control:
            control.ask("SETEVENTS HS_DESC")
            try:
                for _ in uploads(control, *self.onions):
                    pass
            except TimeoutError:
                raise TimeoutError(f"the onions are not published: {self.box.said()}") from None

    def _invite(self, name: str) -> Path:
        """The folder of a journalist's half of an invitation, for ClientOnionAuthDir."""
        theirs = self.folder / f"{name}-keys"
        theirs.mkdir(mode=0o700)
        _make("invite", name, "--onion", self.desk_onion, "-o", theirs)
        (theirs / f"{name}.auth").rename(self.clients / f"{name}.auth")
        (theirs / f"{name}.tor-browser").unlink()
        return theirs


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
