"""Reply lines of the board (FORMAT.md section 4): seal a reply into lines, find a thread's replies among
them."""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_decrypt as decrypt
from nacl.bindings import crypto_aead_xchacha20poly1305_ietf_encrypt as encrypt
from nacl.exceptions import BadSignatureError, CryptoError
from nacl.signing import SigningKey, VerifyKey

from keys.stanza import hkdf

LINE = 2048  # bytes
PARTS = 4  # lines a reply may take
LINES = 256  # of one journalist in one thread
TEXT = 1915  # bytes of text in a frame
LONGEST = PARTS * TEXT  # bytes of a reply
_LABEL, _NONCE, _SIGNATURE = 16, 24, 64
_HEAD = 13  # bytes of version, reply id, i, k and length


@dataclass(frozen=True)
class Found:
    """One line of a thread. `text` is None for a forged one, whose other fields but signer and n mean
    nothing."""

    signer: bytes
    n: int
    reply: bytes
    i: int
    k: int
    text: bytes | None


@dataclass(frozen=True)
class Reply:
    """One whole reply of a journalist, or something forged in the journalist's name, whose `text` is None."""

    signer: bytes
    id: bytes
    lines: tuple[int, ...]
    text: str | None

    @property
    def forged(self) -> bool:
        return self.text is None


def cover() -> bytes:
    """Gives a line that says nothing."""
    return secrets.token_bytes(LINE)


def parts(text: str) -> list[bytes]:
    """Gives the texts of the lines a reply takes; raises ValueError for one that is empty or over LONGEST
    bytes."""
    encoded = text.encode()
    if not 1 <= len(encoded) <= LONGEST:
        raise ValueError(f"a reply is 1 to {LONGEST} bytes")
    return [encoded[at : at + TEXT] for at in range(0, len(encoded), TEXT)]


def labels(thread_key: bytes, signer: bytes, ns: Iterable[int] = range(LINES)) -> dict[bytes, int]:
    """Gives the labels of a journalist's lines in a thread, each with its n."""
    key = hkdf(thread_key, b"", b"knothole/v1/label")
    return {hmac.digest(key, signer + bytes([n]), "sha256")[:_LABEL]: n for n in ns}


def seal_reply(
    thread_key: bytes, newsroom: str, signing: SigningKey, ns: Sequence[int], reply: bytes, text: str
) -> list[bytes]:
    """Gives the lines of a reply, one for each n; raises ValueError when it takes another number of lines."""
    texts = parts(text)
    heads = (bytes([1]) + reply + bytes([i, len(texts)]) for i in range(len(texts)))
    sealed = zip(ns, heads, texts, strict=True)
    return [_seal(thread_key, newsroom, signing, n, head, part) for n, head, part in sealed]


def find(board: bytes, thread_key: bytes, signers: Collection[bytes], newsroom: str) -> list[Found]:
    """Gives the lines of a thread that are on the board, in the board's order. A line with one of its
    labels that does not decrypt is noise and left out; one that decrypts and is not right is forged."""
    wanted = {label: (signer, n) for signer in signers for label, n in labels(thread_key, signer).items()}
    found = []
    for at in range(0, len(board) - LINE + 1, LINE):
        if (owner := wanted.get(board[at : at + _LABEL])) and (
            frame := _open(board[at : at + LINE], thread_key, *owner)
        ):
            found.append(_parse(frame, thread_key, newsroom, *owner))
    return found


def open_board(board: bytes, thread_key: bytes, signers: Collection[bytes], newsroom: str) -> list[Reply]:
    """Gives the replies of a thread that are on the board whole, and for every forgery a reply without
    text."""
    return whole(find(board, thread_key, signers, newsroom))


def whole(found: Iterable[Found]) -> list[Reply]:
    """Gives the replies of which all lines were found, and for every forgery a reply without text."""
    found = list(found)
    replies = [Reply(line.signer, line.reply, (line.n,), None) for line in found if line.text is None]
    for (signer, reply), lines in _grouped(found).items():
        texts = {(line.i, line.k): line.text for line in lines}
        ns = tuple(line.n for line in lines)
        if len({line.k for line in lines}) > 1 or any(texts[line.i, line.k] != line.text for line in lines):
            replies.append(Reply(signer, reply, ns, None))
        elif len(texts) == lines[0].k:
            replies.append(
                Reply(signer, reply, ns, _decoded(b"".join(texts[part] or b"" for part in sorted(texts))))
            )
    return replies


def missing(found: Iterable[Found]) -> list[tuple[bytes, int, int]]:
    """Gives the signer of each reply of which a line is not there, how many are, and how many there should
    be."""
    counted = (
        (signer, {line.i for line in lines}, lines[0].k) for (signer, _), lines in _grouped(found).items()
    )
    return [(signer, len(have), k) for signer, have, k in counted if len(have) < k]


def _grouped(found: Iterable[Found]) -> dict[tuple[bytes, bytes], list[Found]]:
    """The genuine lines, by signer and reply."""
    grouped: dict[tuple[bytes, bytes], list[Found]] = {}
    for line in found:
        if line.text is not None:
            grouped.setdefault((line.signer, line.reply), []).append(line)
    return grouped


def _seal(thread_key: bytes, newsroom: str, signing: SigningKey, n: int, head: bytes, text: bytes) -> bytes:
    signer = bytes(signing.verify_key)
    frame = head + len(text).to_bytes(2) + text.ljust(TEXT, b"\0")
    frame += signing.sign(_signed(thread_key, newsroom, n, frame)).signature
    (label,) = labels(thread_key, signer, [n])
    nonce = secrets.token_bytes(_NONCE)
    return label + nonce + encrypt(frame, label, nonce, _key(thread_key, signer, n))


def _open(line: bytes, thread_key: bytes, signer: bytes, n: int) -> bytes | None:
    label, nonce, sealed = line[:_LABEL], line[_LABEL : _LABEL + _NONCE], line[_LABEL + _NONCE :]
    try:
        return decrypt(sealed, label, nonce, _key(thread_key, signer, n))
    except CryptoError:
        return None


def _parse(frame: bytes, thread_key: bytes, newsroom: str, signer: bytes, n: int) -> Found:
    signed, signature = frame[:-_SIGNATURE], frame[-_SIGNATURE:]
    version, reply, i, k = signed[0], signed[1:9], signed[9], signed[10]
    length = int.from_bytes(signed[11:_HEAD])
    text, padding = signed[_HEAD : _HEAD + length], signed[_HEAD + length :]
    try:
        VerifyKey(signer).verify(_signed(thread_key, newsroom, n, signed), signature)
        right = version == 1 and i < k <= PARTS and length <= TEXT and not any(padding)
    except BadSignatureError:
        right = False
    return Found(signer, n, reply, i, k, text if right else None)


def _decoded(text: bytes) -> str | None:
    try:
        return text.decode()
    except UnicodeDecodeError:
        return None


def _signed(thread_key: bytes, newsroom: str, n: int, frame: bytes) -> bytes:
    return b"knothole/v1/line" + bytes([len(newsroom)]) + newsroom.encode() + thread_key + bytes([n]) + frame


def _key(thread_key: bytes, signer: bytes, n: int) -> bytes:
    return hkdf(thread_key, b"", b"knothole/v1/line" + signer + bytes([n]))
