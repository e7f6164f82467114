"""Notes that lie: what a source, an outsider, a reader or the box may try in a case, and what comes of it."""

import io
from collections.abc import Iterator
from typing import Any

import pytest
from nacl.signing import SigningKey
from support.newsdesk import Newsdesk, Source, joined, put, recipients
from support.relay_process import ask

from keys import drop as drops
from keys.age import open_bytes, seal_bytes
from keys.casework import Said, Statement, statement
from keys.letter import Letter

NAMES = ("ada", "bea", "eve")


@pytest.fixture
def ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    """A newsroom of three, in which sources write to ada and bea."""
    with joined(tmp_path_factory.mktemp("hostile"), NAMES) as newsdesk:
        yield newsdesk


def sealed(
    house: Newsdesk,
    source: Source,
    author: str,
    *says: Statement,
    after: tuple[str, ...] = (),
    signing: SigningKey | None = None,
    **changes: Any,
) -> bytes:
    """Gives a note of `author`'s to ada and bea, signed by their key or another."""
    given = {"newsroom": house.newsroom.id, "thread": source.thread, "language": "en", "to": ("ada", "bea")}
    letter = Letter(**(given | {"author": author, "case": Said(after, says)} | changes))
    out = io.BytesIO()
    key = signing or house.journalists[author].signing_key
    drops.seal(out, letter, "", [], recipients(house.newsroom), key)
    return out.getvalue()


def published() -> Statement:
    return statement("2026-11-22T06:10Z", "state", state="published", text="")


def case(house: Newsdesk, drop: str) -> Any:
    assert house.desk("ada", "fetch").status == 0
    return house.desk("ada", "case", drop, "--json").json


def test_a_source_cannot_speak_as_a_journalist(ours: Newsdesk) -> None:
    source = Source(ours, to=("ada", "bea"))
    drop = source.send("hello")
    note = put(ours.relay, sealed(ours, source, "ada", published(), signing=SigningKey.generate()))
    assert case(ours, drop)["state"] == "new"
    assert f"FORGED: {note[:8]}, which ada did not sign" in ours.desk("ada", "case", drop).out
    assert "FORGED" in ours.desk("ada", "list").out


def test_who_was_not_chosen_says_nothing_and_lets_nobody_in(ours: Newsdesk) -> None:
    source = Source(ours, to=("ada", "bea"))
    drop = source.send("hello")
    widen = statement("2026-11-22T06:10Z", "widen", to=["eve"])
    put(ours.relay, sealed(ours, source, "eve", published(), widen))
    told = case(ours, drop)
    assert (told["state"], told["readers"], told["history"]) == ("new", ["ada", "bea"], [])
    assert [one["author"] for one in told["refused"]] == ["eve"]
    assert "REFUSED: a note by eve, who has no part in this case" in ours.desk("ada", "case", drop).out
    before = len(ask(ours.relay.desk, "GET", "/drops").said["drops"])
    assert ours.desk("ada", "fetch", "--all").status == 0
    assert len(ask(ours.relay.desk, "GET", "/drops").said["drops"]) == before + 1, "nothing is passed on"


def test_a_note_of_another_newsroom_counts_for_nothing(ours: Newsdesk) -> None:
    source = Source(ours, to=("ada", "bea"))
    drop = source.send("hello")
    put(ours.relay, sealed(ours, source, "bea", published(), newsroom="another"))
    assert case(ours, drop)["state"] == "new"
    assert "made for another newsroom" in ours.desk("ada", "list").out


def test_a_note_that_is_sealed_and_sent_again_is_told_once(ours: Newsdesk) -> None:
    source = Source(ours, to=("ada", "bea"))
    drop = source.send("hello")
    note = sealed(ours, source, "bea", statement("2026-11-22T06:10Z", "note", text="once"))
    put(ours.relay, note)
    put(ours.relay, note)
    plain = open_bytes(note, [ours.journalists["ada"].identity])
    put(ours.relay, seal_bytes(plain, list(recipients(ours.newsroom).values())))
    assert [one["text"] for one in case(ours, drop)["history"]] == ["once"]
    problems = [row["problem"] for row in ours.desk("ada", "list", "--json").json if row["problem"]]
    assert len(problems) == 2
    assert all("a copy of one that was seen before" in problem for problem in problems)


def test_a_message_id_that_a_reader_repeats_hides_nobodys_note(ours: Newsdesk) -> None:
    source = Source(ours, to=("ada", "bea"))
    drop = source.send("hello")
    same = {"message": "0" * 32}
    first, second = (statement("2026-11-22T06:10Z", "note", text=text) for text in ("squatted", "honest"))
    put(ours.relay, sealed(ours, source, "bea", first, **same))
    put(ours.relay, sealed(ours, source, "ada", second, **same))
    forged = sealed(ours, source, "ada", second, signing=SigningKey.generate(), **same)
    put(ours.relay, forged)
    assert {one["text"] for one in case(ours, drop)["history"]} == {"squatted", "honest"}


def test_the_forgery_of_a_note_does_not_take_its_place(ours: Newsdesk) -> None:
    """The same bytes with another signature come first: by what was signed they are one."""
    source = Source(ours, to=("ada", "bea"))
    drop = source.send("hello")
    note = sealed(ours, source, "bea", published(), message="1" * 32)
    plain = bytearray(open_bytes(note, [ours.journalists["ada"].identity]))
    at = plain.index(b"drop.sig\0") + 512
    plain[at] ^= 1
    put(ours.relay, seal_bytes(bytes(plain), list(recipients(ours.newsroom).values())))
    put(ours.relay, note)
    told = case(ours, drop)
    assert (told["state"], len(told["history"])) == ("published", 1)


def test_a_malformed_note_stops_nothing(ours: Newsdesk) -> None:
    source = Source(ours, to=("ada", "bea"))
    drop = source.send("hello")
    good = sealed(ours, source, "bea", published())
    plain = open_bytes(good, [ours.journalists["ada"].identity])
    bad = plain.replace(b'"says":"state"', b'"says":"steal"')
    put(ours.relay, seal_bytes(bad, list(recipients(ours.newsroom).values())))
    put(ours.relay, good)
    assert case(ours, drop)["state"] == "published"
    assert "a newer desk may read it" in ours.desk("ada", "list").out


def test_nobody_claims_to_have_come_last(ours: Newsdesk) -> None:
    source = Source(ours, to=("ada", "bea"))
    drop = source.send("hello")
    later = Statement("0" * 16, "9999-12-31T23:59Z", "state", {"state": "published", "text": ""})
    put(ours.relay, sealed(ours, source, "bea", later, after=("e" * 32, "f" * 32)))
    assert case(ours, drop)["state"] == "published"
    assert ours.desk("ada", "case", drop, "state", "checking").status == 0
    told = case(ours, drop)
    assert (told["state"], told["missing"]) == ("checking", ["e" * 32, "f" * 32])
