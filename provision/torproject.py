"""The key that signs the Tor Project's packages, for a newsroom that prefers its tor to Debian's."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from collections.abc import Iterator

FILE = "torproject.asc"
FINGERPRINT = "A3C4F0F979CAA22CDBA8F512EE8CBC9E886DDD89"
URL = f"https://deb.torproject.org/torproject.org/{FINGERPRINT}.asc"

_ARMOR = re.compile(
    r"\s*-----BEGIN PGP PUBLIC KEY BLOCK-----\n(?:[A-Z][A-Za-z]*: .*\n)*\n([A-Za-z0-9+/=\n]+?)"
    r"(?:\n=[A-Za-z0-9+/]{4})?\n-----END PGP PUBLIC KEY BLOCK-----\s*"
)
_PUBLIC = 6


def fingerprints(armored: str) -> list[str]:
    """Gives the fingerprints of all keys in an armored file, for apt trusts each; none for what is not whole.
    RFC 4880, sections 4.2, 6.2 and 12.2."""
    found = _ARMOR.fullmatch(armored.replace("\r\n", "\n"))
    if found is None:
        return []
    try:
        data = base64.b64decode(found[1].replace("\n", ""), validate=True)
        keys = [body for tag, body in _packets(data) if tag == _PUBLIC]
    except (binascii.Error, ValueError, IndexError):
        return []
    framed = (b"\x99" + len(body).to_bytes(2) + body for body in keys)
    return [hashlib.sha1(one, usedforsecurity=False).hexdigest().upper() for one in framed]


def _packets(data: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at < len(data):
        head, at = data[at], at + 1
        if not head & 0x80:
            raise ValueError("this is no packet")
        tag = head & 0x3F if head & 0x40 else head >> 2 & 0x0F
        size, at = _new_size(data, at) if head & 0x40 else _old_size(data, at, head & 3)
        if at + size > len(data):
            raise ValueError("this packet is cut short")
        yield tag, data[at : at + size]
        at += size


def _old_size(data: bytes, at: int, kind: int) -> tuple[int, int]:
    if kind == 3:
        raise ValueError("this packet does not say where it ends")
    after = at + (1 << kind)
    return int.from_bytes(data[at:after]), after


def _new_size(data: bytes, at: int) -> tuple[int, int]:
    first = data[at]
    if first < 192:
        return first, at + 1
    if first < 224:
        return (first - 192 << 8) + data[at + 1] + 192, at + 2
    if first < 255:
        raise ValueError("this packet comes in pieces")
    return int.from_bytes(data[at + 1 : at + 5]), at + 5
