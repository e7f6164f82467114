"""What strangers send: each function returns what the bytes mean, or raises `Refused` and nothing else."""

from __future__ import annotations

import json
import re
import string
from dataclasses import dataclass

from relay.errors import Refused

PART = 1 << 20  # bytes: a part of a drop; only the last is shorter
COMMIT_BODY = 256  # bytes: more than any commit needs, and too few to nest JSON deeply

_PART_TARGET = re.compile(r"/drops/([0-9a-f]{32})/(0|[1-9][0-9]{0,5})(\?commit)?")
_DROP_TARGET = re.compile(r"/drops/([0-9a-f]{32})")
_LIST_TARGET = re.compile(r"/drops(?:\?after=([0-9a-f]{16})-([0-9]{1,12}))?")
_RANGE = re.compile(r"bytes=(?:([0-9]{1,18})-([0-9]{0,18})|-([0-9]{1,18}))")

_BASE64 = (string.ascii_letters + string.digits + "+/").encode()


@dataclass(frozen=True, slots=True)
class PartTarget:
    """`/drops/{id}/{n}`, and whether `?commit` follows."""

    id: str
    n: int
    commit: bool


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in the order of arrival; `run` names the relay's run that gave it out."""

    run: str
    seq: int

    def __str__(self) -> str:
        return f"{self.run}-{self.seq}"


def part_target(target: str) -> PartTarget:
    """The part a request names; refuses (400) ids and numbers in any other form than the canonical one."""
    found = _PART_TARGET.fullmatch(target)
    if found is None:
        raise Refused(400, "this is not a drop's id and a part's number")
    part = PartTarget(found[1], int(found[2]), found[3] is not None)
    if part.commit and part.n:
        raise Refused(400, "only part 0 commits a drop in one step")
    return part


def drop_target(target: str) -> str:
    """The id of the drop a request names; refuses (400) everything else."""
    found = _DROP_TARGET.fullmatch(target)
    if found is None:
        raise Refused(400, "this is not a drop's id")
    return found[1]


def list_target(target: str) -> Cursor | None:
    """The cursor to list after, None for the beginning; refuses (400) what never was a cursor."""
    found = _LIST_TARGET.fullmatch(target)
    if found is None:
        raise Refused(400, "this is not a cursor")
    return None if found[1] is None else Cursor(found[1], int(found[2]))


def commit_body(body: bytes) -> tuple[int, int]:
    """Parts and size, of which the one follows from the other; refuses (400) anything else."""
    try:
        claim = json.loads(body)
    except (ValueError, RecursionError):
        raise Refused(400, "a commit is a JSON object") from None
    if not isinstance(claim, dict) or claim.keys() != {"parts", "size"}:
        raise Refused(400, "a commit has the keys parts and size and no other")
    parts, size = claim["parts"], claim["size"]
    if type(parts) is not int or type(size) is not int or parts < 1 or parts != parts_of(size):
        raise Refused(400, "a commit's size and parts do not add up")
    return parts, size


def parts_of(size: int) -> int:
    """How many parts a drop of `size` bytes has."""
    return -(-size // PART)


def byte_range(value: str | None, size: int) -> tuple[int, int] | None:
    """First byte and the one after the last of `size`, None for all of it (RFC 9110, section 14.2).

    A header that is malformed or names several ranges is ignored, as the RFC allows; refuses (416) what lies
    outside.
    """
    found = _RANGE.fullmatch(value or "")
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, stop = max(0, size - int(suffix)), size
    elif last and int(last) < int(first):
        return None
    else:
        start, stop = int(first), min(size, int(last) + 1) if last else size
    if start >= stop:
        raise Refused(416, "this range lies outside the drop")
    return start, stop


class AgeHead:
    """The head of an age file with exactly `stanzas` stanzas of the type `mlkem768x25519` (C2SP age.md).

    Encapsulations are 1,120 bytes and wrapped file keys 32, so every such head has the same length, `size`,
    and differs from others only in letters of base64.
    """

    def __init__(self, stanzas: int) -> None:
        stanza = (b"-> mlkem768x25519 ", 1494, b"\n", 43, b"\n")
        pieces: list[bytes | int] = [b"age-encryption.org/v1\n", *(stanza * stanzas), b"--- ", 43, b"\n"]
        self._words: list[tuple[bytes, int]] = []
        self.size = 0
        for piece in pieces:
            if isinstance(piece, bytes):
                self._words.append((piece, self.size))
            self.size += piece if isinstance(piece, int) else len(piece)
        self._rest = b"".join(word for word, _ in self._words).translate(None, _BASE64)

    def begins(self, start: bytes) -> bool:
        """Whether the first bytes of a drop, `size` of them or all, are such a head."""
        for word, at in self._words:
            if not start.startswith(word, at):
                return False
        # With every word at its place, nothing but base64 is left between them.
        return start[: self.size].translate(None, _BASE64) == self._rest
