"""From the home page to the desk and back, as a source and a journalist do it, at each security level."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.firefox import Firefox
from support.front import Front, honest, lacks_the_board
from support.house import House
from support.source import Source

from keys import codename
from keys.errors import NotForYou

MESSAGE = "The permit was signed before the meeting.\nÆtt ünïcode 🗝 and <b>no markup</b>."
ANSWERS = {"evidence": "Scans of the minutes"}
REPLY = "Thank you.\nWhich came first? <i>Ada</i> 🗝"
FOLLOW_UP = "The minutes came first."


def test_the_whole_way_there_and_back(any_firefox: Firefox, house: House, tmp_path: Path) -> None:
    source = Source(any_firefox, house.url)
    before = set(house.drops())
    files = [tmp_path / "scans 2024.bin", tmp_path / "note.txt"]
    files[0].write_bytes(os.urandom(5 << 20))
    files[1].write_text("see page 3")

    words = _send(source, files)
    [drop] = set(house.drops()) - before
    _check_opened(house, drop, files)

    house.desk("ada", "fetch")
    reply = house.desk("ada", "reply", drop[:12], text=REPLY)
    house.forge("bo", drop, "Tell me your name")
    _read(source, words)

    before = set(house.drops())
    source.write(FOLLOW_UP)
    source.submit()
    any_firefox.wait(lambda: len(source.conversation()) == 3)
    assert source.conversation()[2]["text"] == FOLLOW_UP
    [follow_up] = set(house.drops()) - before
    letter = house.open("ada", follow_up).letter
    assert letter.thread == house.open("ada", drop).letter.thread
    assert letter.to == ("ada",)  # who answered, until the source chooses otherwise
    assert letter.read == (reply["reply"],)

    house.desk("ada", "fetch")
    turns = house.desk("ada", "show", follow_up[:12])["conversation"]
    assert [turn["text"] for turn in turns] == [MESSAGE, REPLY, FOLLOW_UP]
    _close(source)


def test_a_partner_stands_for_its_journalists(firefox: Firefox, alliance: House) -> None:
    source = Source(firefox, alliance.url, "nl")
    source.open_send()
    source.write(MESSAGE, answers=ANSWERS, to=["gazette", "weekly"])
    source.send()
    drop = alliance.drops()[-1]
    letter = alliance.open("ada", drop).letter
    assert (letter.to, letter.language) == (("ada", "bo", "cor", "dee"), "nl")

    source.open_send()
    source.write(MESSAGE, answers=ANSWERS, to=["radio"])
    source.send()
    drop = alliance.drops()[-1]
    assert alliance.open("cor", drop).letter.to == ("cor",)
    with pytest.raises(NotForYou):
        alliance.open("dee", drop)


def _send(source: Source, files: list[Path]) -> list[str]:
    """From the home page to the end of the send page; the words."""
    source.open("")
    source.firefox.click('main a[href$="send.html"]')
    source.reach("write")
    source.write(MESSAGE, answers=ANSWERS, files=files, to=["ada", "cor"])
    source.submit()
    words = source.words()
    assert len(words) == 12

    source.type_back([*words[:11], "knothole"])
    assert source.error("typed") == source.said("word_unknown", word="knothole")
    other = "zoo" if words[4] != "zoo" else "zone"
    source.type_back([*words[:4], other, *words[5:]])
    assert source.error("typed") == source.said("word_differs", position=5)
    source.type_back(words[:11])
    assert source.error("typed") == source.said("words_count", count=11)
    source.type_back(words)
    source.reach("done")
    left = source.firefox.script("return [message.value, words.textContent, typed.value, files.files.length]")
    assert left == ["", "", "", 0]
    return words


def _check_opened(house: House, drop: str, files: list[Path]) -> None:
    for name in ("ada", "cor"):
        opened = house.open(name, drop)
        assert opened.text == MESSAGE
        assert opened.letter.answers == ANSWERS
        assert opened.letter.to == ("ada", "cor")
        assert opened.files == {file.name: file.read_bytes() for file in files}
    with pytest.raises(NotForYou):
        house.open("bo", drop)


def _read(source: Source, words: list[str]) -> None:
    """Reads the answers under these words, after one word was mistyped."""
    source.enter([*words[:3], "knothole", *words[4:]])
    assert source.error("typed") == source.said("word_unknown", word="knothole")
    source.type_words("enter", words)
    source.reach("thread")
    source.firefox.wait(lambda: len(source.conversation()) == 2)
    shown = {entry["kind"]: entry for entry in source.conversation()}
    assert shown["reply"] == {"kind": "reply", "author": "Ada Smit", "note": "", "text": REPLY}
    assert shown["forged"]["note"] == source.said("forged", author="Bo Smit")
    assert shown["forged"]["text"] == ""


def test_a_follow_up_before_any_answer_goes_to_whom_the_source_chooses_again(
    firefox: Firefox, house: House
) -> None:
    source = Source(firefox, house.url)
    source.open_send()
    source.write(MESSAGE, answers=ANSWERS, to=["ada"])
    words = source.send()
    source.enter(words)
    source.reach("thread")
    before = set(house.drops())
    source.write(FOLLOW_UP)
    source.submit()
    assert source.error("to") == source.said("to_none")
    source.choose(["ada"])
    source.submit()
    firefox.wait(lambda: len(source.conversation()) == 1)
    [drop] = set(house.drops()) - before
    assert house.open("ada", drop).letter.to == ("ada",)


def test_without_the_board_nobody_is_told_that_there_is_no_answer(firefox: Firefox, house: House) -> None:
    with Front(house.relay.source, lacks_the_board) as front:
        source = Source(firefox, front.url)
        source.enter(codename.words(bytes(16), "en").split())
        source.reach("thread")
        firefox.wait(lambda: firefox.text("#problem") == source.said("board_failed"))
        assert not firefox.shown("#none")
        front.bend = honest
        firefox.click("#again")
        firefox.wait(lambda: firefox.shown("#none"))


def _close(source: Source) -> None:
    source.firefox.click("#close")
    source.reach("enter")
    assert source.conversation() == []
    assert FOLLOW_UP not in source.firefox.script("return document.documentElement.outerHTML")
