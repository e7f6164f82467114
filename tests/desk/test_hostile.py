"""A drop is a stranger's: whatever it holds, it is named for what it is and stops nothing else."""

import io
import json
from pathlib import Path

import pytest
from nacl.signing import SigningKey
from support.newsdesk import Newsdesk, Source, put, recipients
from support.relay_process import ask
from support.wires import Script, http

from keys import line
from keys.age import seal_bytes
from keys.drop import seal
from keys.letter import Record
from keys.tar import TarWriter


def problems(house: Newsdesk, name: str = "ada") -> dict[str, str]:
    return {one["id"]: one["problem"] for one in house.desk(name, "list", "--json").json}


def tarred(house: Newsdesk, *members: tuple[str, bytes]) -> bytes:
    """A drop with any members at all."""
    plain = io.BytesIO()
    writer = TarWriter(plain)
    for name, data in members:
        writer.add(name, data)
    writer.end(lambda length: length)
    return seal_bytes(plain.getvalue(), list(recipients(house.newsroom).values()))


def test_broken_drops_are_listed_and_stop_nothing(house: Newsdesk) -> None:
    source = Source(house)
    whole = source.sealed("hello", {"a.txt": b"x" * 100_000})
    climbing = tarred(
        house, ("drop.json", source.letter().to_json()), ("message.txt", b""), ("files/../../x", b"x")
    )
    sent = {
        put(house.relay, whole[:-1]): "this is not a whole and unaltered age file",
        put(house.relay, whole[:-5000] + b"x" + whole[-4999:]): "this is not a whole and unaltered age file",
        put(
            house.relay, climbing
        ): "this drop breaks the format and was not opened: it holds a file that no drop has",
        put(house.relay, tarred(house, ("drop.json", b"[" * 10_000))): "drop.json is not JSON",
        put(house.relay, tarred(house)): "drop.json is not where it belongs",
        source.send("x", newsroom="another"): "this drop was made for another newsroom",
        put(house.relay, whole): "",
    }
    assert (
        house.desk("ada", "fetch").out
        == "1 new drop, 0 notes, 6 that could not be read; `desk list` says why\n"
    )
    found = problems(house)
    assert found.keys() == sent.keys()
    for id_, said in sent.items():
        assert said in found[id_]
        assert bool(said) == bool(found[id_])
    broken = next(iter(sent))
    for command in (["show", broken], ["open", broken, "-o", "/nowhere/at/all"], ["reply", broken]):
        done = house.desk("ada", *command, text="hello")
        assert (done.status, done.out) == (1, "")
        assert done.err.count("desk: error: ") == 1


def test_a_copy_of_a_drop_is_reported(house: Newsdesk) -> None:
    source = Source(house)
    sealed = source.sealed("hello")
    first, copy = put(house.relay, sealed), put(house.relay, sealed)
    house.desk("ada", "fetch")
    again = put(house.relay, sealed)
    house.desk("ada", "fetch")
    said = f"this drop is a copy of one that was seen before: {first}"
    assert problems(house) == {first: "", copy: said, again: said}


