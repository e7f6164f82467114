"""newsroom.yaml, changed where it must be and nowhere else: comments and order stay as they were written."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from yaml.nodes import MappingNode, Node, SequenceNode

from keys.nodes import nodes_of_yaml


def without(text: str, key: str, is_it: Callable[[Node], bool]) -> str:
    """Gives the text without those items of a list at the top of the file for which `is_it` holds."""
    found = _value(nodes_of_yaml(text), key)
    for at in reversed([i for i, item in enumerate(_items(found)) if is_it(item)]):
        text = _cut(text, found, at)
    return text


def without_in_each(text: str, key: str, inner: str, is_it: Callable[[Node], bool]) -> str:
    """Gives the text without those items of the lists `inner` that the items of a list at the top have."""
    for item in reversed(_items(_value(nodes_of_yaml(text), key))):
        found = _value(item, inner)
        for at in reversed([i for i, one in enumerate(_items(found)) if is_it(one)]):
            text = _cut(text, found, at)
    return text


def appended(text: str, key: str, item: str) -> str:
    """Gives the text with one more item, in YAML on one line, at the end of a list at the top of the file;
    with a new list at the file's end where there is none."""
    found = _value(nodes_of_yaml(text), key)
    if not isinstance(found, SequenceNode) or not found.value:
        return f"{text.rstrip()}\n\n{key}:\n  - {item}\n"
    end = _end(found.value[-1])
    if found.flow_style:
        return f"{text[:end]}, {item}{text[end:]}"
    end = (text + "\n").index("\n", end)
    return f"{text[:end]}\n{' ' * found.start_mark.column}- {item}{text[end:]}"


def _cut(text: str, found: Node, at: int) -> str:
    """Gives the text without one item of a list: its lines in a block, itself and a comma in brackets."""
    items = _items(found)
    begin, end = items[at].start_mark.index, _end(items[at])
    if isinstance(found, SequenceNode) and found.flow_style:
        if at + 1 < len(items):
            return text[:begin] + text[items[at + 1].start_mark.index :]
        return text[: _end(items[at - 1]) if at else begin] + text[end:]
    lines_begin = text.rindex("\n", 0, begin) + 1
    lines_end = (text + "\n").index("\n", end) + 1
    return text[:lines_begin] + text[lines_end:]


def _end(node: Node) -> int:
    """Gives where a node's last word ends. A block's own mark lies behind the comments that follow it."""
    if isinstance(node, MappingNode | SequenceNode) and not node.flow_style:
        last = node.value[-1]
        return _end(last[1] if isinstance(node, MappingNode) else last)
    return int(node.end_mark.index)


def _value(node: Node, key: str) -> Node:
    entries = node.value if isinstance(node, MappingNode) else []
    return next((value for name, value in entries if name.value == key), SequenceNode("", []))


def _items(node: Node) -> Sequence[Node]:
    return node.value if isinstance(node, SequenceNode) else ()
