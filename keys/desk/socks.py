"""Connections through tor: SOCKS 5 (RFC 1928 and 1929) as tor has it, and what it says goes wrong."""

from __future__ import annotations

import re
import socket

from keys.errors import DeskError, Unreachable

TOR = "127.0.0.1:9050"
_ADDRESS = re.compile(r"(127\.0\.0\.1|localhost):([1-9][0-9]{0,4})")
_BROWSER = "Tor Browser's is 127.0.0.1:9150 while it is open: give it with --socks"
_KEY = (
    "the newsroom's `desk invite` makes one; it goes into tor's ClientOnionAuthDir, or Tor Browser's prompt"
)
_AGAIN = "try again in some minutes; if it stays so, tell whoever keeps the box"
_ASK = "`SocksPort 9050 ExtendedErrors` in the torrc lets tor say which of them it is"

_NO_DIRECTORY = 0x04
# tor(1), ExtendedErrors, and the few plain ones that tor gives for an onion.
_TROUBLE = {
    0x01: ("tor reaches the box, but the relay on it is down, or tor has no network yet", _AGAIN),
    _NO_DIRECTORY: ("the onion is down, or this tor has no key for it or a wrong one", _ASK),
    0x05: ("the relay on the box is down", _AGAIN),
    0x06: ("tor found no way there in time", _AGAIN),
    0xF0: ("the onion cannot be found: the box is down, or its tor was started just now", _AGAIN),
    0xF1: ("tor cannot read what the onion says of itself", _AGAIN),
    0xF2: ("the onion does not answer: the box may be down", _AGAIN),
    0xF3: ("the onion does not answer: the box may be down", _AGAIN),
    0xF4: ("the onion wants a client key, and this tor has none for it", _KEY),
    0xF5: ("the onion does not take this tor's client key: it is another onion's, or was revoked", _KEY),
    0xF6: ("this is no onion address", "compare it with the newsroom's, letter by letter"),
    0xF7: ("the onion does not answer: the box may be down", _AGAIN),
}


def parse(address: str) -> tuple[str, int]:
    """Gives the host and port of a SOCKS port; raises DeskError for one that is not on this computer: whoever
    runs it sees where this desk goes."""
    found = _ADDRESS.fullmatch(address)
    if found is None or int(found[2]) > 65535:
        raise DeskError(f"tor's SOCKS port is an address such as {TOR}", hint=f"it is {address}")
    return found[1], int(found[2])


def connect(proxy: str, host: str, port: int, circuit: str, timeout: float) -> socket.socket:
    """Gives a connection over the circuit of this name, which tor shares with none of another name. Raises
    Unreachable with tor's reason in plain words."""
    for again in (True, False):
        plug = _plug(proxy, timeout)
        try:
            code = _ask(plug, host, port, circuit, proxy)
        except BaseException:
            plug.close()
            raise
        if code == 0:
            return plug
        plug.close()
        # A circuit to a directory failed, and others were not left to ask. Tor has forgotten whom it asked.
        if code != _NO_DIRECTORY or not again:
            break
    said, hint = _TROUBLE.get(code, (f"tor says error {code:X}", _AGAIN))
    raise Unreachable(said, hint=hint)


def _plug(proxy: str, timeout: float) -> socket.socket:
    try:
        return socket.create_connection(parse(proxy), timeout)
    except OSError:
        raise Unreachable(f"there is no tor at {proxy}", hint=f"start tor; {_BROWSER}") from None


def _ask(plug: socket.socket, host: str, port: int, circuit: str, proxy: str) -> int:
    """Tor's answer: 0 once the connection is there."""
    try:
        plug.sendall(b"\x05\x01\x02")
        if _read(plug, 2) != b"\x05\x02":
            raise Unreachable(f"what listens at {proxy} is not tor", hint=_BROWSER)
        plug.sendall(b"\x01" + _counted(circuit.encode()) + _counted(b"-"))
        if _read(plug, 2) != b"\x01\x00":
            raise Unreachable(f"what listens at {proxy} is not tor", hint=_BROWSER)
        plug.sendall(b"\x05\x01\x00\x03" + _counted(host.encode()) + port.to_bytes(2))
        _, code, _, kind = _read(plug, 4)
        if code == 0:
            _read(plug, {1: 4, 4: 16}.get(kind, 0) + 2)  # where tor left from, which is nowhere
        return code
    except TimeoutError:
        raise Unreachable("tor found no way there in time", hint=_AGAIN) from None
    except OSError:
        raise Unreachable(f"what listens at {proxy} hung up", hint=_BROWSER) from None


def _counted(data: bytes) -> bytes:
    return bytes([len(data)]) + data


def _read(plug: socket.socket, size: int) -> bytes:
    data = b""
    while len(data) < size:
        more = plug.recv(size - len(data))
        if not more:
            raise ConnectionResetError
        data += more
    return data
