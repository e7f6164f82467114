"""A tor with a box's torrc, its onions, and the doors through which they lead to a relay."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from support.front import Front
from support.relay_process import RelayProcess
from support.tor import render_torrc
from support.tor_control import uploads
from support.tornet import Network, Tor

from keys.desk.keygen import new_client
from keys.onion import ClientKey


class OnionBox:
    """The onions whose keys are in `folder`, to the unix sockets of a relay; its tor is called `name`, and
    these journalists are invited. `closed` are the folders of onions for desks to which nobody is; the source
    onion leads to the `sealer` too."""

    def __init__(
        self,
        name: str,
        folder: Path,
        network: Network,
        relay: RelayProcess,
        journalists: Iterable[str],
        *,
        closed: Iterable[Path] = (),
        sealer: Path | None = None,
    ) -> None:
        self.folder = folder
        self.relay = relay
        self.clients = folder / "desk-onion/authorized_clients"
        for journalist in journalists:
            self._invite(journalist)
        source, desk = doors = [folder / f"{name}.door" for name in ("source", "desk")]
        for door, socket in zip(doors, (relay.source, relay.desk), strict=True):
            door.symlink_to(socket.removeprefix("unix:"))
        onions = {folder / "source-onion": source, folder / "desk-onion": desk} | dict.fromkeys(closed, desk)
        self.onions = [(place / "hostname").read_text().strip() for place in onions]
        self.source_onion, self.desk_onion, *_ = self.onions
        self.tor = network.tor(name, [render_torrc(onions.items(), sealer)])

    def published(self) -> None:
        """Returns once the descriptors of all its onions are with their directories."""
        with self.tor.control() as control:
            control.ask("SETEVENTS HS_DESC")
            try:
                for _ in uploads(control, *self.onions):
                    pass
            except TimeoutError:
                raise TimeoutError(f"the onions are not published: {self.tor.said()}") from None

    def restart_tor(self, *visitors: Tor) -> None:
        """Ends its tor and starts it again. Visitors give up their circuits to it, which are dead, and learn
        where the onions are now: tor asks a directory only once in 15 minutes, and NEWNYM, which ends that,
        has effect every 10 seconds."""
        self.tor.stop()
        self.tor.start()
        self.published()
        for visitor in visitors:
            visitor.close_circuits(*self.onions)
            visitor.look_up(self.source_onion, self.desk_onion)

    def restart_relay(self) -> None:
        self.relay.kill()
        self.relay.start()

    def key(self, name: str) -> ClientKey:
        """The client key of an invitation."""
        return ClientKey.parse((self.keys(name) / f"{name}.auth_private").read_text())[1]

    def keys(self, name: str) -> Path:
        """The folder of a journalist's half of an invitation, for ClientOnionAuthDir."""
        return self.folder / f"{name}-keys"

    def _invite(self, name: str) -> None:
        theirs = self.keys(name)
        theirs.mkdir(mode=0o700)
        onion = (self.folder / "desk-onion/hostname").read_text().strip()
        auth, _, browser = new_client(name, onion, theirs)
        auth.rename(self.clients / auth.name)
        browser.unlink()

    @contextmanager
    def front(self, which: str) -> Iterator[Front]:
        """What stands between its tor and the relay's socket `which`, source or desk."""
        door = self.folder / f"{which}.door"
        socket = door.readlink()
        door.unlink()
        try:
            with Front(f"unix:{socket}", at=door) as front:
                yield front
        finally:
            door.unlink()
            door.symlink_to(socket)
