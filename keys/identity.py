"""A journalist: an identity, the signing key that derives from it, and their files (FORMAT.md section 1)."""

from __future__ import annotations

import io
import re
from dataclasses import dataclass

from nacl.signing import SigningKey

from keys.age import open_bytes, read_header, seal_bytes
from keys.errors import BadAgeFile, BadIdentity, BadRecipient, NotForYou, WrongPassphrase
from keys.recipients import (
    HybridIdentity,
    HybridRecipient,
    ScryptIdentity,
    ScryptRecipient,
    parse_identity,
    parse_recipient,
)
from keys.stanza import SCRYPT, hkdf

_NAME = re.compile("[a-z][a-z0-9-]{0,31}")
_SIGNER = re.compile("[0-9a-f]{64}")


def lock(text: str, passphrase: bytes, work_factor: int = 18) -> bytes:
    """Gives a secret's text as a file that only the passphrase unlocks, here and with the `age` program."""
    return seal_bytes(text.encode(), [ScryptRecipient(passphrase, work_factor)])


def unlock(locked: bytes, passphrase: bytes) -> str:
    """Gives the text of a locked file; WrongPassphrase, or BadAgeFile if it is not whole or not locked."""
    if read_header(io.BytesIO(locked)).stanzas[0].type != SCRYPT:
        raise BadAgeFile("it is not locked with a passphrase")
    try:
        return open_bytes(locked, [ScryptIdentity(passphrase)]).decode()
    except NotForYou:
        raise WrongPassphrase from None
    except UnicodeDecodeError:
        raise BadAgeFile("what is locked in it is not text") from None


@dataclass(frozen=True)
class Public:
    """What all may know of a journalist: `recipients/NAME.pub`. `signer` is an Ed25519 key of 32 bytes."""

    name: str
    recipient: HybridRecipient
    signer: bytes

    def to_file(self) -> str:
        return f"# name: {self.name}\n# signer: {self.signer.hex()}\n{self.recipient}\n"


@dataclass(frozen=True)
class Journalist:
    """A name and an identity: all it takes to open, sign and answer; BadIdentity for a malformed name."""

    name: str
    identity: HybridIdentity

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadIdentity("a name is 1 to 32 lower-case letters, digits and hyphens, a letter first")

    @classmethod
    def generate(cls, name: str) -> Journalist:
        return cls(name, HybridIdentity.generate())

    @classmethod
    def parse(cls, text: str) -> Journalist:
        """Gives the journalist whose unlocked file this is; BadIdentity for any other text."""
        keys = _keys(text)
        identity = parse_identity(keys[0]) if len(keys) == 1 else None
        if not isinstance(identity, HybridIdentity):
            raise BadIdentity("the file does not hold one post-quantum identity")
        return cls(_said("name", text), identity)

    def to_text(self) -> str:
        """Gives the secret lines that are to be locked."""
        return f"# name: {self.name}\n{self.identity}\n"

    @property
    def signing_key(self) -> SigningKey:
        return SigningKey(hkdf(self.identity.seed, b"", b"knothole/v1/sign"))

    @property
    def public(self) -> Public:
        return Public(self.name, self.identity.recipient(), bytes(self.signing_key.verify_key))

    def public_file(self) -> str:
        return self.public.to_file()


def parse_public(text: str) -> Public:
    """Gives whom a `.pub` file is about; BadRecipient, which says what is missing, for any other text."""
    name, signer, keys = _said("name", text), _said("signer", text), _keys(text)
    if not _NAME.fullmatch(name):
        raise BadRecipient("it has no line such as `# name: ada`")
    if not _SIGNER.fullmatch(signer):
        raise BadRecipient("it has no line `# signer: ` with 64 hex digits")
    recipient = parse_recipient(keys[0]) if len(keys) == 1 else None
    if not isinstance(recipient, HybridRecipient):
        raise BadRecipient("it does not hold one post-quantum recipient, age1pq1…")
    return Public(name, recipient, bytes.fromhex(signer))


def _keys(text: str) -> list[str]:
    """Gives the lines that are not comments."""
    return [line for line in map(str.strip, text.split("\n")) if line and not line.startswith("#")]


def _said(key: str, text: str) -> str:
    """Gives what the one comment `# key: …` says; nothing if there are none or several."""
    found = re.findall(rf"^# {key}: *(.*?)\s*$", text, re.MULTILINE)
    return found[0] if len(found) == 1 else ""
