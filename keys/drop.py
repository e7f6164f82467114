"""A drop: a tar inside an age file, padded (FORMAT.md section 2). Both ways stream with flat memory."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from keys import letter as letters
from keys import tar
from keys.age import HybridIdentity, OpenReader, SealWriter
from keys.errors import BadDrop, NoDrop
from keys.letter import Letter
from keys.names import folded, is_name
from keys.stanza import Identity, Recipient
from keys.streams import ExactReader, Readable, Writable

SMALLEST = 16 << 10  # bytes of plaintext
LONGEST_MESSAGE = 256 << 10  # bytes
MOST_FILES = 1000
_SIGNATURE = 64  # bytes
_CHUNK = 1 << 20


@dataclass(frozen=True)
class Attachment:
    """A file to seal: its name, its size in bytes and where to read them."""

    name: str
    size: int
    source: Readable


def padded(length: int) -> int:
    """Gives the size to which a tar of this many bytes is padded: Padmé, and never under SMALLEST."""
    e = length.bit_length() - 1
    mask = (1 << (e - e.bit_length())) - 1
    return max(SMALLEST, (length + mask) & ~mask)


def seal(
    out: Writable,
    letter: Letter,
    text: str,
    files: Sequence[Attachment],
    recipients: Mapping[str, Recipient],
    signing: SigningKey | None = None,
) -> bytes:
    """Writes a drop for those of the page's recipients whom the letter names; the others' stanzas are
    sealed to keys that are forgotten. A note is signed by `signing`, its author's key. Gives the SHA-256 that
    a note's signature covers. Raises BadDrop for what no reader would take, and for a file that holds less
    than its size."""
    check(letter, text, [file.name for file in files], recipients)
    if (letter.author is None) != (signing is None):
        raise BadDrop("a note is signed and a drop is not")
    with SealWriter(out, chosen(letter, recipients)) as sealed:
        members = tar.TarWriter(sealed)
        members.add("drop.json", letter.to_json())
        members.add("message.txt", text.encode())
        for file in files:
            members.copy(f"files/{file.name}", file.size, file.source)
        digest = members.digest()
        if signing:
            members.add("drop.sig", signing.sign(_signed(digest)).signature)
        members.end(padded)
    return digest


def chosen(letter: Letter, recipients: Mapping[str, Recipient]) -> list[Recipient]:
    """Gives whom a drop is sealed to, in the page's order: a key that is forgotten for those who may not read
    it."""
    return [
        key if name in letter.to else HybridIdentity.generate().recipient()
        for name, key in recipients.items()
    ]


def is_smallest(letter: Letter, text: str) -> bool:
    """Tells whether a note without files has the size of every sync's note."""
    members = (len(letter.to_json()), len(text.encode()), _SIGNATURE)
    return sum(tar.BLOCK + size + -size % tar.BLOCK for size in members) + len(tar.END) <= SMALLEST


def reseal(
    source: Readable,
    out: Writable,
    identities: Sequence[Identity],
    recipients: Sequence[Recipient],
    at: int | None = None,
) -> None:
    """Writes the plaintext of a sealed drop again for others, the same to the byte, signature and padding
    and all; raises what OpenReader does."""
    plain = OpenReader(source, identities, at=at)
    with SealWriter(out, recipients) as sealed:
        while data := plain.read(_CHUNK):
            sealed.write(data)


def seal_cover(out: Writable, stanzas: int) -> None:
    """Writes a note of the smallest size that nobody can open."""
    with SealWriter(out, [HybridIdentity.generate().recipient() for _ in range(stanzas)]) as sealed:
        sealed.write(bytes(SMALLEST))


class File:
    """One file of a drop while it is read; `size` bytes in all."""

    def __init__(self, name: str, size: int, members: tar.TarReader) -> None:
        self.name = name
        self.size = size
        self._members: tar.TarReader | None = members

    def read(self, n: int) -> bytes:
        """Gives at most n bytes, none at the end; raises BadDrop or BadAgeFile where the drop is cut or
        altered."""
        if self._members is None:
            raise ValueError("its turn is over: the drop was read on")
        return self._members.read(n)

    def pass_by(self) -> None:
        self._members = None


class DropReader:
    """Reads a drop: `letter` and `text` at once, then `files` in turn. Whatever is wrong with it raises
    BadAgeFile or BadDrop, NoDrop when it does not even begin as one, and NotForYou when none of these
    identities opens it. Only when `files` has ended was all of it seen."""

    def __init__(self, source: Readable, identities: Sequence[Identity], at: int | None = None) -> None:
        plain = ExactReader(OpenReader(source, identities, at=at))
        start = plain.read(tar.BLOCK)
        if len(start) < tar.BLOCK or (any(start) and not start.startswith(b"drop.json\0")):
            raise NoDrop
        plain.put_back(start)
        self._members = tar.TarReader(plain)
        self.letter = letters.parse(self._member("drop.json", letters.LARGEST))
        if self.letter.kind == "drop":
            self._members.trust()
        try:
            self.text = self._member("message.txt", LONGEST_MESSAGE).decode()
        except UnicodeDecodeError:
            raise BadDrop("its message is not UTF-8") from None
        self._signature = self._digest = b""

    def files(self) -> Iterator[File]:
        """Gives the files one at a time; the last one ends where the next begins, read or not."""
        seen: set[str] = set()
        while member := self._members.next():
            path, size = member
            if path == "drop.sig" and self.letter.kind == "note" and not self._signature:
                self._sign(size)
                continue
            name = path.removeprefix("files/")
            if self._signature or name == path or not is_name(name):
                raise BadDrop("it holds a file that no drop has")
            if folded(name) in seen or len(seen) == MOST_FILES:
                raise BadDrop("two of its files have one name, or there are too many")
            seen.add(folded(name))
            file = File(name, size, self._members)
            yield file
            file.pass_by()
        if self.letter.kind == "note" and not self._signature:
            raise BadDrop("a note without a signature")

    @property
    def digest(self) -> bytes:
        """Gives the SHA-256 that the signature of this note, whose `files` has ended, covers."""
        return self._digest

    def signed_by(self, signer: bytes) -> bool:
        """Tells whether this note, whose `files` has ended, was signed by the owner of an Ed25519 public
        key."""
        try:
            VerifyKey(signer).verify(_signed(self._digest), self._signature)
        except (BadSignatureError, ValueError):
            return False
        return True

    def _member(self, name: str, limit: int) -> bytes:
        member = self._members.next()
        if member is None or member[0] != name:
            raise BadDrop(f"{name} is not where it belongs")
        return self._members.all(limit)

    def _sign(self, size: int) -> None:
        if size != _SIGNATURE:
            raise BadDrop("its signature has another size")
        self._digest = self._members.before
        self._signature = self._members.all(_SIGNATURE)


def _signed(digest: bytes) -> bytes:
    return b"knothole/v1/note" + digest


def check(letter: Letter, text: str, names: Sequence[str], recipients: Mapping[str, Recipient]) -> None:
    """Raises BadDrop for what no reader would take."""
    letters.parse(letter.to_json())
    if not set(letter.to) <= recipients.keys():
        raise BadDrop("it is for somebody whom the page does not list")
    if len(text.encode()) > LONGEST_MESSAGE or len(names) > MOST_FILES:
        raise BadDrop("the message is too long, or there are too many files")
    if not all(map(is_name, names)) or len(set(map(folded, names))) < len(names):
        raise BadDrop("a file has a name that no drop may hold, or two have one name")
