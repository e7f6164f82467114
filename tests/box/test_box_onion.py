"""The box on a Tor network: from the first descriptor to the day when ssh goes through its onion alone."""

import shutil
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.box_machine import IN_A_CONTAINER, Box, found
from support.box_room import PROVISION, copied
from support.builds import JOURNALISTS
from support.newsdesk import Result, run
from support.onions import VISITOR, given, socks_port, visit
from support.outside import ADDRESS, BOX, Outside
from support.relay_process import ask, new_id
from support.small_edition import some_drop
from support.tornet import Network, Tor, until

from keys.desk import socks
from keys.errors import Unreachable
from keys.identity import lock
from keys.onion import ClientKey

pytestmark = IN_A_CONTAINER


class Town:
    """A box whose tor uses the Tor network outside of it; a visitor's tor there, ada's and the operator's."""

    def __init__(self, box: Box, outside: Outside, network: Network, folder: Path) -> None:
        self.box, self.outside, self.folder = box, outside, folder
        self.source, self.desk, self.ssh = (
            (box.newsroom.parent / f"{name}-onion/hostname").read_text().strip()
            for name in ("source", "desk", "ssh")
        )
        self.visitor = network.tor("visitor", VISITOR)
        self.ada, self.operator = (self._invited(network, name) for name in ("ada", "operator"))

    def _invited(self, network: Network, name: str) -> Tor:
        keys = self.folder / f"{name}-keys"
        keys.mkdir(mode=0o700)
        shutil.copy(self.box.newsroom.with_name(f"{name}.auth_private"), keys)
        return network.tor(name, [*VISITOR, f"ClientOnionAuthDir {keys}"])

    def banner(self, tor: Tor) -> bytes:
        """What sshd says first, through a tor."""
        with socks.connect(socks_port(tor), self.ssh, 22, new_id(), 60) as plug:
            return plug.recv(20)


