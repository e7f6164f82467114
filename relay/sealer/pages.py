"""Pages of the edition with places to fill: the build wrote all the words, here come values, always escaped.

A place is a comment, `<!--name-->`; in an attribute that is nothing but a place, no value means no attribute.
What stands between `<!--begin name-->` and `<!--end name-->` is there once for each set of values under that
name.
The texts of a newsroom cannot look like one: the build escapes them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import NamedTuple

from relay.errors import BadEdition

Values = Mapping[str, "str | Sequence[Values]"]

_PLACE = re.compile(r'\s([a-z-]+)="<!--([a-z0-9-]+)-->"|<!--(?:(begin|end) )?([a-z0-9-]+)-->')


class _Text(NamedTuple):
    text: str

    def fill(self, _: Values) -> str:
        return self.text


class _Place(NamedTuple):
    name: str
    attribute: str | None

    def fill(self, values: Values) -> str:
        value = values.get(self.name, "")
        text = escape(value) if isinstance(value, str) else ""
        if self.attribute is None:
            return text
        return f' {self.attribute}="{text}"' if text else ""


class _Section(NamedTuple):
    name: str
    inside: list[_Text | _Place | _Section]

    def fill(self, values: Values) -> str:
        each = values.get(self.name, ())
        if isinstance(each, str):
            raise TypeError(self.name)
        return "".join(part.fill({**values, **one}) for one in each for part in self.inside)


class Page:
    """A page to fill; refuses (BadEdition) one whose sections do not close in their order."""

    def __init__(self, html: str) -> None:
        self._whole = _Section("", [])
        opened = [self._whole]
        at = 0
        for found in _PLACE.finditer(html):
            attribute, alone, mark, name = found.groups()
            opened[-1].inside.append(_Text(html[at : found.start()]))
            at = found.end()
            if mark == "begin":
                section = _Section(name, [])
                opened[-1].inside.append(section)
                opened.append(section)
            elif mark == "end":
                if opened.pop().name != name or not opened:
                    raise BadEdition(f"a page ends the section {name!r} and did not begin it")
            else:
                opened[-1].inside.append(_Place(alone or name, attribute))
        if len(opened) > 1:
            raise BadEdition(f"a page does not end the section {opened[-1].name!r}")
        self._whole.inside.append(_Text(html[at:]))

    def fill(self, values: Values) -> bytes:
        """The page with these values in their places, and nothing where there is none for it."""
        return _Section("", self._whole.inside).fill({"": [{}], **values}).encode()


def shown(when: object) -> list[Values]:
    """The sets of values of a section that is there or not."""
    return [{}] if when else []
