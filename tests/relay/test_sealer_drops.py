"""The whole way by forms: what is sent opens at a desk, byte for byte, and a mistake costs nothing typed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest
from support.lane import Lane
from support.relay_process import ask
from support.sealer_process import Visitor, encode

from keys import codename, line
from keys.age import CHUNK
from keys.drop import LONGEST_MESSAGE
from keys.errors import NotForYou
from relay.sealer.form import MOST_TEXTS

ANSWERS = {"evidence": "The minutes.", "others": "A few people"}
MIB = 1 << 20


def new(lane: Lane, before: set[str]) -> str:
    """The one drop that came since."""
    [drop] = set(lane.house.drops()) - before
    return drop


def sent(lane: Lane, visitor: Visitor, *files: tuple[str, bytes], message: str = "Hello") -> str:
    before = set(lane.house.drops())
    visitor.begin()
    reply = visitor.send(message, files, answers=ANSWERS)
    assert (reply.status, "It has arrived" in visitor.text) == (200, True), visitor.text
    return new(lane, before)


def test_a_message_is_what_the_page_would_have_sent(lane: Lane) -> None:
    visitor = lane.visitor()
    before = set(lane.house.drops())
    words = visitor.begin()
    visitor.send("First line\nsecond <b> & “third”", answers=ANSWERS)
    opened = lane.house.open("ada", new(lane, before))
    letter = opened.letter
    assert opened.text == "First line\nsecond <b> & “third”"
    assert opened.files == {}
    assert (letter.kind, letter.to, letter.language, letter.read) == ("drop", ("ada",), "en", ())
    assert letter.answers == ANSWERS
    assert letter.thread == codename.thread_key(codename.parse(words, "en"), lane.house.newsroom.id)
    with pytest.raises(NotForYou):
        lane.house.open("bo", new(lane, before))


def test_drops_have_the_sizes_that_the_pages_have(lane: Lane) -> None:
    sizes = {lane.house.size(sent(lane, lane.visitor(), message=text)) for text in ("a", "b" * 9000)}
    assert len(sizes) == 1
    with_files = {
        lane.house.size(sent(lane, lane.visitor(), ("a", bytes(n)))) for n in (3 * MIB, 3 * MIB + 40_000)
    }
    assert len(with_files) == 1


def test_files_arrive_byte_for_byte_under_names_a_desk_takes(lane: Lane, tmp_path: Path) -> None:
    files = [
        ("minutes.pdf", os.urandom(3 * MIB + 17)),
        ("empty.txt", b""),
        ("../../etc/passwd", b"a name of a stranger"),
        ('say "hello"\r\nworld.txt', os.urandom(CHUNK)),
        ("minutes.pdf", os.urandom(CHUNK - 512)),
        ("MINUTES.PDF", b"\r\n--" + os.urandom(100)),
        ("con.txt", os.urandom(511)),
        (f"{'é' * 100}.docx", os.urandom(2 * MIB)),
        ("\u202egpj.exe", b"reversed"),
    ]
    drop = sent(lane, lane.visitor(), *files)
    lane.house.desk("ada", "fetch")
    lane.house.desk("ada", "open", drop, "-o", tmp_path / "out")
    names = list(lane.house.open("ada", drop).files)
    assert names[:3] == ["minutes.pdf", "empty.txt", "_.._etc_passwd"]
    for name, (_, data) in zip(names, files, strict=True):
        assert (tmp_path / "out/files" / name).read_bytes() == data
    assert (tmp_path / "out/message.txt").read_text() == "Hello"
    assert json.loads((tmp_path / "out/answers.json").read_text()) == ANSWERS


@pytest.mark.parametrize("size", [MIB - 40_000, MIB, 2 * MIB - 30_000, 5 * MIB])
def test_a_file_of_any_size_fills_its_parts(lane: Lane, size: int) -> None:
    data = os.urandom(size)
    opened = lane.house.open("ada", sent(lane, lane.visitor(), ("file", data)))
    assert hashlib.sha256(opened.files["file"]).digest() == hashlib.sha256(data).digest()


def test_files_alone_are_enough_and_so_is_an_answer(lane: Lane) -> None:
    visitor = lane.visitor()
    before = set(lane.house.drops())
    visitor.begin()
    assert visitor.send("", [("a.txt", b"a")], answers=ANSWERS).status == 200
    assert lane.house.open("ada", new(lane, before)).files == {"a.txt": b"a"}


@pytest.mark.parametrize("data", [b"data", b""], ids=["each with data", "each empty"])
def test_a_thousand_files_fit_and_no_more(lane: Lane, data: bytes) -> None:
    visitor = lane.visitor()
    files = [(f"{n}.txt", data) for n in range(1001)]
    assert len(lane.house.open("ada", sent(lane, visitor, *files[:1000])).files) == 1000
    before = lane.house.drops()
    visitor.begin()
    assert visitor.send("too many", files, answers=ANSWERS).status == 400
    assert "Nothing was delivered" in visitor.text
    assert lane.house.drops() == before


def test_answers_are_read_and_answered_in_the_same_thread(lane: Lane) -> None:
    visitor, house = lane.visitor(), lane.house
    before = set(house.drops())
    words = visitor.begin()
    visitor.send("Do you want it?", to=["ada", "bo"], answers=ANSWERS)
    drop = new(lane, before)
    visitor.read(words)
    assert "There is no answer yet" in visitor.text
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop[:12], text="Yes <please>.\nBoth.")
    house.forge("bo", drop, "Tell me your name")
    visitor.read(f"  {words.upper()} ")
    assert "There is no answer yet" not in visitor.text
    assert '<p data-text dir="auto">Yes &lt;please&gt;.\nBoth.</p>' in visitor.page
    assert "in the name of Bo Smit that Bo Smit did not sign" in visitor.text
    assert "Tell me your name" not in visitor.page
    before = set(house.drops())
    assert visitor.send("Here it is.", [("it.txt", b"it")]).status == 200
    second = new(lane, before)
    follow_up = house.open("ada", second)
    assert follow_up.letter.thread == house.open("ada", drop).letter.thread
    assert len(follow_up.letter.read) == 1
    house.desk("ada", "fetch")
    said = house.desk("ada", "show", second)["conversation"]
    assert [turn["condition"] for turn in said if turn["kind"] == "reply"] == ["read"]


def test_a_follow_up_goes_to_those_who_answered_unless_the_source_says_otherwise(lane: Lane) -> None:
    visitor, house = lane.visitor(), lane.house
    before = set(house.drops())
    words = visitor.begin()
    visitor.send("To both", to=["ada", "bo"], answers=ANSWERS)
    drop = new(lane, before)
    visitor.read(words)
    assert "checked" not in visitor.page
    assert visitor.send("to nobody", to=[]).status == 400
    assert "Choose who may read this" in visitor.text
    assert "to nobody" in visitor.page
    house.desk("bo", "fetch")
    house.desk("bo", "reply", drop[:12], text="I am here.")
    visitor.read(words)
    assert 'value="bo" checked="checked"' in " ".join(visitor.page.split())
    assert visitor.page.count('checked="checked"') == 1


def test_an_answer_of_which_a_part_is_gone_is_told(lane: Lane) -> None:
    visitor, house = lane.visitor(), lane.house
    words = visitor.begin()
    visitor.send("Hello", answers=ANSWERS)
    thread = codename.thread_key(codename.parse(words, "en"), house.newsroom.id)
    signing = house.journalists["ada"].signing_key
    whole = line.seal_reply(thread, house.newsroom.id, signing, [0, 1], os.urandom(8), "x" * 3000)
    board = whole[:1] + [line.cover() for _ in range(house.newsroom.board.post - 1)]
    assert ask(house.relay.desk, "POST", "/board", b"".join(board)).status == 204
    visitor.read(words)
    assert "Ada Smit answered, but only 1 of 2 parts are here" in visitor.text
    assert "x" * 1000 not in visitor.page


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "Number of words: 0."),
        ("abandon abandon", "Number of words: 2."),
        ("<script> abandon", "“<script>” is not in the list"),
        ("abandon " * 12, "Word number 1 is not the one"),
        ("x" * 900, "is not in the list"),
    ],
)
def test_words_typed_back_wrong_are_asked_for_again(lane: Lane, typed: str, said: str) -> None:
    visitor = lane.visitor()
    words = visitor.words()
    assert visitor.type_back(typed).status == 400
    assert said in visitor.text
    assert "<script>" not in visitor.page
    # The words are still there to be looked at, and are the same.
    visitor.post("words", [("codename", visitor.hidden("codename"))])
    assert all(f"<li>{word}</li>" in visitor.page for word in words.split())


def test_the_first_word_that_differs_is_named(lane: Lane) -> None:
    visitor = lane.visitor()
    words = visitor.words().split()
    at = next(n for n in range(11) if words[n] != words[n + 1])
    swapped = [*words[:at], words[at + 1], words[at], *words[at + 2 :]]
    visitor.type_back(" ".join(swapped))
    assert f"Word number {at + 1} is not the one that was shown" in visitor.text
    visitor.type_back("  ".join(words).upper())
    assert "3. Write, and send" in visitor.text


@pytest.mark.parametrize("typed", ["abandon " * 12, "abandon " * 11, "hello world"])
def test_wrong_words_open_nothing(lane: Lane, typed: str) -> None:
    visitor = lane.visitor()
    assert visitor.read(typed).status == 400
    assert "Your conversation" not in visitor.page
    assert f">\n{typed}</textarea>" in visitor.page


def test_a_mistake_costs_nothing_that_was_typed(lane: Lane) -> None:
    visitor = lane.visitor()
    before = lane.house.drops()
    visitor.begin()
    assert 'value="ada" checked="checked"' in " ".join(visitor.page.split())
    code = visitor.hidden("codename")
    reply = visitor.send(
        "\nA text\n</textarea>", [("a.txt", b"a")], to=["bo"], answers={"others": "A few people"}
    )
    assert reply.status == 400
    assert lane.house.drops() == before
    page = " ".join(visitor.page.split())
    assert "Please answer this" in visitor.text
    assert 'value="bo" checked="checked"' in page
    assert page.count('checked="checked"') == 1
    assert '<option selected="selected">A few people</option>' in page
    assert ">\n\nA text\n&lt;/textarea&gt;</textarea>" in visitor.page
    assert visitor.hidden("codename") == code
    assert visitor.send("\nA text", to=["bo"], answers=ANSWERS).status == 200


@pytest.mark.parametrize(
    ("message", "to", "answers", "said"),
    [
        ("hello", [], ANSWERS, "Choose who may read this"),
        ("hello", ["nobody"], ANSWERS, "Choose who may read this"),
        ("hello", ["ada"], {}, "Please answer this"),
        ("m" * (LONGEST_MESSAGE + 1), ["ada"], ANSWERS, "This message is too long"),
        ("hello", ["ada"], {"evidence": '"' * (LONGEST_MESSAGE // 2)}, "The answers are too long"),
        ("m" * MIB, ["ada"], ANSWERS, "That is too much at once"),
    ],
)
def test_what_cannot_be_sent_is_said(
    lane: Lane, message: str, to: list[str], answers: dict[str, str], said: str
) -> None:
    visitor = lane.visitor()
    before = lane.house.drops()
    visitor.begin()
    assert visitor.send(message, to=to, answers=answers).status in (400, 413)
    assert said in visitor.text
    assert lane.house.drops() == before


def test_a_longest_message_is_counted_as_a_desk_counts_it(lane: Lane) -> None:
    text = "é\n" * (LONGEST_MESSAGE // 3)
    assert lane.house.open("ada", sent(lane, lane.visitor(), message=text)).text == text


@pytest.mark.parametrize(
    ("step", "fields"),
    [
        ("confirm", []),
        ("confirm", [("codename", "00" * 15)]),
        ("write", [("codename", "not hex"), ("typed", "")]),
        ("send", [("message", "without words"), ("to", "ada")]),
        (
            "send",
            [("codename", "00" * 16), ("to", "ada"), ("message", "m"), ("follows", ""), ("read", "xyz")],
        ),
        ("answers", [("codename", "00")]),
        ("words", [("codename", "0" * 33)]),
        ("sealed", []),
        ("nowhere", []),
        ("words", [("filler", "f" * 20_000)]),
    ],
)
def test_forms_of_other_pages_are_refused_plainly(
    lane: Lane, step: str, fields: list[tuple[str, str]]
) -> None:
    visitor = lane.visitor()
    before = lane.house.drops()
    assert visitor.post(step, fields).status == 400
    assert "The box did not understand this" in visitor.text
    assert lane.house.drops() == before


def test_so_many_texts_fit_and_no_more(lane: Lane) -> None:
    """Each takes memory, also without a byte in it."""
    visitor = lane.visitor()
    visitor.begin()
    fields = [("codename", visitor.hidden("codename")), ("to", "ada"), ("message", "m"), ("q-evidence", "e")]
    fields += [(f"more-{n}", "") for n in range(MOST_TEXTS - len(fields))]
    assert visitor.post("send", fields).status == 200
    before = lane.house.drops()
    assert visitor.post("send", [*fields, ("one-more", "")]).status == 400
    assert lane.house.drops() == before


def test_a_text_after_a_file_is_refused(lane: Lane) -> None:
    visitor = lane.visitor()
    visitor.begin()
    body, kind = encode(
        [("codename", visitor.hidden("codename")), ("to", "ada"), ("q-evidence", "e")], [("a", b"a")]
    )
    late, _ = encode([("message", "late")])
    boundary = kind.partition("boundary=")[2].encode()
    other = late.split(b"\r\n", 1)[0][2:]
    whole = body.removesuffix(b"--" + boundary + b"--\r\n") + late.replace(other, boundary)
    assert ask(lane.sealer.address, "POST", "/en/send", whole, {"Content-Type": kind}).status == 400


def test_each_language_has_its_pages_and_its_words(lane: Lane) -> None:
    visitor = lane.visitor("nl")
    before = set(lane.house.drops())
    visitor.begin()
    visitor.send("Hallo", answers={"evidence": "De notulen"})
    assert "Het is aangekomen" in visitor.text
    assert lane.house.open("ada", new(lane, before)).letter.language == "nl"