@pytest.fixture(scope="module")
def town(box: Box, figures: dict[str, str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    folder = tmp_path_factory.mktemp("town")
    with Outside(box.machine) as outside, outside.entered(), Network(folder / "network", ADDRESS) as network:
        box.use(network.lines)
        began = time.monotonic()
        box.machine.shell("systemctl daemon-reload; systemctl restart tor@default")
        town = Town(box, outside, network, folder)
        until("nobody finds the page", lambda: found(town.visitor, town.source), town.box.tor_said)
        figures["seconds from tor's start until a visitor has the page"] = f"{time.monotonic() - began:.0f}"
        yield town


def test_a_visitor_gets_the_page_as_it_was_signed(town: Town) -> None:
    words = (
        "verify-edition",
        f"http://{town.source}",
        "--masthead",
        town.box.newsroom.with_name("masthead.pub"),
    )
    done = run(*words, "--socks", socks_port(town.visitor), passphrase=None)
    assert done.status == 0, done.err
    assert done.out.startswith("genuine: edition 3")


def test_a_visitor_without_javascript_finds_the_sealer(town: Town) -> None:
    with socks.connect(socks_port(town.visitor), town.source, 8080, new_id(), 60) as plug:
        plug.sendall(b"GET /en/send.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        assert plug.recv(1 << 16).startswith(b"HTTP/1.1 200 ")


def test_what_a_source_sends_is_at_the_desk(town: Town) -> None:
    id_ = new_id()
    with visit(socks_port(town.visitor), town.source) as opened:
        assert ask(opened, "PUT", f"/drops/{id_}/0?commit", some_drop(20_000, 2)).status == 201
    with visit(socks_port(town.ada), town.desk) as opened:
        assert id_ in [drop["id"] for drop in ask(opened, "GET", "/drops").said["drops"]]
        assert ask(opened, "DELETE", f"/drops/{id_}").status == 204


def test_a_journalist_joins_and_fetches(town: Town) -> None:
    key = town.folder / "ada.key"
    key.write_bytes(lock(JOURNALISTS["ada"].to_text(), b"throwaway", 10))
    folder = town.box.newsroom.parent
    keys = ("--masthead", folder / "masthead.pub", "--identity", key)
    where = (
        "--relay",
        f"http://{town.desk}",
        "--socks",
        socks_port(town.ada),
        "--page",
        "http://127.0.0.1:1",
    )

    def desk(*words: str | Path) -> Result:
        return run("--home", town.folder / "home", *words, passphrase=b"throwaway")

    joined = desk("join", folder / "out/edition", *keys, *where)
    assert joined.status == 0, joined.err
    fetched = desk("fetch")
    assert fetched.status == 0, fetched.err


def test_who_is_not_invited_finds_neither_desk_nor_ssh(town: Town) -> None:
    for onion, port in ((town.desk, 80), (town.ssh, 22)):
        with pytest.raises(Unreachable, match="the onion wants a client key"):
            socks.connect(socks_port(town.visitor), onion, port, "x", 60)
    # A journalist's key opens no way to the machine.
    with pytest.raises(Unreachable, match="the onion wants a client key"):
        town.banner(town.ada)


def test_the_look_at_the_health_finds_nothing_wrong(town: Town) -> None:
    done = town.box.machine.run("systemctl", "start", "knothole-health")
    assert done.returncode == 0, town.box.machine.shell("journalctl -u knothole-health -n 40 --no-pager")


def test_the_operator_reaches_sshd_at_its_onion(town: Town) -> None:
    assert town.banner(town.operator).startswith(b"SSH-2.0-OpenSSH_")


@pytest.fixture(scope="module")
def remote(town: Town) -> Box:
    """The same machine, as newsroom.yaml has it that says `ssh: onion`: Ansible comes through the onion."""
    path = copied(town.box.newsroom, town.folder / "newsroom")
    path.write_text(path.read_text().replace("{host: 192.0.2.7}", "{host: 192.0.2.7, ssh: onion}"))
    box = Box(town.box.machine, path)
    box.by_ssh("root", town.folder)
    box.machine.shell("echo root:throwaway | chpasswd")
    return box


def port_22() -> bool:
    """Whether port 22 is open to the outside."""
    try:
        with socket.create_connection((BOX, 22), 2):
            return True
    except TimeoutError:
        return False


def test_the_run_that_comes_through_the_onion_closes_port_22(
    town: Town, remote: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SOCKS", socks_port(town.operator))
    assert port_22()
    assert " changed=2 " in remote.converge(), remote.said  # the rules, and that they were loaded
    assert not port_22()
    assert town.banner(town.operator).startswith(b"SSH-2.0-OpenSSH_")


def test_at_the_console_port_22_opens_again(town: Town, remote: Box) -> None:
    """The way back, as provision/README.md has it: until a restart, or the next run."""
    shell = town.box.machine.shell
    shell("nft add rule inet knothole input tcp dport 22 accept")
    assert port_22()
    shell("systemctl reload nftables")
    assert not port_22()


def test_a_run_through_the_onion_survives_that_tor_restarts_and_opens_port_22(
    town: Town, remote: Box, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Olga is let in, for which tor restarts; and then port 22 is opened for good."""
    monkeypatch.setenv("SOCKS", socks_port(town.operator))
    monkeypatch.setenv("THROUGH", "onion")
    remote.newsroom.write_text(remote.newsroom.read_text().replace(", ssh: onion}", "}"))
    olga = ClientKey.generate()
    clients = remote.newsroom.with_name("ssh-onion") / "authorized_clients"
    (clients / "olga.auth").write_text(f"{olga.public_line}\n")
    with looking_up(town.operator, town.ssh):
        # The invitation, tor, the rules, and that they were loaded.
        assert " changed=4 " in remote.converge(), remote.said
    assert port_22()
    with given(town.visitor, town.ssh, olga), looking_up(town.visitor, town.ssh):
        until("olga does not reach sshd", lambda: _answers(town, town.visitor))


@contextmanager
def looking_up(tor: Tor, onion: str) -> Iterator[None]:
    """Has a tor ask again and again where an onion is; by itself it does so once in 15 minutes."""
    over = threading.Event()

    def ask_again() -> None:
        while not over.wait(5):
            tor.look_up(onion)

    asking = threading.Thread(target=ask_again)
    asking.start()
    try:
        yield
    finally:
        over.set()
        asking.join()


def _answers(town: Town, tor: Tor) -> bool:
    try:
        return town.banner(tor).startswith(b"SSH-2.0-OpenSSH_")
    except Unreachable:
        return False


def test_ssh_through_tor_says_why_it_finds_no_way(town: Town) -> None:
    words = [sys.executable, PROVISION / "through_tor.py", town.ssh, "22"]
    done = subprocess.run(words, env={"SOCKS": socks_port(town.visitor)}, capture_output=True, text=True)
    assert done.returncode == 1
    assert "the onion wants a client key" in done.stderr