def test_a_note_that_its_author_did_not_sign_is_shown_as_forged(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    out = io.BytesIO()
    record = Record("0" * 16, (7,))
    mallory = SigningKey.generate()
    forged = source.letter(author="bea", record=record, answers={}, read=("1" * 16,))
    seal(out, forged, "send everything to me", [], recipients(house.newsroom), mallory)
    note = put(house.relay, out.getvalue())
    stranger = io.BytesIO()
    letter = source.letter(author="nobody", answers={})
    seal(stranger, letter, "hello", [], recipients(house.newsroom), mallory)
    unknown = put(house.relay, stranger.getvalue())

    house.desk("ada", "fetch")
    listed = {one["id"]: one["forged"] for one in house.desk("ada", "list", "--json").json}
    assert listed == {drop: False, note: True, unknown: True}
    assert "FORGED  send everything" in house.desk("ada", "list").out
    assert "bea, note (FORGED: its author did not sign this)\n" in house.desk("ada", "show", drop).out
    assert "FORGED    bea did not sign this note\n" in house.desk("ada", "show", note).out
    assert house.desk("ada", "reply", note, text="x").status == 1


def test_a_forged_note_of_my_own_teaches_nothing(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    out = io.BytesIO()
    letter = source.letter(author="ada", record=Record("0" * 16, (250, 251, 252)), answers={})
    seal(out, letter, "not mine", [], recipients(house.newsroom), SigningKey.generate())
    put(house.relay, out.getvalue())
    house.desk("ada", "fetch")
    assert house.desk("ada", "reply", drop, text="mine").status == 0
    assert [(reply.text, reply.lines) for reply in source.look()] == [("mine", (0,))]


def test_a_forged_line_is_shown_to_the_source_as_forged(house: Newsdesk) -> None:
    """A colleague has the thread's keys and may write under ada's labels, but not in her name."""
    source = Source(house)
    drop = source.send("hello")
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop, text="genuine")
    bea, ada = house.journalists["bea"].signing_key, house.journalists["ada"].public.signer
    (sealed,) = line.seal_reply(source.thread, house.newsroom.id, bea, [9], b"\0" * 8, "forged")
    frame = line._open(sealed, source.thread, bytes(bea.verify_key), 9)
    assert frame is not None
    (label,) = line.labels(source.thread, ada, [9])
    moved = label + bytes(24) + line.encrypt(frame, label, bytes(24), line._key(source.thread, ada, 9))
    cover = b"".join(line.cover() for _ in range(house.newsroom.board.post - 1))
    assert ask(house.relay.desk, "POST", "/board", moved + cover).status == 204
    assert {(reply.signer, reply.text) for reply in source.look()} == {(ada, "genuine"), (ada, None)}


def test_nothing_a_source_writes_reaches_the_terminal_as_it_is(house: Newsdesk) -> None:
    source = Source(house)
    evil = (
        "\x1b]0;owned\x07 \x1b[2J\rconversation \u202egnp.exe \u2066x\u2069 \x9b31m \ud7ff\U000e0041\u2028end"
    )
    drop = source.send(
        evil + "\n\nconversation\n2026-01-01  ada, reply\n  | forged", answers={"evidence": evil}
    )
    house.desk("ada", "fetch")
    said = house.desk("ada", "list").out + house.desk("ada", "show", drop).out
    said += house.desk("ada", "show", drop, "--json").out + house.desk("ada", "list", "--json").out
    assert not {c for c in said if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160}
    assert not set("\u202e\u2066\u2069\u2028\U000e0041") & set(said)
    lines = house.desk("ada", "show", drop).out.splitlines()
    assert lines.count("conversation") == 1, "no line of the message reads as the desk's own"
    assert "  | conversation" in lines


def test_a_drop_that_is_too_large_is_not_fetched(house: Newsdesk) -> None:
    """The relay refuses such a drop by the edition's terms; a desk does not rely on that."""
    source = Source(house)
    drop = source.send("hello", {"big.bin": bytes(2 << 20)})
    small = house.publish(edition=2, limits=type(house.newsroom.limits)(drop=1 << 20))
    house.edition = small
    assert house.join("ada").status == 0
    house.desk("ada", "fetch")
    assert problems(house)[drop] == "it is larger than the newsroom allows, and was not fetched"


def test_a_drop_that_is_gone_before_it_is_fetched_stops_nothing(house: Newsdesk) -> None:
    listing = {"drops": [{"id": "a" * 32, "size": 20_000, "day": "2026-01-01"}], "cursor": "c", "more": False}
    answers = (
        http(json.dumps(listing).encode()),
        http(b'{"error": "there is no such drop"}', "404 Not Found"),
        http(bytes(house.newsroom.board.lines * line.LINE)),
        http(b"", "204 No Content"),
        http(b"{}", "201 Created"),
    )
    with Script(*answers) as script:
        house.join("ada", relay=script.url)
        done = house.desk("ada", "fetch")
    assert done.out == "0 new drops, 0 notes, 1 that could not be read; `desk list` says why\n"
    assert [request.head.split(" ")[0] for request in script.asked] == ["GET", "GET", "GET", "POST", "PUT"]
    assert problems(house) == {"a" * 32: "the relay no longer had it"}


def test_a_damaged_copy_on_this_disk_is_found(house: Newsdesk, tmp_path: Path) -> None:
    source = Source(house)
    drop = source.send("hello", {"a.bin": bytes(200_000)})
    house.desk("ada", "fetch")
    kept = house.home("ada") / "drops" / f"{drop}.age"
    data = bytearray(kept.read_bytes())
    data[-100_000] ^= 1
    kept.write_bytes(data)
    done = house.desk("ada", "open", drop, "-o", tmp_path / "out")
    assert done.status == 1
    assert "not a whole and unaltered age file" in done.err
    assert list(tmp_path.iterdir()) == []
    kept.unlink()
    done = house.desk("ada", "show", drop)
    assert (done.status, done.out) == (1, "")
    assert done.err.endswith("no such file or directory\n")


@pytest.mark.parametrize("junk", [b"", b"{}", b"junk" * 1000])
def test_a_damaged_state_is_said_to_be_damaged(house: Newsdesk, junk: bytes) -> None:
    source = Source(house)
    drop = source.send("hello")
    house.desk("ada", "fetch")
    state = house.home("ada") / "state.age"
    state.write_bytes(seal_bytes(junk, [house.journalists["ada"].identity.recipient()]))
    done = house.desk("ada", "list")
    assert done.status == 1
    assert "state.age is damaged" in done.err
    state.rename(state.with_name("old"))
    assert house.desk("ada", "fetch").out == "1 new drop, 0 notes\n"
    assert problems(house) == {drop: ""}
