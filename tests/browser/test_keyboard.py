"""The whole way without a pointer: every step begins at its heading, and the focus is always to be seen."""

from __future__ import annotations

from pathlib import Path

from support.firefox import ENTER, SPACE, TAB, Firefox
from support.house import House
from support.keyboard import Keyboard
from support.source import Source


def _at_heading(source: Source, step: str) -> None:
    source.reach(step)
    assert source.firefox.script(
        "return document.activeElement.matches(`#step-${arguments[0]} :is(h1, h2, h3)`)", step
    )


def test_a_message_and_a_follow_up_with_keys_alone(firefox: Firefox, house: House, tmp_path: Path) -> None:
    before = set(house.drops())
    note = tmp_path / "note.txt"
    note.write_text("with keys")
    source, keys = Source(firefox, house.url), Keyboard(firefox)

    source.open("index.html")
    keys.press("main a[href$='send.html']")
    source.reach("write")
    assert firefox.script("return [document.activeElement.tagName, scrollY]") == ["BODY", 0]
    keys.press("#to input[value=bo]", SPACE)  # all are chosen at first
    keys.fill("#message", "No mouse here")
    keys.fill("[data-question=evidence]", "my own eyes")
    keys.press("[data-question=others]", "A")  # a list goes to what is typed
    keys.to("#files")
    source.write(files=[note])  # the dialog that picks it is the browser's
    keys.press("#write [type=submit]")

    _at_heading(source, "words")
    words = source.words()
    keys.press("#words-back")
    _at_heading(source, "write")
    keys.press("#write [type=submit]")
    _at_heading(source, "words")
    assert source.words() == words
    keys.press("#words-written", SPACE)

    _at_heading(source, "confirm")
    keys.fill("#typed", "never mind")
    keys.press("#confirm [type=submit]")
    assert source.error("typed")
    assert firefox.script("return document.activeElement.id") == "typed"
    keys.press("#words-again")
    _at_heading(source, "words")
    keys.press("#words-written")
    _at_heading(source, "confirm")
    keys.fill("#typed", " ".join(words))
    firefox.press(ENTER)
    _at_heading(source, "done")
    assert not firefox.shown("#status")  # the heading says it, once

    [drop] = set(house.drops()) - before
    opened = house.open("ada", drop)
    assert (opened.text, opened.files) == ("No mouse here", {"note.txt": b"with keys"})
    assert opened.letter.to == ("ada", "cor")
    assert opened.letter.answers == {"evidence": "my own eyes", "others": "A few people"}

    keys.press("#step-done a[href$='answers.html']")
    source.reach("enter")
    keys.fill("#typed", " ".join(words))
    firefox.press(ENTER)
    _at_heading(source, "thread")
    keys.press("#to input[value=cor]", SPACE)  # nobody is chosen before somebody answered
    keys.fill("#message", "Once more")
    keys.press("#write [type=submit]")
    firefox.wait(lambda: len(source.conversation()) == 1)
    _at_heading(source, "thread")
    keys.press("#close")
    _at_heading(source, "enter")


def test_the_first_stop_skips_to_the_text(firefox: Firefox, house: House) -> None:
    Source(firefox, house.url).open("index.html")
    keys = Keyboard(firefox)
    firefox.press(TAB)
    assert firefox.shown("a[href='#main']:focus")
    firefox.press(ENTER)
    keys.to("main a, main button, main input")
    assert firefox.script("return document.querySelector('header').contains(document.activeElement)") is False
