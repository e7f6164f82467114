"""The header of an age file (C2SP age.md, "Header"): stanzas that each wrap the file key, and a MAC."""

from __future__ import annotations

import hmac
from binascii import Error, a2b_base64, b2a_base64
from collections.abc import Iterator, Sequence
from functools import cached_property
from io import BytesIO
from itertools import islice
from typing import ClassVar, NamedTuple, Protocol

from keys.armor import ArmorReader
from keys.errors import BadAgeFile, NotForYou
from keys.streams import ExactReader, Readable

FILE_KEY = 16  # bytes
WRAPPED = FILE_KEY + 16  # bytes of a body that holds a file key: the key and the AEAD's tag
SCRYPT = "scrypt"
VERSION = b"age-encryption.org/v1\n"
LONGEST = 1 << 20  # bytes: more than 600 post-quantum stanzas, and what one part of a drop holds
_MAC_MARK = b"---"
_MAC_LINE = len("--- ") + 43 + 1
_BLOCK = 1 << 14
_COLUMNS = 64
_FULL_LINE = _COLUMNS + 1  # bytes, with its line feed
_MISSING = bytes(_FULL_LINE + 1)  # longer than any line that a body may have
_TEXT = bytes(range(0x20, 0x7F)) + b"\n"


class Stanza(NamedTuple):
    """One recipient's wrapping of the file key; nothing in it is trusted before the MAC is."""

    type: str
    args: tuple[bytes, ...]
    body: bytes


class Recipient(Protocol):
    """Whoever a file can be sealed to. Only recipients with the same label share a file."""

    label: ClassVar[str]

    def wrap(self, file_key: bytes) -> Stanza: ...


class Identity(Protocol):
    """Whoever can open a file. `unwrap` gives the file key, None for a stanza that is not for this identity,
    and BadAgeFile for one of its own type that is malformed."""

    def unwrap(self, stanza: Stanza) -> bytes | None: ...


class Header:
    """A header: `signed` are the bytes that its MAC covers, and `stanzas` are parsed once they are looked at.

    BadAgeFile, then or at once, for data that is not a header.
    """

    def __init__(self, data: bytes) -> None:
        mac = data[data.rfind(b"\n", 0, -1) + 1 :]
        if not data.startswith(VERSION) or len(mac) != _MAC_LINE or not mac.startswith(b"--- "):
            raise BadAgeFile("header: its first or last line is malformed")
        self.signed = data[: len(_MAC_MARK) - _MAC_LINE]
        self.mac = decode64(mac[4:-1])

    @cached_property
    def stanzas(self) -> tuple[Stanza, ...]:
        stanzas = tuple(_parse_stanzas(self.signed[len(VERSION) : -len(_MAC_MARK)]))
        if not stanzas:
            raise BadAgeFile("header: it has no stanza")
        if len(stanzas) > 1 and any(stanza.type == SCRYPT for stanza in stanzas):
            raise BadAgeFile("header: a passphrase is not its only stanza")
        return stanzas

    def unwrap(self, identities: Sequence[Identity], at: int | None = None) -> bytes:
        """Gives the file key once the MAC matches; NotForYou when no stanza is for these identities.

        The stanza `at` is tried first. If that opens, the others are not even parsed: the MAC is theirs too.
        BadAgeFile for a malformed stanza or a wrong MAC.
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

    def _order(self, at: int | None) -> Iterator[Stanza]:
        own = None if at is None else self._only(at)
        if own:
            yield own
        for place, stanza in enumerate(self.stanzas):
            if not own or place != at:
                yield stanza

    def _only(self, at: int) -> Stanza | None:
        """Gives one stanza without a look at the others; none for a passphrase, which may have no others."""
        begins = list(islice(_lines_that_begin(self.signed, b"-> "), max(at, 0), max(at, 0) + 2))
        if at < 0 or not begins:
            return None
        stanza = next(_parse_stanzas(self.signed[begins[0] : (*begins, -len(_MAC_MARK))[1]]))
        return None if stanza.type == SCRYPT else stanza


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

    BadAgeFile, now or once its stanzas are looked at, for a malformed one. Nothing in it is authentic
    before its `unwrap`.
    """
    return take_header(unarmored(src))


def take_header(source: ExactReader) -> Header:
    """Gives the header that source begins with and leaves source right behind it; BadAgeFile if malformed."""
    data = source.some(_BLOCK)
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
    return Header(data[:size])


def _header_size(data: bytes) -> int:
    """Gives the bytes of the header that data begins with; 0 if its last line is not whole in it."""
    last = next(_lines_that_begin(data, _MAC_MARK), len(data))
    return data.find(b"\n", last) + 1


def _lines_that_begin(data: bytes, mark: bytes) -> Iterator[int]:
    """Gives where they begin. Base64 has no hyphen, so to look for one passes a stanza in a step."""
    at = data.find(b"-")
    while at >= 0:
        if data.startswith(mark, at) and data[at - 1 : at] == b"\n":
            yield at
        at = data.find(b"-", at + 1)


def _parse_stanzas(data: bytes) -> Iterator[Stanza]:
    left = iter(BytesIO(data).readlines())  # three times as fast as split
    for line in left:
        mark, *args = line[:-1].split(b" ")
        if mark != b"->" or not args or b"" in args or line.translate(None, _TEXT):
            raise BadAgeFile("header: a stanza does not begin as it must")
        full = []
        while len(last := next(left, _MISSING)) == _FULL_LINE:
            full.append(last[:-1])
        if len(last) > _FULL_LINE:
            raise BadAgeFile("header: a stanza's body is not wrapped at 64 columns")
        yield Stanza(args[0].decode(), tuple(args[1:]), decode64(b"".join(full) + last[:-1]))


def serialize_header(stanzas: Sequence[Stanza], file_key: bytes) -> bytes:
    """Gives a whole header for these stanzas, its MAC made with the file key."""
    signed = VERSION + b"".join(map(_serialize_stanza, stanzas)) + _MAC_MARK
    return signed + b" " + encode64(header_mac(file_key, signed)) + b"\n"


def header_mac(file_key: bytes, signed: bytes) -> bytes:
    return hmac.digest(hkdf(file_key, b"", b"header"), signed, "sha256")


def hkdf(secret: bytes, salt: bytes, info: bytes) -> bytes:
    """Gives 32 bytes of HKDF-SHA-256 (RFC 5869): extract, then the one block that 32 bytes are."""
    return hmac.digest(hmac.digest(salt or bytes(32), secret, "sha256"), info + b"\x01", "sha256")


def encode64(data: bytes) -> bytes:
    return b2a_base64(data, newline=False).rstrip(b"=")


def decode64(text: bytes) -> bytes:
    """Gives the bytes of unpadded base64; BadAgeFile unless it is the one canonical way to write them."""
    whole = len(text) // 4
    try:
        data = a2b_base64(text + b"=="[: -len(text) % 4], strict_mode=True)
    except Error:
        raise BadAgeFile("header: its base64 is malformed") from None
    # Strict as it is, it lets padding pass, and spare bits that are set in the last letter.
    if b"=" in text or encode64(data[whole * 3 :]) != text[whole * 4 :]:
        raise BadAgeFile("header: its base64 is malformed")
    return data


def _serialize_stanza(stanza: Stanza) -> bytes:
    body = encode64(stanza.body)
    lines = [body[at : at + _COLUMNS] for at in range(0, len(body) + 1, _COLUMNS)]
    return b"-> " + b" ".join([stanza.type.encode(), *stanza.args]) + b"\n" + b"\n".join(lines) + b"\n"
