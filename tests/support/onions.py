"""A newsroom's box on a Tor network of its own, as the operator makes it; and its guests."""

from __future__ import annotations

import base64
import http.client
import re
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path

from support.desks import Desks
from support.firefox import Firefox
from support.house import PASSPHRASE, House
from support.newsdesk import Result
from support.onion_box import OnionBox
from support.relay_process import RelayProcess, new_id
from support.sealer_process import SealerProcess
from support.tornet import Network, Tor

from keys.desk import socks
from keys.desk.keygen import new_onions
from keys.onion import ClientKey

VISITOR = ("SocksPort auto ExtendedErrors OnionTrafficOnly", "ClientOnly 1")
_INVITED = ("ada", "bea")
_SEALER = "sealer.sock"
_NO_PAGE = "http://127.0.0.1:1"  # for the watcher of these desks: it has tests of its own


@contextmanager
def running(folder: Path) -> Iterator[Onions]:
    """A newsroom's onions on a network of their own, until the `with` block is left."""
    for place in (folder, folder / "closed"):
        place.mkdir(exist_ok=True)
        new_onions(place)
    control = f"unix:{folder}/network/box/control"
    more = "onion: ../source-onion/hostname\ndesk_onion: ../desk-onion/hostname\nwithout_javascript: seal\n"
    relay = {**_sockets(folder), "control": control}
    with ThreadPoolExecutor(1) as pool, ExitStack() as stack:
        # While the network starts, which is mostly waiting.
        building = pool.submit(House, folder / "house", _INVITED, more, relay)
        stack.callback(lambda: building.result().relay.stop())
        sealing = pool.submit(lambda: _sealer(building.result(), folder))
        stack.callback(lambda: sealing.result().stop())
        network = stack.enter_context(Network(folder / "network"))
        desks = stack.enter_context(Desks())
        yield Onions(folder, network, building.result(), sealing.result(), desks)


def _sealer(house: House, folder: Path) -> SealerProcess:
    listen = {"listen": f"unix:{folder / _SEALER}", "circuits": "haproxy"}
    return SealerProcess(house.edition, house.relay.source, folder / "sealer.yaml", **listen)


def _sockets(folder: Path) -> dict[str, str]:
    """Where a relay in this folder listens to its tor."""
    unix = {name: f"unix:{folder}/{name}.sock" for name in ("source", "desk")}
    return unix | {"circuits": "haproxy"}


class Onions(OnionBox):
    """A newsroom's own box. ada and bea are invited; the tor `ada` has ada's key, the tor `source` none.
    `closed_onion` is a desk onion to which nobody is invited."""

    def __init__(
        self, folder: Path, network: Network, house: House, sealer: SealerProcess, desks: Desks
    ) -> None:
        closed = folder / "closed/desk-onion"
        super().__init__(
            "box", folder, network, house.relay, _INVITED, closed=[closed], sealer=folder / _SEALER
        )
        self.network = network
        self.house = house
        self.sealer = sealer
        self.desks = desks
        self.closed_onion = self.onions[-1]
        self.ada = network.tor("ada", [*VISITOR, f"ClientOnionAuthDir {self.keys('ada')}"])
        self.source = network.tor("source", VISITOR)
        self.published()
        for visitor in (self.source, self.ada):
            visitor.wait("it has no circuit", "status/bootstrap-phase", lambda said: "PROGRESS=100" in said)

    @contextmanager
    def another(self, name: str) -> Iterator[OnionBox]:
        """A second box of the newsroom, published, with a relay and onions of its own."""
        folder = self.folder / name
        folder.mkdir()
        new_onions(folder)
        with RelayProcess(self.house.edition, folder / "data", **_sockets(folder)) as relay:
            box = OnionBox(name, folder, self.network, relay, _INVITED)
            try:
                box.published()
                yield box
            finally:
                box.tor.stop()

    def desk(
        self,
        name: str,
        *words: str | Path,
        tor: Tor | None = None,
        box: OnionBox | None = None,
        home: Path | None = None,
        text: str = "",
    ) -> Result:
        """What this journalist's `desk` says, over ada's tor or the given one, of the newsroom's own box or
        the given one; it joins first where it has not. In a `home` of its own its watcher sees the page."""
        tor, box = tor or self.ada, box or self
        keys = ("--masthead", self.house.folder / "masthead.pub")
        keys += ("--identity", self.house.folder / f"{name}.key")
        where = ("--relay", f"http://{box.desk_onion}", "--socks", socks_port(tor))
        joining = (self.house.edition, *keys, *where, *(() if home else ("--page", _NO_PAGE)))
        home = home or box.folder / f"{name}-at-{tor.folder.name}"
        return self.desks.at(home, joining, PASSPHRASE, *words, text=text)


def socks_port(tor: Tor) -> str:
    """Where a visitor's tor listens."""
    found = re.search(r'"(127\.0\.0\.1:[0-9]+)"', tor.info("net/listeners/socks"))
    assert found is not None
    return found[1]


def through(firefox: Firefox, tor: Tor) -> None:
    """Has a Firefox go through a visitor's tor from now on."""
    firefox.set_pref("network.proxy.socks_port", int(socks_port(tor).rpartition(":")[2]))


@contextmanager
def visit(
    port: str, onion: str, circuit: str = "", patience: float = 60
) -> Iterator[http.client.HTTPConnection]:
    """A connection to an onion, on a circuit of its own or the one of this name; `patience` is in seconds."""
    opened = http.client.HTTPConnection(onion)
    opened.sock = socks.connect(port, onion, 80, circuit or new_id(), patience)
    try:
        yield opened
    finally:
        opened.close()


@contextmanager
def given(tor: Tor, onion: str, key: ClientKey) -> Iterator[None]:
    """A tor that has a client key for an onion, as Tor Browser's prompt gives it."""
    name = onion.removesuffix(".onion")
    tor.ask(f"ONION_CLIENT_AUTH_ADD {name} x25519:{base64.b64encode(key.secret).decode()}")
    try:
        yield
    finally:
        tor.ask(f"ONION_CLIENT_AUTH_REMOVE {name}")
