"""The recipients and identities of age (C2SP age.md, "Native recipient types"): who wraps and unwraps."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass, field
from hashlib import shake_256
from typing import ClassVar

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hpke
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey, MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.kdf.scrypt import Scrypt
from nacl.bindings import (
    crypto_aead_chacha20poly1305_ietf_decrypt,
    crypto_aead_chacha20poly1305_ietf_encrypt,
    crypto_scalarmult,
    crypto_scalarmult_base,
)
from nacl.exceptions import CryptoError

from keys import bech32
from keys.errors import BadAgeFile, BadIdentity, BadRecipient, KnotholeError
from keys.stanza import SCRYPT, WRAPPED, Identity, Recipient, Stanza, decode64, encode64, hkdf

HYBRID = "mlkem768x25519"
X25519 = "X25519"
_SUITE = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
_HYBRID_INFO = b"age-encryption.org/mlkem768x25519"
_X25519_INFO = b"age-encryption.org/v1/X25519"
_SCRYPT_INFO = b"age-encryption.org/v1/scrypt"
_KEM_KEY, _KEM_SHARE = 1184, 1088  # bytes of ML-KEM-768's public key and ciphertext; 32 of X25519 follow
_ZERO_NONCE = bytes(12)  # each wrapping key is used once


@dataclass(frozen=True)
class HybridRecipient:
    """An `age1pq1…` recipient: an ML-KEM-768 key and an X25519 key, 1,216 bytes; BadRecipient for others."""

    label: ClassVar[str] = "post-quantum"
    key: bytes
    _public: hpke.MLKEM768X25519PublicKey = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.key) != _KEM_KEY + 32 or _is_low_order(self.key[_KEM_KEY:]):
            raise BadRecipient("its key is malformed")
        try:
            lattice = MLKEM768PublicKey.from_public_bytes(self.key[:_KEM_KEY])
        except ValueError:
            raise BadRecipient("its key is malformed") from None
        curve = X25519PublicKey.from_public_bytes(self.key[_KEM_KEY:])
        object.__setattr__(self, "_public", hpke.MLKEM768X25519PublicKey(lattice, curve))

    def __str__(self) -> str:
        return bech32.encode("age1pq", self.key)

    def wrap(self, file_key: bytes) -> Stanza:
        sealed = _SUITE.encrypt(file_key, self._public, info=_HYBRID_INFO)
        share, body = sealed[:-WRAPPED], sealed[-WRAPPED:]
        return Stanza(HYBRID, (encode64(share),), body)


@dataclass(frozen=True)
class HybridIdentity:
    """An `AGE-SECRET-KEY-PQ-1…` identity: a seed of 32 bytes. `str` gives the secret, `repr` never does."""

    seed: bytes = field(repr=False)
    _private: hpke.MLKEM768X25519PrivateKey = field(init=False, repr=False, compare=False)
    _recipient: HybridRecipient = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        if len(self.seed) != 32:
            raise BadIdentity("its key is malformed")
        # X-Wing, section 5.2: the seed stretched to an ML-KEM-768 seed of 64 bytes and an X25519 key of 32.
        stretched = shake_256(self.seed).digest(96)
        lattice = MLKEM768PrivateKey.from_seed_bytes(stretched[:64])
        curve = X25519PrivateKey.from_private_bytes(stretched[64:])
        public = lattice.public_key().public_bytes_raw() + curve.public_key().public_bytes_raw()
        object.__setattr__(self, "_private", hpke.MLKEM768X25519PrivateKey(lattice, curve))
        object.__setattr__(self, "_recipient", HybridRecipient(public))

    @classmethod
    def generate(cls) -> HybridIdentity:
        return cls(secrets.token_bytes(32))

    def recipient(self) -> HybridRecipient:
        return self._recipient

    def __str__(self) -> str:
        return bech32.encode("AGE-SECRET-KEY-PQ-", self.seed)

    def unwrap(self, stanza: Stanza) -> bytes | None:
        if stanza.type != HYBRID:
            return None
        share = _share(stanza, _KEM_SHARE + 32)
        try:
            return _SUITE.decrypt(share + stanza.body, self._private, info=_HYBRID_INFO)
        except InvalidTag:
            if _is_low_order(share[_KEM_SHARE:]):
                raise BadAgeFile("header: a share is of low order") from None
            return None


@dataclass(frozen=True)
class X25519Recipient:
    """An `age1…` recipient: an X25519 public key of 32 bytes. BadRecipient for one of low order."""

    label: ClassVar[str] = "X25519"
    key: bytes

    def __post_init__(self) -> None:
        if len(self.key) != 32 or _is_low_order(self.key):
            raise BadRecipient("its key is malformed")

    def __str__(self) -> str:
        return bech32.encode("age", self.key)

    def wrap(self, file_key: bytes) -> Stanza:
        secret = secrets.token_bytes(32)
        share = crypto_scalarmult_base(secret)
        wrap_key = hkdf(crypto_scalarmult(secret, self.key), share + self.key, _X25519_INFO)
        return Stanza(X25519, (encode64(share),), _encrypt(file_key, wrap_key))


@dataclass(frozen=True)
class X25519Identity:
    """An `AGE-SECRET-KEY-1…` identity: 32 bytes. `str` gives the secret, `repr` never does."""

    secret: bytes = field(repr=False)

    def __post_init__(self) -> None:
        if len(self.secret) != 32:
            raise BadIdentity("its key is malformed")

    @classmethod
    def generate(cls) -> X25519Identity:
        return cls(secrets.token_bytes(32))

    def recipient(self) -> X25519Recipient:
        return X25519Recipient(crypto_scalarmult_base(self.secret))

    def __str__(self) -> str:
        return bech32.encode("AGE-SECRET-KEY-", self.secret)

    def unwrap(self, stanza: Stanza) -> bytes | None:
        if stanza.type != X25519:
            return None
        share = _share(stanza, 32)
        try:
            shared = crypto_scalarmult(self.secret, share)
        except CryptoError:
            raise BadAgeFile("header: a share is of low order") from None
        wrap_key = hkdf(shared, share + crypto_scalarmult_base(self.secret), _X25519_INFO)
        return _decrypt(stanza.body, wrap_key)


@dataclass(frozen=True)
class ScryptRecipient:
    """A passphrase to seal with. Each step of the work factor doubles it: 18 takes 256 MiB and a second."""

    label: ClassVar[str] = SCRYPT
    passphrase: bytes = field(repr=False)
    work_factor: int = 18

    def wrap(self, file_key: bytes) -> Stanza:
        salt = secrets.token_bytes(16)
        wrap_key = _stretch(self.passphrase, salt, self.work_factor)
        return Stanza(SCRYPT, (encode64(salt), b"%d" % self.work_factor), _encrypt(file_key, wrap_key))


@dataclass(frozen=True)
class ScryptIdentity:
    """A passphrase to open with; BadAgeFile for a file that asks for more than the most (22 takes 4 GiB)."""

    passphrase: bytes = field(repr=False)
    max_work_factor: int = 22

    def unwrap(self, stanza: Stanza) -> bytes | None:
        if stanza.type != SCRYPT:
            return None
        salt = _share(stanza, 16, arguments=2)
        if not re.fullmatch(b"[1-9][0-9]?", stanza.args[1]):
            raise BadAgeFile("header: its work factor is malformed")
        work_factor = int(stanza.args[1])
        if work_factor > self.max_work_factor:
            raise BadAgeFile(f"header: its work factor is {work_factor}, over {self.max_work_factor}")
        try:
            return _decrypt(stanza.body, _stretch(self.passphrase, salt, work_factor))
        except MemoryError:
            raise BadAgeFile("header: its work factor takes more memory than there is") from None


def parse_recipient(text: str) -> Recipient:
    """Gives the recipient `age1pq1…` or `age1…`; BadRecipient for other text."""
    prefix, data = _decoded(text, BadRecipient)
    if prefix == "age1pq":
        return HybridRecipient(data)
    if prefix == "age":
        return X25519Recipient(data)
    raise BadRecipient("it does not begin with age1pq1 or age1")


def parse_identity(text: str) -> Identity:
    """Gives the identity `AGE-SECRET-KEY-PQ-1…` or `AGE-SECRET-KEY-1…`; BadIdentity for other text."""
    prefix, data = _decoded(text, BadIdentity)
    if prefix == "AGE-SECRET-KEY-PQ-":
        return HybridIdentity(data)
    if prefix == "AGE-SECRET-KEY-":
        return X25519Identity(data)
    raise BadIdentity("it does not begin with AGE-SECRET-KEY-PQ-1 or AGE-SECRET-KEY-1")


def _decoded(text: str, refusal: type[KnotholeError]) -> tuple[str, bytes]:
    try:
        return bech32.decode(text)
    except ValueError as mistake:
        raise refusal(str(mistake)) from None


def _share(stanza: Stanza, size: int, arguments: int = 1) -> bytes:
    """Gives the stanza's first argument as bytes, once all sizes are checked.

    The body's too, before it is decrypted: a longer one may open with many keys (a partitioning oracle).
    """
    if len(stanza.args) != arguments or len(stanza.body) != WRAPPED:
        raise BadAgeFile(f"header: a {stanza.type} stanza is malformed")
    share = decode64(stanza.args[0])
    if len(share) != size:
        raise BadAgeFile(f"header: a {stanza.type} stanza is malformed")
    return share


def _is_low_order(point: bytes) -> bool:
    """Says whether every secret gives the same shared secret, zero, with this point."""
    try:
        crypto_scalarmult(bytes(32), point)
    except CryptoError:
        return True
    return False


def _stretch(passphrase: bytes, salt: bytes, work_factor: int) -> bytes:
    return Scrypt(salt=_SCRYPT_INFO + salt, length=32, n=1 << work_factor, r=8, p=1).derive(passphrase)


def _encrypt(file_key: bytes, wrap_key: bytes) -> bytes:
    return crypto_aead_chacha20poly1305_ietf_encrypt(file_key, None, _ZERO_NONCE, wrap_key)


def _decrypt(body: bytes, wrap_key: bytes) -> bytes | None:
    try:
        return crypto_aead_chacha20poly1305_ietf_decrypt(body, None, _ZERO_NONCE, wrap_key)
    except CryptoError:
        return None
