"""A machine in a container and the newsroom it is made for, as the tests of the box use them."""

from __future__ import annotations

import http.client
import json
import re
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import container
from support.box_room import PROVISION, ansible
from support.container import Container
from support.onions import socks_port, visit
from support.relay_process import Reply, ask
from support.tornet import Tor

from keys.errors import Unreachable

IN_A_CONTAINER = [
    pytest.mark.box,
    pytest.mark.skipif(bool(container.missing()), reason=f"no box was made: {container.missing()}"),
]
_TOR = "/usr/bin/tor -f /etc/tor/torrc --defaults-torrc /usr/share/tor/tor-service-defaults-torrc"
# A run that says all it does, and since Ansible 2.21 only so what each step was given.
TELLS_ALL = ("-vvvv", "--diff", "-e", "ansible_inject_invocation=true")
FAILED = "systemctl --failed --no-legend --plain | cut -d' ' -f1"  # its units that did
CIRCUIT = b"PROXY TCP6 fc00:dead:beef:4dad::1:2 ::1 80 80\r\n"


class Box:
    """A machine and the newsroom it is made for."""

    def __init__(self, machine: Container, newsroom: Path) -> None:
        self.machine, self.newsroom = machine, newsroom
        self.way: dict[str, object] = {}  # how Ansible gets there, if not straight into the container

    def converge(self, *words: str) -> str:
        """What Ansible says at the end: `ok=… changed=… …`."""
        done = self.play("playbook.yml", *words)
        assert done.returncode == 0, self.said[-6000:]
        return next(line for line in done.stdout.splitlines() if re.match(r"box +: ok=", line))

    def preflight(self, *words: str) -> str:
        """What is told of a machine on which nothing can be done, as one line; it changes nothing."""
        done = self.play("playbook.yml", "--tags", "nothing", *words)
        assert done.returncode == 2, self.said[-6000:]
        assert " changed=0 " in done.stdout, self.said[-6000:]
        return " ".join(done.stdout.split())

    def play(self, playbook: str, *words: str) -> subprocess.CompletedProcess[str]:
        here = {"ansible_connection": "container", "container_pid": self.machine.pid, "ansible_user": "root"}
        done = play(self.newsroom, self.way or here, playbook, *words)
        self.said = done.stdout + done.stderr
        return done

    def request(self, which: str, head: str, body: bytes = b"") -> tuple[int, bytes]:
        """The status and body of `ask`, given METHOD TARGET."""
        reply = self.ask(which, *head.split(), body)
        return reply.status, reply.body

    def ask(
        self, which: str, method: str, target: str, body: bytes | None = None, *, circuit: int = 2
    ) -> Reply:
        """The reply of one of the box's sockets, asked as tor does; waits for one that is being opened."""
        with self.wire(which, circuit) as wire:
            return ask(wire, method, target, body, {"Connection": "close"})

    @contextmanager
    def wire(self, which: str, circuit: int = 2) -> Iterator[http.client.HTTPConnection]:
        """A connection to one of the box's sockets, as tor brings it, for any number of requests."""
        opened = http.client.HTTPConnection("box")
        opened.sock = self._connected(f"/proc/{self.machine.pid}/root/run/knothole/{which}/socket")
        try:
            opened.sock.sendall(CIRCUIT.replace(b"1:2", f"1:{circuit:x}".encode()))
            yield opened
        finally:
            opened.close()

    def use(self, network: Iterable[str]) -> None:
        """Has its tor use another network, of which a torrc says this, from its next start."""
        options = " ".join('--{} "{}"'.format(*line.split(" ", 1)) for line in network)
        drop_in = Path(f"/proc/{self.machine.pid}/root/etc/systemd/system/tor@default.service.d/network.conf")
        drop_in.parent.mkdir()
        drop_in.write_text(f"[Service]\nExecStart=\nExecStart={_TOR} --RunAsDaemon 0 {options}\n")

    def tor_said(self) -> str:
        """The end of its tor's log."""
        return self.machine.shell("journalctl --unit=tor@default --no-pager --lines=40")

    def by_ssh(self, user: str, folder: Path) -> None:
        """Has Ansible come as a user, who has a new key in this folder, to where newsroom.yaml says."""
        key = folder / "key"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", key], check=True)
        public = key.with_suffix(".pub").read_text().strip()
        self.machine.shell(
            f"cd ~{user}; install -d -o {user} -m 700 .ssh; echo {public!r} >.ssh/authorized_keys"
        )
        known = f"-o UserKnownHostsFile={folder}/known -o StrictHostKeyChecking=accept-new"
        self.way = {
            "ansible_connection": "ssh",
            "ansible_ssh_private_key_file": str(key),
            "ansible_ssh_extra_args": f"{known} -o IdentitiesOnly=yes -F none",
            "ansible_control_path_dir": str(folder),
        }

    def as_user(self, user: str, program: str, *words: str) -> subprocess.CompletedProcess[str]:
        """A Python program with a user's rights, and those of their own group alone."""
        group = self.machine.shell(f"id -g {user}")
        be = ("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups")
        return self.machine.run(*be, "python3", "-c", program, *words)

    def _connected(self, path: str) -> socket.socket:
        for tries in range(300, 0, -1):
            wire = socket.socket(socket.AF_UNIX)
            wire.settimeout(30)
            try:
                wire.connect(path)
                return wire
            except (ConnectionRefusedError, FileNotFoundError):
                wire.close()
                if tries == 1:
                    raise
                time.sleep(0.1)
        raise AssertionError(path)


def play(
    newsroom: Path, way: dict[str, object], playbook: str, *words: str
) -> subprocess.CompletedProcess[str]:
    """What comes of a playbook, given how Ansible gets to the machine."""
    hosts = newsroom.with_name("machine.json")
    hosts.write_text(json.dumps({"all": {"hosts": {"box": way}}}))
    inventories = ["-i", PROVISION / "inventory.py", "-i", hosts]
    vault = ["--vault-password-file", newsroom.with_name("vault")]
    return ansible("ansible-playbook", *inventories, *vault, *words, playbook, newsroom=newsroom)


def found(visitor: Tor, onion: str) -> bool:
    """Whether a visitor has the page of an onion, with what a directory says of it now. That may be where it
    is no longer, and a visitor would wait there for as long as anyone lets them."""
    visitor.look_up(onion)
    try:
        with visit(socks_port(visitor), onion, patience=15) as opened:
            return ask(opened, "GET", "/en/send.html").status == 200
    except (Unreachable, TimeoutError):
        return False
