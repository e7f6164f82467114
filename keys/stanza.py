"""The header of an age file (C2SP age.md, "Header"): stanzas that each wrap the file key, and a MAC."""

from __future__ import annotations

import hmac
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple, Protocol

from keys.armor import ArmorReader
from keys.errors import BadAgeFile, NotForYou
from keys.streams import ExactReader, Readable

FILE_KEY = 16  # bytes
WRAPPED = FILE_KEY + 16  # bytes of a body that holds a file key: the key and the AEAD's tag
SCRYPT = "scrypt"
VERSION = b"age-encryption.org/v1\n"
LONGEST = 1 << 20  # bytes: more than 600 post-quantum stanzas, and what one part of a drop holds
_MAC_MARK = b"\n---"
_MAC = 1 + 43 + 1  # bytes: a space, base64 and a line feed
_BLOCK = 1 << 14
_COLUMNS = 64
_TEXT = bytes(range(0x20, 0x7F)) + b"\n"


class Stanza(NamedTuple):
    """One recipient's wrapping of the file key; nothing in it is trusted before the MAC is."""

    type: str
    args: tuple[str, ...]
    body: bytes


class Recipient(Protocol):
    """Whoever a file can be sealed to. Only recipients with the same label share a file."""

    label: ClassVar[str]

    def wrap(self, file_key: bytes) -> Stanza: ...


class Identity(Protocol):
    """Whoever can open a file. `unwrap` gives the file key, None for a stanza that is not for this identity,
    and BadAgeFile for one of its own type that is malformed."""

    def unwrap(self, stanza: Stanza) -> bytes | None: ...


@dataclass(frozen=True)
class Header:
    """A parsed header; `signed` are the bytes that its MAC covers."""

    stanzas: tuple[Stanza, ...]
    signed: bytes
    mac: bytes

    def unwrap(self, identities: Sequence[Identity], at: int | None = None) -> bytes:
        """Gives the file key once the MAC matches; the stanza `at` is tried first, then the others in order.

        NotForYou when no stanza is for these identities, BadAgeFile for a malformed stanza or a wrong MAC.
        """
        for stanza in self._order(at):
            for identity in identities:
                file_key = identity.unwrap(stanza)
                if file_key is None:
                    continue
                if not hmac.compare_digest(header_mac(file_key, self.signed), self.mac):
                    raise BadAgeFile("header MAC: it does not match")
                return file_key
        raise NotForYou

    def _order(self, at: int | None) -> Sequence[Stanza]:
        if at is None or not 0 < at < len(self.stanzas):
            return self.stanzas
        return (self.stanzas[at], *self.stanzas[:at], *self.stanzas[at + 1 :])


def unarmored(src: Readable) -> ExactReader:
    """Gives the age file in src, out of its armor if it has one."""
    source = ExactReader(src)
    begin = source.some(_BLOCK)
    while begin.isspace() and len(begin) < _BLOCK and (more := source.some(_BLOCK)):
        begin += more
    source.put_back(begin)
    return ExactReader(ArmorReader(source)) if begin.lstrip()[:1] == b"-" else source


def read_header(src: Readable) -> Header:
    """Gives the header of the age file `src`, binary or armored, and leaves src somewhere beyond it.

    BadAgeFile for a malformed one. Nothing in it is authentic before its `unwrap`.
    """
    return take_header(unarmored(src))


def take_header(source: ExactReader) -> Header:
    """Gives the header that source begins with and leaves source right behind it; BadAgeFile if malformed."""
    data = b""
    while not (size := _header_size(data)):
        if not VERSION.startswith(data[: len(VERSION)]):
            raise BadAgeFile("header: it does not begin as an age file does")
        if len(data) > LONGEST:
            raise BadAgeFile("header: it is over 1 MiB")
        more = source.some(_BLOCK)
        if not more:
            raise BadAgeFile("header: it is cut short")
        data += more
    source.put_back(data[size:])
    return parse_header(data[:size])


def _header_size(data: bytes) -> int:
    """Gives the size of the header that data begins with, 0 if its end is not there."""
    # No line of a stanza begins with three hyphens: the first line that does is the MAC's.
    mark = data.find(_MAC_MARK)
    return data.find(b"\n", mark + 1) + 1 if mark >= 0 else 0


def parse_header(data: bytes) -> Header:
    """Gives the header that is exactly these bytes; BadAgeFile for any others."""
    end = data.find(_MAC_MARK)
    if not data.startswith(VERSION) or end < len(VERSION) or data[: end + 1].translate(None, _TEXT):
        raise BadAgeFile("header: it is malformed")
    first, *texts = data[len(VERSION) - 1 : end].split(b"\n-> ")
    if first or not texts:
        raise BadAgeFile("header: it does not begin with a stanza")
    stanzas = tuple(map(_parse_stanza, texts))
    if len(stanzas) > 1 and any(stanza.type == SCRYPT for stanza in stanzas):
        raise BadAgeFile("header: a passphrase is not its only stanza")
    signed, mac = data[: end + len(_MAC_MARK)], data[end + len(_MAC_MARK) :]
    if len(mac) != _MAC or mac[:1] != b" " or mac[-1:] != b"\n":
        raise BadAgeFile("header: its last line is malformed")
    return Header(stanzas, signed, decode64(mac[1:-1]))


def serialize_header(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """Gives a whole header for these stanzas, its MAC made with the file key."""
    signed = VERSION + b"".join(map(_serialize_stanza, stanzas)) + b"---"
    return signed + b" " + encode64(header_mac(file_key, signed)) + b"\n"


def header_mac(file_key: bytes, signed: bytes) -> bytes:
    return hmac.digest(hkdf(file_key, b"", b"header"), signed, "sha256")


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """Gives 32 bytes of HKDF-SHA-256 (RFC 5869): extract, then the one block that 32 bytes are."""
    return hmac.digest(hmac.digest(salt or bytes(32), secret, "sha256"), info + b"\x01", "sha256")


def encode64(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).rstrip(b"=")


def decode64(text: bytes | str) -> bytes:
    """Gives the bytes of unpadded base64; BadAgeFile unless it is the one canonical way to write them."""
    written = text.encode() if isinstance(text, str) else text
    try:
        data = a2b_base64(written + b"=="[: -len(written) % 4])
    except Error:
        raise BadAgeFile("header: its base64 is malformed") from None
    # Decoding skips foreign characters and ignores spare bits: encoding again finds both.
    if encode64(data) != written:
        raise BadAgeFile("header: its base64 is malformed")
    return data


def _parse_stanza(text: bytes) -> Stanza:
    line, ended, wrapped = text.partition(b"\n")
    kind, *args = line.decode().split(" ")
    if not kind or not all(args):
        raise BadAgeFile("header: a stanza has an empty argument")
    *full, last = wrapped.split(b"\n")
    if not ended or len(last) >= _COLUMNS or any(len(one) != _COLUMNS for one in full):
        raise BadAgeFile("header: a stanza's body is not wrapped at 64 columns")
    return Stanza(kind, tuple(args), decode64(b"".join(full) + last))


def _serialize_stanza(stanza: Stanza) -> bytes:
    body = encode64(stanza.body)
    lines = [body[at : at + _COLUMNS] for at in range(0, len(body) + 1, _COLUMNS)]
    return b"-> " + " ".join([stanza.type, *stanza.args]).encode() + b"\n" + b"\n".join(lines) + b"\n"
