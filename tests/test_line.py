"""Reply lines (FORMAT.md section 4)."""

import itertools
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey
from support.vectors import cases

from keys import line

THREAD = bytes(range(32))
NEWSROOM = "5d41402abc4b2a76"
ADA, BEA = SigningKey(b"a" * 32), SigningKey(b"b" * 32)
SIGNERS = [bytes(ADA.verify_key), bytes(BEA.verify_key)]
REPLY = b"replyid1"


def seal(
    text: str, first: int = 0, signing: SigningKey = ADA, reply: bytes = REPLY, **other: Any
) -> list[bytes]:
    ns = range(first, first + len(line.parts(text)))
    thread, newsroom = other.get("thread", THREAD), other.get("newsroom", NEWSROOM)
    return line.seal_reply(thread, newsroom, signing, ns, reply, text)


def open_(*lines: bytes, signers: list[bytes] = SIGNERS) -> list[line.Reply]:
    return line.open_board(b"".join(lines), THREAD, signers, NEWSROOM)


@cases("line")
def test_vectors(case: dict[str, Any]) -> None:
    thread, signer = bytes.fromhex(case["thread_key"]), bytes.fromhex(case["signer"])
    sealed = bytes.fromhex(case["line"])
    assert bytes(SigningKey(bytes.fromhex(case["signer_seed"])).verify_key) == signer
    assert line.labels(thread, signer, [case["n"]]) == {bytes.fromhex(case["label"]): case["n"]}
    board = line.cover() + sealed + line.cover()
    replies = line.open_board(board, thread, [signer], case["newsroom"])
    if case.get("forged"):
        assert [reply.forged for reply in replies] == [True]
        return
    (found,) = line.find(board, thread, [signer], case["newsroom"])
    assert (found.n, found.i, found.k) == (case["n"], case["i"], case["k"])
    assert found.reply.hex() == case["reply"]
    assert found.text == case["text"].encode()
    if case["k"] == 1:
        assert replies == [line.Reply(signer, found.reply, (case["n"],), case["text"])]


