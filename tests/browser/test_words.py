"""The field for the twelve words: all are to be seen, however they come in, and a wrong one is shown."""

from __future__ import annotations

import pytest
from support.firefox import ENTER, Firefox
from support.house import House
from support.source import Source

LONGEST = "abstract accident announce business category champion december discover distance document elephant"
CONTROL = "\ue009"
_HIDDEN = "return typed.scrollHeight > typed.clientHeight || typed.scrollWidth > typed.clientWidth"
_SELECTED = "return typed.value.slice(typed.selectionStart, typed.selectionEnd)"


def _confirm(source: Source) -> list[str]:
    """From the form to the words typed back; the words."""
    source.open_send()
    source.write("Twelve words", answers={"evidence": "none"}, to=["ada"])
    source.submit()
    words = source.words()
    source.firefox.click("#words-written")
    source.reach("confirm")
    source.firefox.click("#typed")
    return words


def _enter(source: Source) -> None:
    source.open("answers.html")
    source.reach("enter")
    source.firefox.click("#typed")


@pytest.mark.parametrize("page", ["send", "answers"])
def test_all_words_are_to_be_seen_on_a_phone(firefox: Firefox, house: House, page: str) -> None:
    source = Source(firefox, house.url)
    firefox.viewport(360)
    if page == "send":
        _confirm(source)
    else:
        _enter(source)
    rows = firefox.script("return typed.rows")
    assert rows >= 3
    for text in (f"{LONGEST} employ", "", "\n".join(LONGEST.split())):
        firefox.script("typed.value = ''")
        firefox.type("#typed", f"{text} ")
        assert firefox.script(_HIDDEN) is False
    assert firefox.script("return typed.rows") > rows
    firefox.viewport(1280)


def test_words_on_lines_of_their_own_are_sent_by_the_last_enter(firefox: Firefox, house: House) -> None:
    source = Source(firefox, house.url)
    words = _confirm(source)
    for word in words[:11]:
        firefox.press(*word.upper(), ENTER)
    assert source.steps == ["confirm"]
    assert not firefox.shown("#typed-error")
    firefox.press(*words[11], ENTER)
    source.reach("done")
    _enter(source)
    for word in words:
        firefox.press(*word, ENTER)
    source.reach("thread")


def test_words_are_pasted_as_they_were_copied(firefox: Firefox, house: House) -> None:
    source = Source(firefox, house.url)
    words = _confirm(source)
    firefox.chrome(
        "Cc['@mozilla.org/widget/clipboardhelper;1'].getService(Ci.nsIClipboardHelper)"
        ".copyString(arguments[0], null)",
        "\t " + "\r\n".join(words) + "\n",
    )
    firefox.press(CONTROL + "v")
    firefox.press(ENTER)
    source.reach("done")
    assert firefox.script("return [typed.value, typed.rows]") == ["", 3]


def test_the_wrong_word_is_named_and_replaced_by_typing(firefox: Firefox, house: House) -> None:
    source = Source(firefox, house.url)
    words = _confirm(source)
    firefox.press(*" ".join([*words[:6], "knothole", *words[7:]]), ENTER)
    assert source.error("typed") == source.said("word_unknown", word="knothole")
    assert firefox.script(_SELECTED) == "knothole"
    other = "zoo" if words[6] != "zoo" else "zone"
    firefox.press(*other, ENTER)
    assert source.error("typed") == source.said("word_differs", position=7)
    assert firefox.script(_SELECTED) == other
    firefox.press(*words[6], ENTER)
    source.reach("done")

    _enter(source)
    firefox.press(*" ".join([*words[:2], "knothole", *words]), ENTER)
    assert source.error("typed") == source.said("word_unknown", word="knothole")
    firefox.press("\ue003")
    firefox.press(ENTER)
    assert source.error("typed") == source.said("words_count", count=14)
