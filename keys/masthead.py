"""The masthead: the newsroom's signing key, and its signatures in minisign's format.

Specification: https://jedisct1.github.io/minisign/ — only prehashed signatures (`ED`), which is what minisign
itself writes; the older form would have to hold the whole file in memory and is refused.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
import secrets
from dataclasses import dataclass, field

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from keys import bech32
from keys.errors import BadIdentity, BadMasthead, Forged

_KEY = b"Ed"
_PREHASHED = b"ED"
_PREFIX = "MASTHEAD-SECRET-KEY-"
# minisign's own bound on a comment line; it puts tabs in them.
_COMMENT = r"[^\x00-\x08\x0a-\x1f\x7f]{0,1024}"


@dataclass(frozen=True)
class Masthead:
    """The public half, as `masthead.pub` holds it and `minisign -p` reads it."""

    key_id: bytes  # 8 bytes
    key: bytes  # 32 bytes, Ed25519

    @staticmethod
    def parse(text: str) -> Masthead:
        """Gives the key of a minisign public key file or of its last line; raises BadMasthead for other
        text."""
        lines = text.rstrip("\n").split("\n")
        if len(lines) == 2 and lines[0].startswith("untrusted comment: "):
            lines = lines[1:]
        packed = _packed(lines[0], 42) if len(lines) == 1 else b""
        if packed[:2] != _KEY:
            raise BadMasthead
        return Masthead(packed[2:10], packed[10:])

    def __str__(self) -> str:
        return base64.b64encode(_KEY + self.key_id + self.key).decode()

    @property
    def number(self) -> str:
        """The key id as minisign prints it, an older one (Debian 12's) without zeros in front."""
        return self.key_id[::-1].hex().upper()

    @property
    def newsroom(self) -> str:
        """The newsroom id that follows from this key (FORMAT section 6)."""
        return hashlib.sha256(self.key).hexdigest()[:16]

    def to_file(self) -> str:
        return f"untrusted comment: masthead {self.number}\n{self}\n"

    def verify(self, data: bytes, signature: str) -> str:
        """Gives the trusted comment of a `.minisig` text; raises Forged unless this masthead made it."""
        found = re.fullmatch(
            rf"untrusted comment: {_COMMENT}\n([^\n]+)\ntrusted comment: ({_COMMENT})\n([^\n]+)\n?", signature
        )
        packed, over_all = (_packed(found[1], 74), _packed(found[3], 64)) if found else (b"", b"")
        if not found or packed[:2] != _PREHASHED or not over_all:
            raise Forged("this is not a minisign signature of the prehashed form")
        if packed[2:10] != self.key_id:
            raise Forged("the signature is by another masthead")
        try:
            VerifyKey(self.key).verify(hashlib.blake2b(data).digest(), packed[10:])
            VerifyKey(self.key).verify(packed[10:] + found[2].encode(), over_all)
        except BadSignatureError:
            raise Forged("the masthead did not sign this") from None
        return found[2]


@dataclass(frozen=True)
class MastheadKey:
    """The secret half. Its one line is kept in a file locked as an identity is (FORMAT section 6)."""

    key_id: bytes = field(repr=False)
    seed: bytes = field(repr=False)

    @staticmethod
    def generate() -> MastheadKey:
        return MastheadKey(secrets.token_bytes(8), secrets.token_bytes(32))

    @staticmethod
    def parse(text: str) -> MastheadKey:
        """Gives the key of an unlocked masthead file; raises BadIdentity for other text."""
        lines = [s for s in (part.strip() for part in text.splitlines()) if s and not s.startswith("#")]
        try:
            prefix, data = bech32.decode(lines[0]) if len(lines) == 1 else ("", b"")
        except ValueError:
            prefix, data = "", b""
        if prefix != _PREFIX or len(data) != 40:
            raise BadIdentity("this file holds no masthead")
        return MastheadKey(data[:8], data[8:])

    def to_text(self) -> str:
        line = bech32.encode(_PREFIX, self.key_id + self.seed)
        return f"# masthead {self.public.number}: signs editions, opens nothing\n{line}\n"

    @property
    def public(self) -> Masthead:
        return Masthead(self.key_id, bytes(SigningKey(self.seed).verify_key))

    def sign(self, data: bytes, trusted_comment: str) -> str:
        """Gives the `.minisig` text over data: the same text for the same input, always."""
        key = SigningKey(self.seed)
        signature = key.sign(hashlib.blake2b(data).digest()).signature
        over_all = key.sign(signature + trusted_comment.encode()).signature
        return (
            f"untrusted comment: signature by masthead {self.public.number}\n"
            f"{base64.b64encode(_PREHASHED + self.key_id + signature).decode()}\n"
            f"trusted comment: {trusted_comment}\n"
            f"{base64.b64encode(over_all).decode()}\n"
        )


def _packed(line: str, size: int) -> bytes:
    """Gives a base64 line's bytes, or nothing unless there are `size` of them, written the one way."""
    try:
        data = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        return b""
    return data if len(data) == size and base64.b64encode(data).decode() == line else b""