@cases("line")
def test_seals_what_the_vectors_hold(case: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    if case.get("forged") or case["k"] > 1:
        return
    monkeypatch.setattr("keys.line.secrets.token_bytes", lambda _: bytes.fromhex(case["nonce"]))
    signing = SigningKey(bytes.fromhex(case["signer_seed"]))
    lines = line.seal_reply(
        bytes.fromhex(case["thread_key"]), case["newsroom"], signing, [case["n"]],
        bytes.fromhex(case["reply"]), case["text"],
    )  # fmt: skip
    assert lines == [bytes.fromhex(case["line"])]


@settings(max_examples=25, deadline=None)
@given(st.text(st.characters(codec="utf-8"), min_size=1, max_size=line.LONGEST // 4), st.integers(0, 252))
def test_open_inverts_seal(text: str, first: int) -> None:
    lines = seal(text, first)
    assert {len(sealed) for sealed in lines} == {line.LINE}
    ns = tuple(range(first, first + len(lines)))
    assert open_(line.cover(), *lines) == [line.Reply(SIGNERS[0], REPLY, ns, text)]


@pytest.mark.parametrize("length", [1, line.TEXT, line.TEXT + 1, line.LONGEST - 1, line.LONGEST])
def test_every_length_takes_as_many_lines_as_it_must(length: int) -> None:
    text = "x" * length
    lines = seal(text)
    assert len(lines) == -(-length // line.TEXT)
    assert open_(*lines)[0].text == text


def test_a_character_may_be_split_between_two_lines() -> None:
    text = "x" * (line.TEXT - 1) + "é" + "y"
    assert open_(*seal(text))[0].text == text


@pytest.mark.parametrize("text", ["", "x" * (line.LONGEST + 1), "é" * (line.LONGEST // 2 + 1)])
def test_empty_and_too_long_replies_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match="1 to 7660 bytes"):
        line.parts(text)


def test_another_number_of_lines_than_the_text_takes_is_refused() -> None:
    with pytest.raises(ValueError, match="zip"):
        line.seal_reply(THREAD, NEWSROOM, ADA, [0, 1], REPLY, "short")


def test_order_on_the_board_does_not_matter() -> None:
    text = "x" * 3 * line.TEXT
    for lines in itertools.permutations(seal(text)):
        assert open_(*lines)[0].text == text


def test_a_reply_with_a_missing_part_is_not_shown() -> None:
    first, second = seal("x" * 2 * line.TEXT)
    assert open_(first) == open_(second) == []


def test_a_missing_part_is_counted() -> None:
    lines = seal("x" * 3 * line.TEXT)
    for there in ([0], [1], [0, 2], [2, 2]):
        found = line.find(b"".join(lines[n] for n in there), THREAD, SIGNERS, NEWSROOM)
        assert line.missing(found) == [(SIGNERS[0], len(set(there)), 3)]
    assert line.missing(line.find(b"".join(lines), THREAD, SIGNERS, NEWSROOM)) == []


def test_posted_again_under_fresh_n_it_is_one_reply() -> None:
    first, again = seal("thank you"), seal("thank you", first=1)
    assert open_(*first, *again) == [line.Reply(SIGNERS[0], REPLY, (0, 1), "thank you")]


def test_halves_of_two_postings_make_one_reply() -> None:
    text = "a" * line.TEXT + "b"
    first, again = seal(text), seal(text, first=2)
    assert open_(again[1], first[0])[0].text == text


def test_two_replies_under_one_label_are_both_read() -> None:
    one, other = seal("one", reply=b"11111111"), seal("two", reply=b"22222222")
    assert one[0][:16] == other[0][:16]
    assert [reply.text for reply in open_(*one, *other)] == ["one", "two"]


def test_two_texts_for_one_part_are_forged() -> None:
    assert [reply.forged for reply in open_(*seal("one"), *seal("two", first=1))] == [True]


def test_two_lengths_of_one_reply_are_forged() -> None:
    long = seal("x" * line.TEXT + "y", first=1)
    assert [reply.forged for reply in open_(*seal("short"), *long)] == [True]


def test_two_journalists_do_not_mix() -> None:
    replies = open_(*seal("from ada"), *seal("from bea", signing=BEA))
    assert [(reply.signer, reply.text) for reply in replies] == [
        (SIGNERS[0], "from ada"),
        (SIGNERS[1], "from bea"),
    ]


def test_a_colleague_cannot_write_in_another_name() -> None:
    forged = seal("x", signing=BEA)[0]
    (label,) = line.labels(THREAD, SIGNERS[0], [0])
    frame = line._open(forged, THREAD, SIGNERS[1], 0)
    assert frame is not None
    nonce = forged[16:40]
    moved = label + nonce + line.encrypt(frame, label, nonce, line._key(THREAD, SIGNERS[0], 0))
    assert [(reply.signer, reply.forged) for reply in open_(moved)] == [(SIGNERS[0], True)]


@pytest.mark.parametrize(
    "other", [{"thread": bytes(32)}, {"newsroom": "example-news"}], ids=["thread", "newsroom"]
)
def test_lines_of_elsewhere_say_nothing_or_are_forged(other: dict[str, Any]) -> None:
    assert all(reply.forged for reply in open_(*seal("hello", **other)))


def test_an_altered_line_says_nothing() -> None:
    (sealed,) = seal("hello")
    for at in (0, 15, 16, 39, 40, 1000, 2047):
        altered = bytearray(sealed)
        altered[at] ^= 1
        assert open_(bytes(altered)) == []


@settings(max_examples=50)
@given(st.binary(max_size=3 * line.LINE))
def test_any_board_is_read(board: bytes) -> None:
    assert line.open_board(board, THREAD, SIGNERS, NEWSROOM) == []


def test_a_line_cannot_be_told_from_cover() -> None:
    """Not a proof: a check that no byte is constant, and that none is left unencrypted."""
    lines = [seal("x", first=n)[0] for n in range(0, 256, 4)]
    assert all(len({sealed[at] for sealed in lines}) > 20 for at in range(line.LINE))
    assert len({sealed[:16] for sealed in lines}) == len(lines)


def test_a_full_board_is_searched() -> None:
    board = [line.cover() for _ in range(512)]
    places = [511, 3, 200, 0]
    for place, sealed in zip(places, seal("y" * line.LONGEST), strict=True):
        board[place] = sealed
    assert open_(*board)[0].text == "y" * line.LONGEST
