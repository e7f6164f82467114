"""Looks at pages as everyone meets them: small and large, light and dark, mirrored, and with large type."""

from __future__ import annotations

import itertools

from support.axe import violations
from support.firefox import Firefox
from support.house import ROOT
from support.mirror import lopsided

SCREENSHOTS = ROOT / "test-output/screenshots"
WIDTHS = {"phone": 360, "desktop": 1280}
_TOO_WIDE = "const { scrollWidth, clientWidth } = document.documentElement; return scrollWidth > clientWidth"


class Tour:
    """Looks at the page wherever it stops; `problems` is what was wrong with it there."""

    def __init__(self, firefox: Firefox, language: str) -> None:
        self.firefox = firefox
        self.language = language
        self.problems: list[str] = []

    def stop(self, name: str) -> None:
        for (device, width), dark in itertools.product(WIDTHS.items(), (False, True)):
            self.firefox.viewport(width)
            self.firefox.dark(dark)
            look = f"{name}-{device}-{'dark' if dark else 'light'}"
            found = violations(self.firefox)
            if self.firefox.script(_TOO_WIDE):
                found.append("it is wider than the screen")
            if not dark:
                found += lopsided(self.firefox)
                found += self._enlarged()
            self.problems += [f"{self.language} {look}: {problem}" for problem in found]
            self.firefox.screenshot(SCREENSHOTS / self.language / f"{look}.png")

    def _enlarged(self) -> list[str]:
        self.firefox.text_zoom(2)
        wide = self.firefox.script(_TOO_WIDE)
        self.firefox.text_zoom(1)
        return ["with letters twice as large it is wider than the screen"] if wide else []
