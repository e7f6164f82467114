"""drop.json: what a drop says of itself (FORMAT.md section 2)."""

from __future__ import annotations

import json
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NoReturn

from keys import casework
from keys.casework import Said
from keys.errors import BadDrop

LARGEST = 256 << 10  # bytes
_NAME = re.compile(r"[a-z][a-z0-9-]{0,31}")
_NEWSROOM = re.compile(r"[a-z0-9][a-z0-9-]{0,62}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?")
_HEX = re.compile(r"(?:[0-9a-f]{2})*")
_LINES = range(256)


def new_message() -> str:
    """Gives a fresh message id."""
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Record:
    """Which reply a note records: its id, and the n of the lines it was posted under."""

    id: str
    lines: tuple[int, ...]


@dataclass(frozen=True)
class Letter:
    """What drop.json holds. A drop has no author and a note has one; a note may record a reply, say something
    in a case, or both; a canary is a note that stands for a source's drop."""

    newsroom: str
    thread: bytes = field(repr=False)
    language: str
    to: tuple[str, ...]
    message: str = field(default_factory=new_message)
    answers: Mapping[str, str] = field(default_factory=dict)
    read: tuple[str, ...] = ()
    author: str | None = None
    record: Record | None = None
    case: Said | None = None
    canary: bool = False

    @property
    def kind(self) -> str:
        return "drop" if self.author is None else "note"

    def to_json(self) -> bytes:
        """Gives drop.json."""
        letter: dict[str, object] = {
            "version": 1,
            "kind": self.kind,
            "newsroom": self.newsroom,
            "message": self.message,
            "thread": self.thread.hex(),
            "language": self.language,
            "to": self.to,
            "answers": dict(self.answers),
            "read": self.read,
        }
        if self.author is not None:
            letter["author"] = self.author
        if self.record is not None:
            letter["reply"] = {"id": self.record.id, "lines": self.record.lines}
        if self.case is not None:
            letter["case"] = self.case.to_plain()
        if self.canary:
            letter["canary"] = True
        return json.dumps(letter, ensure_ascii=False, separators=(",", ":")).encode()


def parse(data: bytes) -> Letter:
    """Gives the letter these bytes are; raises BadDrop for any others."""
    if len(data) > LARGEST:
        raise BadDrop("drop.json is too large")
    try:
        # A lone surrogate survives json.loads and no encoding afterwards.
        loaded = json.loads(
            data.decode(), object_pairs_hook=_distinct, parse_float=_refuse, parse_constant=_refuse
        )
        json.dumps(loaded, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise BadDrop("drop.json is not JSON, or holds a key twice") from None
    if not isinstance(loaded, dict):
        raise BadDrop("drop.json is not an object")
    return _letter(loaded)


def _letter(given: dict[str, Any]) -> Letter:
    kind = given.get("kind")
    keys = {"version", "kind", "newsroom", "message", "thread", "language", "to", "answers", "read"}
    if kind == "note":
        keys |= {"author", *({"reply", "case", "canary"} & given.keys())}
    if given.keys() != keys or kind not in ("drop", "note"):
        raise BadDrop("drop.json has other keys than a drop or a note")
    if type(given["version"]) is not int or given["version"] != 1:
        raise BadDrop("drop.json has another version; a newer desk may open it")
    if given.get("canary", True) is not True or ("canary" in given and {"reply", "case"} & given.keys()):
        raise BadDrop("drop.json: canary is not true, or says something")
    to = tuple(_match("to", name, _NAME) for name in _list("to", given["to"], 1000))
    if not to or len(set(to)) != len(to):
        raise BadDrop("drop.json: to names nobody, or somebody twice")
    return Letter(
        newsroom=_match("newsroom", given["newsroom"], _NEWSROOM),
        message=_hex("message", given["message"], 16),
        thread=bytes.fromhex(_hex("thread", given["thread"], 32)),
        language=_match("language", given["language"], _LANGUAGE),
        to=to,
        answers=_answers(given["answers"]),
        read=tuple(_hex("read", reply, 8) for reply in _list("read", given["read"], 10_000)),
        author=_match("author", given["author"], _NAME) if kind == "note" else None,
        record=_record(given["reply"]) if "reply" in keys else None,
        case=casework.parse(given["case"]) if "case" in keys else None,
        canary="canary" in keys,
    )


def _answers(given: object) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(text, str) for text in given.values()):
        raise BadDrop("drop.json: answers is not a table of texts")
    return {_match("answers", name, _NAME): text for name, text in given.items()}


def _record(given: object) -> Record:
    if not isinstance(given, dict) or given.keys() != {"id", "lines"}:
        raise BadDrop("drop.json: reply has other keys than id and lines")
    lines = tuple(_list("lines", given["lines"], 4))
    right = all(type(n) is int and n in _LINES for n in lines)
    if not right or not lines or len(set(lines)) != len(lines):
        raise BadDrop("drop.json: lines is not one to four numbers from 0 to 255")
    return Record(_hex("reply", given["id"], 8), lines)


def _list(key: str, given: object, longest: int) -> list[Any]:
    if not isinstance(given, list) or len(given) > longest:
        raise BadDrop(f"drop.json: {key} is not a list, or too long")
    return given


def _match(key: str, given: object, form: re.Pattern[str]) -> str:
    if not isinstance(given, str) or not form.fullmatch(given):
        raise BadDrop(f"drop.json: {key} holds a value of another form")
    return given


def _hex(key: str, given: object, size: int) -> str:
    value = _match(key, given, _HEX)
    if len(value) != 2 * size:
        raise BadDrop(f"drop.json: {key} is not {2 * size} hex digits")
    return value


def _distinct(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    loaded = dict(pairs)
    if len(loaded) != len(pairs):
        raise ValueError("a key stands twice")
    return loaded


def _refuse(_: str) -> NoReturn:
    raise ValueError("no number of a drop is written so")
