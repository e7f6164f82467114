"""Somebody who uses no pointer: the focus is always to be seen."""

from __future__ import annotations

import pytest
from support.firefox import ENTER, TAB, Firefox

STOPS = 60  # a page with more would be a burden of its own
_SEEN = """
const at = document.activeElement, style = getComputedStyle(at);
const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2;
return [at.matches(arguments[0]), at.outerHTML.slice(0, 120), outlined || style.boxShadow !== "none"];
"""


class Keyboard:
    def __init__(self, firefox: Firefox) -> None:
        self.firefox = firefox

    def to(self, css: str, key: str = TAB) -> None:
        """Tabs on, or back with `SHIFT + TAB`, until the focus is on what matches; it is to be seen at every
        stop on the way."""
        for _ in range(STOPS):
            self.firefox.press(key)
            there, where, seen = self.firefox.script(_SEEN, css)
            assert seen, f"the focus is not to be seen at {where}"
            if there:
                return
        pytest.fail(f"{css} is not reached with Tab")

    def fill(self, css: str, text: str) -> None:
        self.to(css)
        self.firefox.press(*text)

    def press(self, css: str, key: str = ENTER) -> None:
        self.to(css)
        self.firefox.press(key)
