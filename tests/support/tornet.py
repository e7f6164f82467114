"""A Tor network of its own at one address: one authority and three relays, ready within some seconds.

Why it is fast and always the same: the authority's first vote is put off until it knows every relay, and then
called at once; the relays are woken after it, for their first attempts failed and made them wait. Only the
authority and the relays run as a testing network: whoever uses it has tor's ordinary timing.
"""

from __future__ import annotations

import base64
import os
import random
import socket
import subprocess
import time
import urllib.request
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from support import tor_authority
from support.tor import TOR
from support.tor_control import Control

_RELAYS = 3
_PATIENCE = 60  # seconds for any one step, before the log is shown
_PUT_OFF = 900  # seconds to a vote that is called before
_TESTING = ("TestingTorNetwork 1", "AssumeReachable 1", "PathsNeededToBuildCircuits 0.25")
_LOOPBACK = (
    "AssumeReachable 1",
    "DirAllowPrivateAddresses 1",
    "EnforceDistinctSubnets 0",
    "ExtendAllowPrivateAddresses 1",
    "ClientRejectInternalAddresses 0",
    "ClientDNSRejectInternalAddresses 0",
    "PathsNeededToBuildCircuits 0.25",
    "Schedulers Vanilla",
    "VanguardsLiteEnabled 0",  # four nodes are too few for their longer paths: many fail at first
)
_NODE = (
    "SocksPort 0",
    "ExitRelay 0",
    "ExitPolicy reject *:*",
    "ContactInfo nobody@test.invalid",
    "NumCPUs 1",
    "ConnLimit 100",
    "Schedulers Vanilla",  # KIST's pauses add up over six hops of loopback
)


def until(what: str, done: Callable[[], bool], said: Callable[[], str] = str) -> None:
    """Waits until something is so; TimeoutError, with what `said` gives, when it never is."""
    start = time.monotonic()
    while not done():
        if (waited := time.monotonic() - start) > _PATIENCE:
            raise TimeoutError(f"{what}: {said()}")
        time.sleep(min(0.03 + waited / 20, 0.3))


class Tor:
    """One tor in a folder. It ends with the process that started it, however that ends."""

    def __init__(self, folder: Path, lines: Iterable[str]) -> None:
        folder.mkdir(mode=0o700, exist_ok=True)
        self.folder = folder
        self._control = folder / "control"
        common = (
            f"DataDirectory {folder}/data",
            f"Log notice file {folder}/log",
            f"ControlSocket {self._control}",
            "CookieAuthentication 1",
            f"__OwningControllerProcess {os.getpid()}",
            "ShutdownWaitLength 0",
            "DormantClientTimeout 1 week",
        )
        (folder / "torrc").write_text("\n".join((*common, *lines)) + "\n")
        self.start()

    def start(self) -> None:
        words = [TOR, "-f", self.folder / "torrc", "--defaults-torrc", self.folder / "none", "--quiet"]
        self._process = subprocess.Popen(words, stdin=subprocess.DEVNULL)

    @property
    def pid(self) -> int:
        return self._process.pid

    def stop(self) -> None:
        self._process.terminate()
        try:
            self._process.wait(_PATIENCE)
        finally:
            self._process.kill()

    def control(self) -> Control:
        """A connection to its control socket, once it has one."""
        made: list[Control] = []
        until(f"{self.folder.name} does not start", lambda: self._answers(made), self.said)
        return made[0]

    def ask(self, command: str) -> str:
        with self.control() as control:
            return control.ask(command)

    def info(self, key: str) -> str:
        with self.control() as control:
            return control.info(key)

    def wait(self, what: str, key: str, right: Callable[[str], bool]) -> None:
        """Waits until what GETINFO says is right; `what` says what it is not."""
        with self.control() as control:
            until(f"{self.folder.name}: {what}", lambda: right(control.info(key)), self.said)

    def look_up(self, *onions: str) -> None:
        """Returns once a directory has said where each of these onions is now, or none has."""
        with self.control() as control:
            control.ask("SETEVENTS HS_DESC")
            nodes = [line.split()[2] for line in control.info("ns/all").splitlines() if line.startswith("r ")]
            # By name: of those that tor would choose itself it asks each only once in 15 minutes.
            servers = " ".join(f"SERVER={base64.b64decode(node + '=').hex()}" for node in nodes)
            for onion in onions:
                name = onion.removesuffix(".onion")
                control.ask(f"HSFETCH {name} {servers}")
                waiting = len(nodes)
                while waiting:
                    action, of = control.event()[1:3]
                    if of == name and action in ("RECEIVED", "FAILED"):
                        waiting = 0 if action == "RECEIVED" else waiting - 1

    def close_circuits(self, *onions: str) -> None:
        """Closes its circuits to these onions, with what goes through them."""
        theirs = {f"REND_QUERY={onion.removesuffix('.onion')}" for onion in onions}
        with self.control() as control:
            for line in control.info("circuit-status").splitlines():
                if theirs & set(line.split()):
                    with suppress(RuntimeError):  # it has closed meanwhile
                        control.ask(f"CLOSECIRCUIT {line.split()[0]}")

    def _answers(self, made: list[Control]) -> bool:
        if self._process.poll() is not None:
            raise RuntimeError(f"{self.folder.name} ended: {self.said()}")
        with suppress(OSError, RuntimeError):
            made.append(Control(self._control, self.folder / "data/control_auth_cookie"))
        return bool(made)

    def said(self) -> str:
        """The end of its log."""
        log = self.folder / "log"
        return log.read_text(errors="replace")[-3000:] if log.exists() else "it said nothing"


