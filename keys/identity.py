"""A journalist: identities, the signing key that derives from one, and their files (FORMAT.md section 1)."""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

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
_ROTATION = re.compile("([0-9a-f]{64}) ([0-9a-f]{128})")
MOST_FORMER = 7  # identities in a file beside the journalist's own


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
class Rotation:
    """Which key signed a journalist's new public half: an Ed25519 key of 32 bytes, and its signature."""

    signer: bytes
    signature: bytes

    def holds(self, new: Public) -> bool:
        """Tells whether that key signed these public halves, and is not theirs."""
        try:
            VerifyKey(self.signer).verify(new.signed_at_rotation, self.signature)
        except (BadSignatureError, ValueError):
            return False
        return self.signer != new.signer


@dataclass(frozen=True)
class Public:
    """What all may know of a journalist: `recipients/NAME.pub`. `signer` is an Ed25519 key of 32 bytes."""

    name: str
    recipient: HybridRecipient
    signer: bytes
    rotation: Rotation | None = None

    @property
    def number(self) -> str:
        """What two people compare by voice to see that they mean the same key."""
        digits = hashlib.sha256(self.recipient.key + self.signer).hexdigest()[:32]
        return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))

    @property
    def signed_at_rotation(self) -> bytes:
        name = bytes([len(self.name)]) + self.name.encode()
        return b"knothole/v1/rotate" + name + self.signer + self.recipient.key

    def to_file(self) -> str:
        head = f"# name: {self.name}\n# signer: {self.signer.hex()}\n"
        if one := self.rotation:
            head += f"# former: {one.signer.hex()} {one.signature.hex()}\n"
        return f"{head}{self.recipient}\n"


@dataclass(frozen=True)
class Journalist:
    """A name and an identity: all it takes to open, sign and answer. The others only open: `former` ones, the
    newest first, and those `coming`, which no edition lists yet. BadIdentity for a malformed name."""

    name: str
    identity: HybridIdentity
    former: tuple[HybridIdentity, ...] = ()
    coming: tuple[HybridIdentity, ...] = ()

    def __post_init__(self) -> None:
        if not _NAME.fullmatch(self.name):
            raise BadIdentity("a name is 1 to 32 lower-case letters, digits and hyphens, a letter first")

    @classmethod
    def generate(cls, name: str) -> Journalist:
        return cls(name, HybridIdentity.generate())

    @classmethod
    def parse(cls, text: str) -> Journalist:
        """Gives the journalist whose unlocked file this is; BadIdentity for any other text."""
        keys = [parse_identity(key) for key in _keys(text)]
        identities = tuple(key for key in keys if isinstance(key, HybridIdentity))
        if not 1 <= len(keys) <= 1 + MOST_FORMER or len(set(identities)) != len(keys):
            raise BadIdentity(f"the file does not hold one to {1 + MOST_FORMER} post-quantum identities")
        return cls(_said("name", text), identities[0], identities[1:])

    @property
    def identities(self) -> tuple[HybridIdentity, ...]:
        """All that open for this journalist, their own first."""
        return (self.identity, *self.former, *self.coming)

    def rotated(self) -> Journalist:
        """Gives the journalist with a new identity; raises BadIdentity when no more fit in a file."""
        if len(self.former) == MOST_FORMER:
            raise BadIdentity(f"the file holds {MOST_FORMER} former identities, and no more fit")
        return Journalist(self.name, HybridIdentity.generate(), self.identities)

    def acting(self) -> Iterator[Journalist]:
        """Gives this journalist once for each identity, the newest first, as who acts with that one."""
        newest_first = (*self.coming, self.identity, *self.former)
        for at, identity in enumerate(newest_first):
            yield Journalist(self.name, identity, newest_first[at + 1 :], newest_first[:at])

    def to_text(self) -> str:
        """Gives the secret lines that are to be locked."""
        return "\n".join([f"# name: {self.name}", *map(str, self.identities), ""])

    @property
    def signing_key(self) -> SigningKey:
        return _signing_key(self.identity)

    @property
    def public(self) -> Public:
        return Public(self.name, self.identity.recipient(), signer_of(self.identity))

    def public_file(self) -> str:
        """Gives the `.pub` file, signed by the identity before this one, if there was one (section 9)."""
        if not self.former:
            return self.public.to_file()
        before = _signing_key(self.former[0])
        signature = before.sign(self.public.signed_at_rotation).signature
        return replace(self.public, rotation=Rotation(bytes(before.verify_key), signature)).to_file()


def signer_of(identity: HybridIdentity) -> bytes:
    """Gives the Ed25519 public key that derives from an identity."""
    return bytes(_signing_key(identity).verify_key)


def _signing_key(identity: HybridIdentity) -> SigningKey:
    return SigningKey(hkdf(identity.seed, b"", b"knothole/v1/sign"))


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
    public = Public(name, recipient, bytes.fromhex(signer), _rotation(text))
    if public.rotation and not public.rotation.holds(public):
        raise BadRecipient("the key before it did not sign it")
    return public


def _rotation(text: str) -> Rotation | None:
    if not re.search(r"^# former:", text, re.MULTILINE):
        return None
    found = _ROTATION.fullmatch(_said("former", text))
    if not found:
        raise BadRecipient("its line `# former: ` is malformed")
    return Rotation(bytes.fromhex(found[1]), bytes.fromhex(found[2]))


def _keys(text: str) -> list[str]:
    """Gives the lines that are not comments."""
    return [line for line in map(str.strip, text.split("\n")) if line and not line.startswith("#")]


def _said(key: str, text: str) -> str:
    """Gives what the one comment `# key: …` says; nothing if there are none or several."""
    found = re.findall(rf"^# {key}: *(.*?)\s*$", text, re.MULTILINE)
    return found[0] if len(found) == 1 else ""
