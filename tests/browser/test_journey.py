"""From the home page to the desk and back, as a source and a journalist do it, at each security level."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from support.firefox import Firefox
from support.house import House
from support.source import Source

from keys.errors import NotForYou

MESSAGE = "The permit was signed before the meeting.\nÆtt ünïcode 🗝 and <b>no markup</b>."
ANSWERS = {"evidence": "Scans of the minutes"}


def test_what_a_source_sends_is_what_the_desk_opens(
    any_firefox: Firefox, house: House, tmp_path: Path
) -> None:
    scans, note = tmp_path / "scans 2024.bin", tmp_path / "note.txt"
    scans.write_bytes(os.urandom(5 << 20))
    note.write_text("see page 3")
    source = Source(any_firefox, house.url)
    before = set(house.drops())

    source.open("")
    any_firefox.click('main a[href$="send.html"]')
    source.reach("write")
    source.write(MESSAGE, answers=ANSWERS, files=[scans, note], to=["ada", "cor"])
    source.submit()
    words = source.words()
    assert len(words) == 12

    source.type_back([*words[:11], "knothole"])
    assert source.error("typed") == source.said("word_unknown", word="knothole")
    other = "zoo" if words[4] != "zoo" else "zone"
    source.type_back([*words[:4], other, *words[5:]])
    assert source.error("typed") == source.said("word_differs", position=5)
    source.type_back(words)
    source.reach("done")

    [drop] = set(house.drops()) - before
    for name in ("ada", "cor"):
        opened = house.open(name, drop)
        assert opened.text == MESSAGE
        assert opened.letter.answers == ANSWERS
        assert opened.letter.to == ("ada", "cor")
        assert opened.files == {"scans 2024.bin": scans.read_bytes(), "note.txt": note.read_bytes()}
    with pytest.raises(NotForYou):
        house.open("bo", drop)
