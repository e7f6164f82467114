"""Every page and step, in each language, on a phone and a desktop, in light and dark: axe-core finds nothing,
nothing is wider than the screen, from right to left it is its own mirror image, letters twice as large fit,
and what it looked like is kept in test-output/screenshots/.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.cutting_proxy import CuttingProxy
from support.firefox import Firefox
from support.house import LANGUAGES, House
from support.source import Source
from support.tour import Tour

MIB = 1 << 20
HELD = 7 * MIB // 2  # more than the three parts that are under way at once: so one at least has arrived


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
