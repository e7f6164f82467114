"""The leaves of the schema: one class a type of value, each with one sentence when a value is not one."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any
from urllib.parse import urlsplit

from yaml.nodes import Node, ScalarNode

from keys import onion
from keys.errors import BadOnion
from keys.nodes import Json, is_text, wrong
from keys.schema import Kind, TableOf, nearest

_TAGS = frozenset(
    f"tag:yaml.org,2002:{name}" for name in ("str", "int", "float", "bool", "timestamp", "null")
)
_UNITS = {"": 1, "B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40}


def raw(node: Node) -> str:
    """Gives a scalar as it was typed, so that `no` stays Norwegian and 12:30 stays text."""
    if not isinstance(node, ScalarNode) or node.tag not in _TAGS:
        raise wrong(node, "this must be one plain value")
    if not is_text(node):
        raise wrong(node, "there is no value")
    return str(node.value).strip()


@dataclass(frozen=True)
class Text(Kind[str]):
    """Text for people on one line, in NFC, without control or invisible characters."""

    longest: int = 200

    def read(self, node: Node) -> str:
        text = unicodedata.normalize("NFC", raw(node))
        if not text:
            raise wrong(node, "there is no text")
        if len(text) > self.longest:
            raise wrong(node, f"this is {len(text)} characters long; at most {self.longest} fit")
        # Joiners shape words in Persian and the Indic scripts; other invisible characters only deceive.
        bad = [c for c in text if unicodedata.category(c)[0] == "C" and c not in "\u200c\u200d"]
        if bad or "\u2028" in text or "\u2029" in text:
            raise wrong(node, "a control or invisible character, or a line break, is in this text")
        return text

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "minLength": 1, "maxLength": self.longest}


@dataclass(frozen=True)
class Pattern(Kind[str]):
    """A short name of a fixed form; `like` shows one."""

    form: str
    like: str

    def read(self, node: Node) -> str:
        text = raw(node)
        if not re.fullmatch(self.form, text, re.ASCII):
            raise wrong(node, f"{text!r:.80} is not of the form {self.like}")
        return text

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "pattern": f"^{self.form}$"}


@dataclass(frozen=True)
class OneOf(Kind[str]):
    """One of a few words."""

    words: tuple[str, ...]

    def read(self, node: Node) -> str:
        text = raw(node)
        if text not in self.words:
            raise wrong(node, f"{text!r:.80} is none of {', '.join(self.words)}{nearest(text, self.words)}")
        return text

    def schema(self) -> dict[str, Json]:
        return {"enum": list(self.words)}


@dataclass(frozen=True)
class YesNo(Kind[bool]):
    """true or false."""

    def read(self, node: Node) -> bool:
        return OneOf(("true", "false")).read(node) == "true"

    def schema(self) -> dict[str, Json]:
        return {"type": "boolean"}


@dataclass(frozen=True)
class Number(Kind[int]):
    """A whole number within bounds."""

    least: int
    most: int

    def read(self, node: Node) -> int:
        text = raw(node)
        if not re.fullmatch(r"[0-9]{1,15}", text) or not self.least <= int(text) <= self.most:
            raise wrong(node, f"{text!r:.80} is not a whole number from {self.least} to {self.most}")
        return int(text)

    def schema(self) -> dict[str, Json]:
        return {"type": "integer", "minimum": self.least, "maximum": self.most}


@dataclass(frozen=True)
class Size(Kind[int]):
    """A number of bytes, written as 2 GiB or in full."""

    least: int
    most: int

    def read(self, node: Node) -> int:
        text = raw(node)
        found = re.fullmatch(r"([0-9]{1,15}) ?([KMGT]iB|B)?", text)
        size = int(found[1]) * _UNITS[found[2] or ""] if found else -1
        if not self.least <= size <= self.most:
            raise wrong(
                node, f"{text!r:.80} is not a size from {in_units(self.least)} to {in_units(self.most)}"
            )
        return size

    def schema(self) -> dict[str, Json]:
        return {"type": ["string", "integer"], "pattern": "^[0-9]+ ?([KMGT]iB|B)?$", "minimum": self.least}


def in_units(size: int) -> str:
    """Gives a size as people write it, in the largest unit that divides it."""
    unit = max((u for u in _UNITS if u and size % _UNITS[u] == 0), key=lambda u: _UNITS[u])
    return f"{size // _UNITS[unit]} {unit}"


@dataclass(frozen=True)
class Day(Kind[date]):
    """A date."""

    def read(self, node: Node) -> date:
        text = raw(node)
        try:
            if re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
                return date.fromisoformat(text)
        except ValueError:
            pass
        raise wrong(node, f"{text!r:.80} is not a date such as 2027-01-31")

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "format": "date"}


@dataclass(frozen=True)
class Address(Kind[str]):
    """A https address on the ordinary web."""

    def read(self, node: Node) -> str:
        text = raw(node)
        try:
            url = urlsplit(text)
            right = (
                url.scheme == "https" and "." in (url.hostname or "") and not url.username and url.port != 0
            )
        except ValueError:
            right = False
        if not right or not re.fullmatch(r"[!#$%&'()*+,./:;=?@\[\]_~0-9A-Za-z-]{1,300}", text):
            raise wrong(node, f"{text!r:.80} is not an address such as https://example.org/tips")
        return text

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "format": "uri", "pattern": "^https://"}


@dataclass(frozen=True)
class Onion(Kind[str]):
    """A version 3 onion address; its checksum catches a typing error before it is printed in a newspaper."""

    def read(self, node: Node) -> str:
        text = raw(node).lower()
        try:
            onion.parse_address(text)
        except BadOnion as bad:
            raise wrong(node, f"{text!r:.80} is not an onion address: {bad.detail}") from None
        return text

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "pattern": "^[a-z2-7]{56}\\.onion$"}


LANGUAGE = Pattern(r"[a-z]{2,3}(-[A-Z][a-z]{3})?(-[A-Z]{2})?", "en, nl or pt-BR")


@dataclass(frozen=True)
class Localized(Kind[Mapping[str, str]]):
    """A text, or one a language. A lone text is kept under `*`: it serves every language."""

    longest: int = 300

    def read(self, node: Node) -> Mapping[str, str]:
        if isinstance(node, ScalarNode):
            return {"*": Text(self.longest).read(node)}
        return TableOf(Pattern(rf"\*|{LANGUAGE.form}", LANGUAGE.like), Text(self.longest)).read(node)

    def schema(self) -> dict[str, Json]:
        text: dict[str, Any] = Text(self.longest).schema()
        return {"anyOf": [text, {"type": "object", "additionalProperties": text, "minProperties": 1}]}
