"""age v1 (C2SP age.md): seals a stream to recipients and opens it with an identity, in flat memory."""

from __future__ import annotations

import io
import secrets
import sys
from collections.abc import Sequence
from types import TracebackType

from cryptography.exceptions import InvalidTag

# For chunks of 64 KiB PyNaCl takes almost three times as long, and `desk open` half as long again.
from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305

from keys.errors import BadAgeFile, BadRecipient, NotForYou
from keys.recipients import (
    HybridIdentity,
    HybridRecipient,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    X25519Recipient,
    parse_identity,
    parse_recipient,
)
from keys.stanza import (
    FILE_KEY,
    SCRYPT,
    Header,
    Identity,
    Recipient,
    Stanza,
    hkdf,
    read_header,
    serialize_header,
    take_header,
    unarmored,
)
from keys.streams import Readable, Writable

__all__ = [
    "BadAgeFile",
    "Header",
    "HybridIdentity",
    "HybridRecipient",
    "Identity",
    "NotForYou",
    "OpenReader",
    "Recipient",
    "ScryptIdentity",
    "ScryptRecipient",
    "SealWriter",
    "Sealing",
    "Stanza",
    "X25519Identity",
    "X25519Recipient",
    "open_bytes",
    "parse_identity",
    "parse_recipient",
    "read_header",
    "seal_bytes",
]

CHUNK = 1 << 16  # bytes of plaintext
TAG = 16  # bytes that sealing adds to a chunk
_SEALED_CHUNK = CHUNK + TAG
_NONCE = 16


class Sealing:
    """An age file for these recipients whose chunks are sealed one by one, in any order; BadRecipient for no
    recipients, or such as cannot share one. `head` is what stands before the chunks."""

    def __init__(self, recipients: Sequence[Recipient]) -> None:
        _check_together(recipients)
        file_key, nonce = secrets.token_bytes(FILE_KEY), secrets.token_bytes(_NONCE)
        stanzas = [recipient.wrap(file_key) for recipient in recipients]
        self._cipher = ChaCha20Poly1305(hkdf(file_key, nonce, b"payload"))
        self.head = serialize_header(stanzas, file_key) + nonce

    def seal(self, count: int, chunk: bytes | bytearray | memoryview, *, last: bool) -> bytes:
        """Gives chunk number `count` sealed. All but the last have CHUNK bytes, and none is sealed twice: its
        number is its nonce."""
        return self._cipher.encrypt(_chunk_nonce(count, last), chunk, None)


class SealWriter:
    """Writes an age file for these recipients to `out`; BadRecipient for those whom Sealing refuses.

    Only `close`, or leaving a `with` without an exception, makes the file whole. `out` stays open.
    """

    def __init__(self, out: Writable, recipients: Sequence[Recipient]) -> None:
        self._sealing = Sealing(recipients)
        self._out = out
        self._held = bytearray()
        self._count = 0
        self._closed = False
        out.write(self._sealing.head)

    def write(self, data: bytes) -> int:
        """Seals data, holding back at most one chunk, and gives its length."""
        if self._closed:
            raise ValueError("write to a closed SealWriter")
        self._held += data
        # A full chunk waits until more follows: only then is it known not to be the last.
        whole = (len(self._held) - 1) // CHUNK * CHUNK
        if whole > 0:
            with memoryview(self._held) as view:
                for at in range(0, whole, CHUNK):
                    self._seal(bytes(view[at : at + CHUNK]), last=False)
            del self._held[:whole]
        return len(data)

    def close(self) -> None:
        """Seals the last chunk; once is enough, and again is nothing."""
        if not self._closed:
            self._closed = True
            self._seal(bytes(self._held), last=True)

    def _seal(self, chunk: bytes, *, last: bool) -> None:
        self._out.write(self._sealing.seal(self._count, chunk, last=last))
        self._count += 1

    def __enter__(self) -> SealWriter:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, raised: BaseException | None, traceback: TracebackType | None
    ) -> None:
        if kind is None:
            self.close()
        self._closed = True


class OpenReader:
    """Reads what the age file `src`, binary or armored, holds for these identities.

    Making one reads the header, the stanza `at` tried first: BadAgeFile for a malformed header, NotForYou for
    one with no stanza for them. Only authenticated bytes come out; that the file is whole is known once
    `read` gives none.
    """

    def __init__(self, src: Readable, identities: Sequence[Identity], at: int | None = None) -> None:
        self._source = unarmored(src)
        self.header = take_header(self._source)
        file_key = self.header.unwrap(identities, at)
        nonce = self._source.read(_NONCE)
        if len(nonce) < _NONCE:
            raise BadAgeFile("header: the file ends after it")
        self._cipher = ChaCha20Poly1305(hkdf(file_key, nonce, b"payload"))
        self._count = 0
        self._unread = memoryview(b"")  # so that what is given is copied once
        self._last = False
        self._broken: BadAgeFile | None = None

    def read(self, n: int = -1) -> bytes:
        """Gives n bytes, fewer only at the end, or all that is left.

        BadAgeFile, then and ever after, for a file that is altered, cut short or longer than it says.
        """
        missing = n if n >= 0 else sys.maxsize
        pieces = []
        while missing and (self._unread or self._next_chunk()):
            pieces.append(self._unread[:missing])
            self._unread = self._unread[missing:]
            missing -= len(pieces[-1])
        return b"".join(pieces)

    def _next_chunk(self) -> bool:
        """Says whether there is a next chunk, and holds it."""
        if self._broken:
            raise self._broken
        try:
            self._unread = memoryview(self._read_chunk())
        except BadAgeFile as broken:
            self._broken = broken
            raise
        return bool(self._unread)

    def _read_chunk(self) -> bytes:
        if self._last:
            if self._source.read(1):
                raise BadAgeFile("payload: something follows its end")
            return b""
        sealed = self._source.read(_SEALED_CHUNK)
        self._last = len(sealed) < _SEALED_CHUNK
        chunk = self._decrypt(sealed)
        if chunk is None and not self._last:  # a full chunk may be the last
            self._last = True
            chunk = self._decrypt(sealed)
        if chunk is None:
            raise BadAgeFile("payload: it is altered or cut short")
        if not chunk and self._count:
            raise BadAgeFile("payload: its last chunk is empty")
        self._count += 1
        return chunk

    def _decrypt(self, sealed: bytes) -> bytes | None:
        try:
            return self._cipher.decrypt(_chunk_nonce(self._count, self._last), sealed, None)
        except InvalidTag:
            return None


def seal_bytes(data: bytes, recipients: Sequence[Recipient]) -> bytes:
    """Gives data as an age file for these recipients; refuses what SealWriter does."""
    out = io.BytesIO()
    with SealWriter(out, recipients) as writer:
        writer.write(data)
    return out.getvalue()


def open_bytes(data: bytes, identities: Sequence[Identity]) -> bytes:
    """Gives all that an age file holds for these identities; refuses what OpenReader does."""
    return OpenReader(io.BytesIO(data), identities).read()


def _check_together(recipients: Sequence[Recipient]) -> None:
    labels = {recipient.label for recipient in recipients}
    if not labels:
        raise BadRecipient("there is nobody to seal to")
    # The weakest stanza decides against a quantum computer, and a passphrase promises to be the only key.
    if len(labels) > 1 or (SCRYPT in labels and len(recipients) > 1):
        raise BadRecipient("these may not share a file")


def _chunk_nonce(count: int, last: bool) -> bytes:
    return count.to_bytes(11, "big") + (b"\x01" if last else b"\x00")