class Network:
    """The network, in a `with` block; `tor` adds a tor that uses it."""

    def __init__(self, folder: Path, address: str = "127.0.0.1") -> None:
        folder.mkdir(mode=0o700)
        self._folder, self._address = folder, address
        self._tors: list[Tor] = []

    def __enter__(self) -> Network:
        try:
            self._found()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        for one in reversed(self._tors):
            one.stop()

    def tor(self, name: str, lines: Iterable[str]) -> Tor:
        """A tor with ordinary timing."""
        return self._add(name, (*self.lines, *lines))

    @property
    def lines(self) -> tuple[str, ...]:
        """What a torrc says of it."""
        return self._authority_line, *_LOOPBACK

    def _add(self, name: str, lines: Iterable[str]) -> Tor:
        self._tors.append(Tor(self._folder / name, lines))
        return self._tors[-1]

    def _found(self) -> None:
        or_port, dir_port, *ports = _free_ports(2 + _RELAYS)
        self._dir = f"http://{self._address}:{dir_port}/tor"
        where = (self._address, or_port, dir_port)
        identity, fingerprint = tor_authority.make(self._folder / "authority", *where)
        self._authority_line = (
            f"DirAuthority authority orport={or_port} no-v2 v3ident={identity} "
            f"{self._address}:{dir_port} {fingerprint}"
        )
        common = (self._authority_line, *_TESTING, *_NODE, f"Address {self._address}")
        votes = (
            f"Nickname authority\nORPort {or_port} IPv4Only\nDirPort {dir_port} IPv4Only",
            "AuthoritativeDirectory 1\nV3AuthoritativeDirectory 1",
            f"TestingV3AuthInitialVotingInterval {2 * _PUT_OFF} seconds",
            f"TestingV3AuthVotingStartOffset {(int(time.time()) + _PUT_OFF) % (2 * _PUT_OFF)} seconds",
            "TestingV3AuthInitialVoteDelay 2 seconds\nTestingV3AuthInitialDistDelay 2 seconds",
            # With a day in place of this hour, directories refuse every second descriptor of an onion.
            "V3AuthVotingInterval 1 hour\nV3AuthVoteDelay 2 seconds\nV3AuthDistDelay 2 seconds",
            "TestingDirAuthVoteExit *\nTestingDirAuthVoteHSDir *",
            "TestingMinExitFlagThreshold 0\nMinUptimeHidServDirectoryV2 0",
        )
        authority = self._add("authority", (*common, *votes))
        relays = [
            self._add(f"relay{n}", (*common, f"Nickname relay{n}", f"ORPort {port} IPv4Only"))
            for n, port in enumerate(ports)
        ]
        until("not all relays are known", lambda: self._count("/server/all", b"\nrouter ") >= _RELAYS)
        guards = ",".join(relay.info("fingerprint") for relay in relays)
        start = int(time.time() + 0.2) + 3  # tor shrinks the delays of an interval of 5 seconds to 1 each
        authority.ask(
            # The authority alone has some bandwidth to show, so it is the last relay of most paths. Were it
            # anybody's guard, it would be the first as well, and none of those paths could be built.
            f"SETCONF TestingDirAuthVoteGuard={guards} TestingDirAuthVoteGuardIsStrict=1 "
            'TestingV3AuthInitialVotingInterval="5 seconds" '
            f'TestingV3AuthVotingStartOffset="{start % 5} seconds"'
        )
        consensus = "/status-vote/current/consensus"
        until("there is no consensus", lambda: self._count(consensus, b"\nr ") > _RELAYS)
        for relay in relays:
            relay.ask("SIGNAL HUP")
        for relay in relays:
            # What one of them did not have yet, a client would not ask for again for a minute.
            relay.wait(
                "it does not know all", "md/all", lambda said: said.count("\nntor-onion-key ") > _RELAYS
            )

    def _count(self, path: str, what: bytes) -> int:
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        try:
            with direct.open(self._dir + path, timeout=5) as answer:
                return int(answer.read().count(what))
        except OSError:
            return 0


def _free_ports(count: int) -> list[int]:
    """Ports that nobody has now, below those that connections get by chance."""
    found: list[int] = []
    while len(found) < count:
        port = random.randrange(12000, 32000)  # noqa: S311 - chance, not secrecy
        with socket.socket() as tried:
            try:
                tried.bind(("127.0.0.1", port))
            except OSError:
                continue
            if port not in found:
                found.append(port)
    return found
