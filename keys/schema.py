"""Typed options read from YAML or JSON: every mistake at once, each with its line and the nearest right name.

A dataclass is the schema: each field is one `option(kind, sentence)`, and the same field says how it is read,
what the manual says of it, and how it appears in the JSON Schema. Nothing here knows what a newsroom is.
"""

from __future__ import annotations

import dataclasses
import difflib
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, dataclass
from datetime import date
from typing import Any, Protocol, TypeVar, cast

from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

from keys.nodes import Json, Mistake, Wrong, is_text, line, nodes_of_json, wrong

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


class Kind(Protocol[T_co]):
    """One type of value: `read` gives it from a node or raises Wrong, `schema` says it as JSON Schema."""

    def read(self, node: Node) -> T_co: ...

    def schema(self) -> dict[str, Json]: ...


def option(kind: Kind[T], says: str, default: Any = MISSING) -> T:
    """One field of a schema. Without a default it is required."""
    return cast(T, dataclasses.field(default=default, metadata={"kind": kind, "says": says}))


def nearest(word: str, words: Iterable[str]) -> str:
    """Gives `; the nearest is …`, or nothing when no word is near."""
    near = difflib.get_close_matches(word, list(words), 1)
    return f"; the nearest is {near[0]!r}" if near else ""


@dataclass(frozen=True)
class Section(Kind[T]):
    """A mapping with exactly the options of a dataclass. With `alone`, a lone text stands for that option."""

    of: type[T]
    alone: str = ""

    def read(self, node: Node) -> T:
        values, mistakes = self.parts(node)
        if mistakes:
            raise Wrong(*mistakes)
        return self.of(**values)

    def parts(self, node: Node) -> tuple[dict[str, Any], list[Mistake]]:
        """Gives the options that are right and the mistakes in the others, for checks across options."""
        fields = {f.name: f for f in dataclasses.fields(cast(Any, self.of))}
        entries, mistakes = mapping(node, fields, self.alone)
        values: dict[str, Any] = {}
        for name, value in entries.items():
            try:
                values[name] = fields[name].metadata["kind"].read(value)
            except Wrong as found:
                mistakes += [Mistake(m.line, f"{name}: {m.says}") for m in found.mistakes]
        for name, f in fields.items():
            if name not in entries and f.default is MISSING:
                mistakes.append(Mistake(line(node), f"{name!r} is missing: {f.metadata['says']}"))
        return values, mistakes

    def schema(self) -> dict[str, Json]:
        fields = dataclasses.fields(cast(Any, self.of))
        described: dict[str, Json] = {}
        for f in fields:
            described[f.name] = f.metadata["kind"].schema() | {"description": f.metadata["says"]}
            if f.default is not MISSING and f.default is not None:
                described[f.name]["default"] = plain(f.default)
        table = {
            "type": "object",
            "properties": described,
            "required": [f.name for f in fields if f.default is MISSING],
            "additionalProperties": False,
        }
        return {"anyOf": [{"type": "string"}, table]} if self.alone else table


@dataclass(frozen=True)
class ListOf(Kind[tuple[T, ...]]):
    """A list of one kind, in its order, without repeats."""

    kind: Kind[T]
    least: int = 0
    most: int = 1000

    def read(self, node: Node) -> tuple[T, ...]:
        if not isinstance(node, SequenceNode):
            raise wrong(node, "this must be a list: one item a line, each after a hyphen")
        found: list[T] = []
        mistakes: list[Mistake] = []
        for item in node.value:
            try:
                value = self.kind.read(item)
                if value in found:
                    raise wrong(item, f"{item.value!r} stands here twice" if is_text(item) else "a repeat")
                found.append(value)
            except Wrong as bad:
                mistakes += bad.mistakes
        if not self.least <= len(node.value) <= self.most:
            mistakes.append(Mistake(line(node), f"this list must have {self.least} to {self.most} items"))
        if mistakes:
            raise Wrong(*mistakes)
        return tuple(found)

    def schema(self) -> dict[str, Json]:
        items = self.kind.schema()
        return {
            "type": "array",
            "items": items,
            "minItems": self.least,
            "maxItems": self.most,
            "uniqueItems": True,
        }


@dataclass(frozen=True)
class TableOf(Kind[Mapping[str, T]]):
    """A mapping from free names to one kind."""

    names: Kind[str]
    kind: Kind[T]

    def read(self, node: Node) -> Mapping[str, T]:
        entries, mistakes = mapping(node)
        found: dict[str, T] = {}
        for name, value in entries.items():
            try:
                found[self.names.read(ScalarNode("tag:yaml.org,2002:str", name, value.start_mark))] = (
                    self.kind.read(value)
                )
            except Wrong as bad:
                mistakes += bad.mistakes
        if mistakes:
            raise Wrong(*mistakes)
        return found

    def schema(self) -> dict[str, Json]:
        return {
            "type": "object",
            "propertyNames": self.names.schema(),
            "additionalProperties": self.kind.schema(),
        }


def mapping(
    node: Node, known: Iterable[str] | None = None, alone: str = ""
) -> tuple[dict[str, Node], list[Mistake]]:
    """Gives a mapping's entries by name, and a mistake for each name that is unknown or there twice."""
    if alone and isinstance(node, ScalarNode):
        return {alone: node}, []
    if not isinstance(node, MappingNode):
        raise wrong(node, "this must be a table of options: one `name: value` a line")
    entries: dict[str, Node] = {}
    mistakes: list[Mistake] = []
    for key, value in node.value:
        if not is_text(key):
            mistakes.append(Mistake(line(key), "an option's name must be plain text"))
        elif known is not None and key.value not in known:
            mistakes.append(Mistake(line(key), f"unknown option {key.value!r}{nearest(key.value, known)}"))
        elif key.value in entries:
            mistakes.append(Mistake(line(key), f"{key.value!r} stands here twice"))
        else:
            entries[key.value] = value
    return entries, mistakes


def plain(value: Any) -> Json:
    """Gives what JSON can hold of an option's value; an absent option is left out."""
    if dataclasses.is_dataclass(value):
        named = ((f.name, getattr(value, f.name)) for f in dataclasses.fields(value))
        return {name: plain(v) for name, v in named if v is not None}
    if isinstance(value, Mapping):
        return {name: plain(v) for name, v in value.items()}
    if isinstance(value, tuple):
        return [plain(v) for v in value]
    if isinstance(value, date):
        return value.isoformat()
    return value


def canonical(value: Any) -> bytes:
    """Gives the one way a value is written as JSON (FORMAT section 6)."""
    return (json.dumps(plain(value), sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()


def parse_canonical(of: type[T], data: bytes, longest: int) -> T:
    """Gives a dataclass from its canonical JSON; raises Wrong for other bytes and for more than `longest`."""
    try:
        if len(data) > longest:
            raise Wrong(Mistake(0, f"it is larger than {longest} bytes"))
        value = Section(of).read(nodes_of_json(json.loads(data)))
    except (ValueError, RecursionError):
        raise Wrong(Mistake(0, "this is not JSON")) from None
    # One text, one value: this also refuses repeated keys, numbers as text and absent options spelled out.
    if canonical(value) != data:
        raise Wrong(Mistake(0, "this is not written in the one canonical way"))
    return value
