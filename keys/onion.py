"""Version 3 onion services without tor: keys, addresses and client authorization, in tor's own file formats.

Sections of rend-spec-v3: 6 (addresses), A.2 (keys), G (client authorization).
"""

from __future__ import annotations

import base64
import hashlib
import re
from dataclasses import dataclass, field
from typing import Self

from nacl.bindings import (
    crypto_core_ed25519_is_valid_point,
    crypto_scalarmult_base,
    crypto_scalarmult_ed25519_base_noclamp,
)
from nacl.signing import SigningKey
from nacl.utils import random

from keys.errors import BadOnion

SECRET_FILE = "hs_ed25519_secret_key"  # noqa: S105 - a file's name
PUBLIC_FILE = "hs_ed25519_public_key"
NAME_FILE = "hostname"
CLIENTS = "authorized_clients"  # the folder beside them with one NAME.auth a client

_SECRET = b"== ed25519v1-secret: type0 ==\0\0\0"
_PUBLIC = b"== ed25519v1-public: type0 ==\0\0\0"
_VERSION = b"\x03"
_ADDRESS = re.compile(r"([a-z2-7]{56})\.onion")
_CLIENT = re.compile(r"([a-z2-7]{56}):descriptor:x25519:([A-Z2-7]{52})")


def address(public: bytes) -> str:
    """Gives the address, `….onion`, of a service whose public key is these 32 bytes."""
    return base64.b32encode(public + _checksum(public) + _VERSION).decode().lower() + ".onion"


def parse_address(text: str) -> bytes:
    """Gives the public key an address stands for; raises BadOnion for a typing error, and for a key that is
    no point of the prime-order group: several such addresses would lead to one service."""
    found = _ADDRESS.fullmatch(text)
    if found is None:
        raise BadOnion("an address is 56 letters and digits with a checksum, then .onion")
    decoded = base64.b32decode(found[1].upper())
    public, checksum, version = decoded[:32], decoded[32:34], decoded[34:]
    if checksum != _checksum(public) or version != _VERSION:
        raise BadOnion("the checksum of this address does not match")
    if not crypto_core_ed25519_is_valid_point(public):
        raise BadOnion("this address stands for no key")
    return public


def _checksum(public: bytes) -> bytes:
    return hashlib.sha3_256(b".onion checksum" + public + _VERSION).digest()[:2]


@dataclass(frozen=True)
class ServiceKey:
    """What makes an onion service: whoever has it is reached at its address."""

    expanded: bytes = field(repr=False)  # 64 bytes: a clamped scalar, and what nonces derive from

    @classmethod
    def generate(cls) -> Self:
        return cls(_expand(bytes(SigningKey.generate())))

    @classmethod
    def parse(cls, data: bytes) -> Self:
        """Gives the key in a file `hs_ed25519_secret_key`; raises BadOnion for any other bytes."""
        expanded = data.removeprefix(_SECRET)
        if len(data) != 96 or len(expanded) != 64 or _clamp(expanded) != expanded:
            raise BadOnion("this is not tor's file hs_ed25519_secret_key")
        return cls(expanded)

    @property
    def public(self) -> bytes:
        return crypto_scalarmult_ed25519_base_noclamp(self.expanded[:32])

    @property
    def address(self) -> str:
        return address(self.public)

    def files(self) -> dict[str, bytes]:
        """Gives the files of a HiddenServiceDir by their names; the first is secret."""
        return {
            SECRET_FILE: _SECRET + self.expanded,
            PUBLIC_FILE: _PUBLIC + self.public,
            NAME_FILE: self.address.encode() + b"\n",
        }


def is_key_of(data: bytes, name: str) -> bool:
    """Whether these bytes are tor's file of the key that makes the service at this address."""
    try:
        return ServiceKey.parse(data).address == name
    except BadOnion:
        return False


def _expand(seed: bytes) -> bytes:
    """RFC 8032, section 5.1.5."""
    return _clamp(hashlib.sha512(seed).digest())


def _clamp(expanded: bytes) -> bytes:
    return bytes([expanded[0] & 248]) + expanded[1:31] + bytes([expanded[31] & 63 | 64]) + expanded[32:]


@dataclass(frozen=True)
class ClientKey:
    """What lets one client find and reach a service; others do not learn that there is one."""

    secret: bytes = field(repr=False)  # 32 bytes, X25519

    @classmethod
    def generate(cls) -> Self:
        return cls(random(32))

    @classmethod
    def parse(cls, text: str) -> tuple[str, Self]:
        """Gives a service's address and the key in an `.auth_private` file; raises BadOnion for any
        other text."""
        found = _CLIENT.fullmatch(text.strip())
        if found is None:
            raise BadOnion("this is not an .auth_private file")
        onion = f"{found[1]}.onion"
        parse_address(onion)
        return onion, cls(_from_base32(found[2]))

    @property
    def public_line(self) -> str:
        """The service's half: what NAME.auth holds. Without that file this client is locked out."""
        return f"descriptor:x25519:{_base32(crypto_scalarmult_base(self.secret))}"

    @property
    def prompt(self) -> str:
        """What Tor Browser asks for when it opens the address."""
        return _base32(self.secret)

    def private_line(self, onion: str) -> str:
        """Gives what tor reads from NAME.auth_private in its ClientOnionAuthDir."""
        parse_address(onion)
        return f"{onion.removesuffix('.onion')}:descriptor:x25519:{self.prompt}"


def _base32(key: bytes) -> str:
    return base64.b32encode(key).decode().rstrip("=")


def _from_base32(text: str) -> bytes:
    key = base64.b32decode(text + "====")
    if _base32(key) != text:
        raise BadOnion("this key has a typing error in its last letter")
    return key
