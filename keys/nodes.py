"""YAML and JSON as trees of nodes that know their lines; bounded, whatever the input."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

Json = Any

DEEPEST = 12
_TAG = "tag:yaml.org,2002:"


@dataclass(frozen=True, order=True)
class Mistake:
    line: int  # 1-based; 0 where the text has no lines of its own
    says: str


class Wrong(Exception):  # noqa: N818 - never shown: its mistakes are
    """What a kind raises: every mistake found under one node."""

    def __init__(self, *mistakes: Mistake) -> None:
        super().__init__(*mistakes)
        self.mistakes = mistakes


def wrong(node: Node, says: str) -> Wrong:
    return Wrong(Mistake(line(node), says))


def line(node: Node) -> int:
    return node.start_mark.line + 1 if node.start_mark else 0


def is_text(node: Node) -> bool:
    return isinstance(node, ScalarNode) and node.tag != _TAG + "null"


class _Loader(yaml.SafeLoader):
    """Composes nodes only; an alias or deep nesting ends it at once, so no input can grow in memory."""

    depth = 0

    def compose_node(self, parent: Node | None, index: int) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise yaml.YAMLError(
                f"line {event.start_mark.line + 1}: aliases (& and *) are not used in this file"
            )
        if self.depth == DEEPEST:
            raise yaml.YAMLError(f"line {event.start_mark.line + 1}: this is nested too deeply")
        self.depth += 1
        node = super().compose_node(parent, index)
        self.depth -= 1
        return node


def nodes_of_yaml(text: str) -> Node:
    """Gives the document's root node with its line numbers; raises Wrong when it is not one YAML document."""
    loader = None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = " ".join(filter(None, (error.context, error.problem)))
        raise Wrong(Mistake(mark.line + 1 if mark else 1, f"this is not YAML: {said}")) from None
    except yaml.YAMLError as error:
        raise Wrong(Mistake(0, str(error).partition("\n")[0])) from None
    except (ValueError, OverflowError):  # PyYAML's own slips, such as chr() on "\U00110000"
        raise Wrong(Mistake(0, "this is not YAML: an escape or number in it is impossible")) from None
    finally:
        if loader is not None:
            loader.dispose()
    if node is None:
        raise Wrong(Mistake(1, "there is nothing in this file"))
    return node


def nodes_of_json(value: Json) -> Node:
    """Gives the same nodes for a value that `json.loads` made, so that one schema reads both."""
    match value:
        case dict():
            pairs = [(nodes_of_json(k), nodes_of_json(v)) for k, v in value.items()]
            return MappingNode(_TAG + "map", pairs)
        case list():
            return SequenceNode(_TAG + "seq", [nodes_of_json(v) for v in value])
        case None:
            return ScalarNode(_TAG + "null", "")
        case bool():
            return ScalarNode(_TAG + "bool", str(value).lower())
        case _:
            return ScalarNode(_TAG + "str", str(value))


def at(node: Node, *way: str | int) -> Node:
    """Gives the node that `way` leads to, or the last one on the way that is there: for a mistake's line."""
    for step in way:
        if isinstance(node, MappingNode):
            node = next((v for k, v in node.value if k.value == step), node)
        elif isinstance(node, SequenceNode) and isinstance(step, int):
            node = node.value[step]
    return node
