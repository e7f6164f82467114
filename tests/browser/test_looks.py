"""Every page and step, in each language, on a phone and a desktop, in light and dark: axe-core finds nothing,
nothing is wider than the screen, from right to left it is its own mirror image, letters twice as large fit,
and what it looked like is kept in test-output/screenshots/.
"""

from __future__ import annotations

import itertools
import os
from pathlib import Path

import pytest
from support.axe import violations
from support.cutting_proxy import CuttingProxy
from support.firefox import Firefox
from support.house import LANGUAGES, ROOT, House
from support.mirror import lopsided
from support.source import Source

SCREENSHOTS = ROOT / "test-output/screenshots"
WIDTHS = {"phone": 360, "desktop": 1280}
MIB = 1 << 20
HELD = 7 * MIB // 2  # more than the three parts that are under way at once: so one at least has arrived
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


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_is_fit_for_everyone(
    firefox: Firefox, house: House, tmp_path: Path, language: str
) -> None:
    tour = Tour(firefox, language)
    with CuttingProxy(house.address, hold_after=HELD) as proxy:
        source = Source(firefox, proxy.url, language)
        for page in ("index.html", "genuine.html"):
            source.open(page)
            tour.stop(page.removesuffix(".html"))
        before = set(house.drops())
        words = _send(source, tour, proxy, tmp_path)
        [drop] = set(house.drops()) - before
        _read(source, tour, house, drop, words)
    firefox.viewport(1280)
    assert tour.problems == []


def _send(source: Source, tour: Tour, proxy: CuttingProxy, folder: Path) -> list[str]:
    source.open_send()
    tour.stop("send-1-write")
    source.choose([])
    source.submit()
    source.error("to")
    tour.stop("send-1-nobody-chosen")
    files = [folder / "Protokoll Sitzung 4. März.pdf", folder / f"{'long-name-' * 9}.jpg"]
    for file in files:
        file.write_bytes(os.urandom(3 * MIB))
    source.write("What happened", files=files, to=["ada"])
    source.submit()
    source.error("q-evidence")
    tour.stop("send-1-question-unanswered")
    source.write(answers={"evidence": "Minutes"})
    source.submit()
    words = source.words()
    tour.stop("send-2-words")
    source.type_back([*words[:11], "knothole"])
    source.error("typed")
    tour.stop("send-3-typed-back-wrong")
    source.type_back(words)
    source.firefox.wait(lambda: proxy.held)
    source.firefox.wait(lambda: source.arrived() > 0)
    tour.stop("send-4-sending")
    proxy.resume()
    source.reach("done")
    tour.stop("send-5-done")
    return words


def _read(source: Source, tour: Tour, house: House, drop: str, words: list[str]) -> None:
    source.enter(["knothole"])
    source.error("typed")
    tour.stop("answers-1-enter")
    source.type_words("enter", words)
    source.reach("thread")
    source.firefox.wait(lambda: source.firefox.shown("#none"))
    tour.stop("answers-2-none")
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop[:12], text="Thank you.\n\nWhich of the two reports came first?")
    house.forge("bo", drop, "Tell me your name")
    source.firefox.click("#again")
    source.firefox.wait(lambda: len(source.conversation()) == 2)
    source.write("The second, as far as I know.", to=["ada"])
    source.submit()
    source.firefox.wait(lambda: len(source.conversation()) == 3)
    tour.stop("answers-3-conversation")


@pytest.mark.parametrize("language", LANGUAGES)
def test_partners_and_the_landing_page_are_fit_for_everyone(
    firefox: Firefox, alliance: House, language: str
) -> None:
    tour = Tour(firefox, language)
    source = Source(firefox, alliance.url, language)
    source.open_send()
    source.choose(["gazette", "radio", "weekly"])
    source.write("For three")
    source.submit()
    assert source.error("to") == source.said("to_many", count=2)
    tour.stop("send-partners")
    source.open("genuine.html")
    tour.stop("genuine-onion")
    firefox.open(f"file://{alliance.edition.parent}/landing/{language}.html")
    tour.stop("landing")
    firefox.viewport(1280)
    assert tour.problems == []
