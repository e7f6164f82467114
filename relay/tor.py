"""The box's tor, asked through its control socket (tor's control-spec). Only this module knows stem.

Of stem it takes the socket and the framing alone: no thread, and not `stem.connection`, which loads the whole
of it and hands the cookie to whatever answers in tor's place. All of this blocks, so the event loop keeps
away from it; none of it takes longer than the seconds it is given, whatever the other end does.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import os
import re
import time
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

import stem.socket

from relay.errors import NoTor
from relay.plug import Plug
from relay.settings import Address

SECONDS = 3  # for anything that tor itself can answer
CLOSE_SECONDS = 20  # nobody waits for it, and a tor that is being flooded has much to do before it answers
FETCH_SECONDS = 60  # for a descriptor that tor asks other machines for
REPUBLISHES = timedelta(hours=2)  # after one to two, tor uploads a descriptor anew

_MOST = 1 << 18  # bytes of one conversation; a descriptor has 50 kB at most
_TRIES = 4  # directories; a visitor's tor asks up to six
_HOUR = timedelta(hours=1)
_SIGNED_FOR = 55 * _HOUR  # tor's HS_DESC_CERT_LIFETIME, and the hour begun
_COOKIE = re.compile(r'^AUTH METHODS=(?:\S+,)?SAFECOOKIE\S* COOKIEFILE="(/[^"\\]+)"$', re.M)
_CHALLENGE = re.compile(r"AUTHCHALLENGE SERVERHASH=([0-9A-F]{64}) SERVERNONCE=([0-9A-F]{64})")
_PROGRESS = re.compile(r" PROGRESS=([0-9]{1,3}) ")
_CERTIFICATE = re.compile(
    r"^descriptor-signing-key-cert\n-----BEGIN ED25519 CERT-----\n([A-Za-z0-9+/=\n]{1,999})-----END", re.M
)


@dataclass(frozen=True, slots=True)
class Published:
    """What is known of an onion where visitors look for it."""

    served: bool  # tor has made a descriptor for it
    found: bool | None = False  # a directory gave it just now; None when tor asked all too short a time ago
    uploaded: datetime | None = None  # the beginning of the hour in which the last one found was

    @property
    def stale(self) -> bool:
        """Whether tor should have uploaded it anew by now."""
        return self.uploaded is not None and self.uploaded + _HOUR + REPUBLISHES < datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Health:
    """What tor says of itself."""

    progress: int  # percent of its start; at 100 it can reach the network
    onions: dict[str, Published]  # empty until then


def health(address: Address, onions: Mapping[str, str]) -> Health:
    """What tor says of itself and of these onions, by any names; refuses (NoTor) when it says nothing.

    Each descriptor is fetched from a directory as a visitor would, for that it was uploaded some time tells
    less. This may take a minute each.
    """
    with _talk(address, SECONDS) as tor:
        found = _PROGRESS.search(tor.info("status/bootstrap-phase") or "")
    progress = int(found[1]) if found else 0
    if progress < 100:
        return Health(progress, {})
    return Health(progress, {name: _published(address, onion) for name, onion in onions.items()})


def close(address: Address, circuits: Iterable[int]) -> None:
    """Has tor close circuits, those that are still there; refuses (NoTor) when it cannot be asked."""
    with _talk(address, CLOSE_SECONDS) as tor:
        for circuit in circuits:
            tor.ask(f"CLOSECIRCUIT {circuit}")


class Closer:
    """Has tor close circuits, one connection for all that wait. What fails is not tried again: without it,
    they have their share and no more."""

    def __init__(self, address: Address) -> None:
        self._address = address
        self._waiting: list[int] = []
        self._closing: asyncio.Task[None] | None = None

    def __call__(self, circuit: int) -> None:
        self._waiting.append(circuit)
        if self._closing is None:
            self._closing = asyncio.get_running_loop().create_task(self._close())

    async def _close(self) -> None:
        try:
            while self._waiting:
                circuits, self._waiting = self._waiting, []
                with suppress(NoTor):
                    await asyncio.to_thread(close, self._address, circuits)
        finally:
            self._closing = None


def _published(address: Address, onion: str) -> Published:
    name = onion.removesuffix(".onion")
    with _talk(address, FETCH_SECONDS) as tor:
        if tor.info(f"hs/service/desc/id/{name}") is None:
            return Published(served=False)
        found = _fetch(tor, name)
    # In time of its own, for directories that do not answer take all of that.
    with _talk(address, SECONDS) as tor:
        last = tor.info(f"hs/client/desc/id/{name}")
    if last is None:
        return Published(served=True)
    return Published(True, found, _uploaded(last))


def _fetch(tor: _Control, name: str) -> bool | None:
    """Whether directories have the descriptor; None when tor asks none, as for 15 minutes after it asked them
    all."""
    tor.ask("SETEVENTS HS_DESC")
    for _ in range(_TRIES):
        tor.events.clear()
        tor.ask(f"HSFETCH {name}")
        tor.info("version")  # after the answer to this, the event of asking is here
        if not tor.heard("REQUESTED", name):
            return None
        try:
            while not tor.heard("FAILED", name):
                if tor.heard("RECEIVED", name):
                    return True
                tor.listen()
        except TimeoutError:
            break
    return False


def _uploaded(descriptor: str) -> datetime | None:
    """The beginning of the hour in which a descriptor was uploaded, for its signing key's certificate is made
    then. It ends 54 hours later, rounded up; that hour stands at the third byte (cert-spec, section 2.1)."""
    found = _CERTIFICATE.search(descriptor)
    try:
        hours = int.from_bytes(base64.b64decode(found[1] if found else "")[2:6], "big")
        return datetime.fromtimestamp(hours * 3600, UTC) - _SIGNED_FOR
    except (ValueError, OverflowError):
        return None


@contextmanager
def _talk(address: Address, seconds: float) -> Iterator[_Control]:
    """A connection to tor that proved to be tor, to which this process proved that it may read its cookie."""
    try:
        with _Control(address, seconds) as tor:
            tor.authenticate()
            yield tor
    except FileNotFoundError:
        raise NoTor("tor is not running, or has another control socket") from None
    except ConnectionRefusedError:
        raise NoTor("tor is not running") from None
    except PermissionError:
        raise NoTor("this user may not use tor's control socket") from None
    except (OSError, ValueError, IndexError, stem.ControllerError):
        raise NoTor("tor does not answer at its control socket") from None


class _Control(stem.socket.ControlSocket):  # type: ignore[misc]  # stem says nothing of its types
    """One conversation."""

    def __init__(self, address: Address, seconds: float) -> None:
        super().__init__()
        self._address = address
        self._end = time.monotonic() + seconds
        self.events: deque[list[str]] = deque(maxlen=100)
        self.connect()

    def _make_socket(self) -> Plug:
        return Plug(self._address, self._end, _MOST)

    def authenticate(self) -> None:
        """By SAFECOOKIE alone: who only sits where tor should does not learn the cookie."""
        found = _COOKIE.search(str(self.ask("PROTOCOLINFO 1")))
        if found is None:
            raise NoTor("tor offers no cookie at its control socket")
        cookie, ours = _read_cookie(found[1]), os.urandom(32)
        challenge = _CHALLENGE.fullmatch(str(self.ask(f"AUTHCHALLENGE SAFECOOKIE {ours.hex()}")))
        if challenge is None:
            raise NoTor("tor does not take its cookie at its control socket")
        proof, theirs = (bytes.fromhex(one) for one in challenge.groups())
        if not hmac.compare_digest(proof, _hash("server-to-controller", cookie, ours, theirs)):
            raise NoTor("what listens at the control socket is not tor")
        if not self.ask(f"AUTHENTICATE {_hash('controller-to-server', cookie, ours, theirs).hex()}").is_ok():
            raise NoTor("tor does not take its cookie at its control socket")

    def ask(self, command: str) -> Any:
        """The answer to a command; events that come before it are kept."""
        self.send(command)
        while (answer := self.recv()).content()[0][0] == "650":
            self._keep(answer)
        return answer

    def info(self, key: str) -> str | None:
        """What GETINFO says; None when tor knows of no such thing."""
        answer = self.ask(f"GETINFO {key}")
        start = f"{key}="
        said: str = answer.content()[0][2]
        return said.removeprefix(start).strip() if answer.is_ok() and said.startswith(start) else None

    def listen(self) -> None:
        """Waits for an event; TimeoutError when none came in the time there was."""
        try:
            self._keep(self.recv())
        except stem.SocketClosed:
            if time.monotonic() < self._end:
                raise
            raise TimeoutError from None

    def heard(self, action: str, name: str) -> bool:
        """Whether this happened with a descriptor that was asked for; uploads' events say UNKNOWN."""
        return ["HS_DESC", action, name, "NO_AUTH"] in (event[:4] for event in self.events)

    def _keep(self, event: Any) -> None:
        self.events.append(str(event).split())


def _read_cookie(path: str) -> bytes:
    """Refuses (NoTor) what is not a cookie, since the other end names the file."""
    try:
        with open(path, "rb", opener=_open_plainly) as file:
            cookie = file.read(33)
    except OSError:
        raise NoTor("this user may not read tor's cookie") from None
    if len(cookie) != 32:
        raise NoTor("tor's cookie is not one")
    return cookie


def _open_plainly(path: str, flags: int) -> int:
    return os.open(path, flags | os.O_NONBLOCK | os.O_NOFOLLOW)


def _hash(direction: str, *parts: bytes) -> bytes:
    """One side's proof (control-spec, section 3.24)."""
    key = f"Tor safe cookie authentication {direction} hash".encode()
    return hmac.digest(key, b"".join(parts), hashlib.sha256)
