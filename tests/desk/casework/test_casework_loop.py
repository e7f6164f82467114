"""A case as journalists work on it together: what one says the others learn, whoever was offline."""

import shutil
from collections.abc import Iterator
from typing import Any

import pytest
from support.newsdesk import Newsdesk, Result, Source, joined
from support.relay_process import ask

from keys.options import Partner

PARTNERS = (
    Partner(name="harbour", title="The Harbour Post", recipients=("ada", "bea")),
    Partner(name="valley", title="Valley Radio", recipients=("cyn",)),
)


@pytest.fixture
def alliance(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    """A newsroom of two partners, to which ada and bea and cyn have joined."""
    with joined(tmp_path_factory.mktemp("alliance"), ("ada", "bea", "cyn"), partners=PARTNERS) as newsdesk:
        yield newsdesk


def fetch(house: Newsdesk, *names: str, **more: Any) -> None:
    for name in names:
        done = house.desk(name, "fetch", "--all", **more)
        assert done.status == 0, done.err


def case(house: Newsdesk, name: str, which: str) -> Any:
    done = house.desk(name, "case", which, "--json")
    assert done.status == 0, done.err
    return done.json


def says(house: Newsdesk, name: str, which: str, *words: str, text: str = "") -> Result:
    done = house.desk(name, "case", which, *words, text=text)
    assert done.status == 0, done.err
    return done


def test_two_journalists_who_were_offline_come_to_one_state(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("It began in March.")
    fetch(house, "ada", "bea")
    # Neither has heard the other when they say this.
    says(house, "ada", drop, "state", "checking")
    says(house, "ada", drop, "task", "--to", "bea", text="call the ministry")
    says(house, "ada", drop, "label", text="harbour deal")
    says(house, "bea", drop, "state", "aside", text="we had that last year")
    says(house, "bea", drop, "note", text="see the archive\nunder M")
    says(house, "bea", drop, "check", "documents", "yes")
    fetch(house, "ada", "bea", "ada")
    one, other = case(house, "ada", drop), case(house, "bea", drop)
    assert one == other
    assert one["state"] in ("checking", "aside")
    assert [(task["text"], task["to"]) for task in one["tasks"]] == [("call the ministry", "bea")]
    assert (one["labels"], one["checks"]["documents"], len(one["history"])) == (["harbour deal"], "yes", 6)

    task = one["tasks"][0]["id"]
    says(house, "bea", drop, "done", task[:6])
    says(house, "bea", drop, "state", "investigating", "--why", text="it is another minister")
    fetch(house, "bea", "ada")
    one = case(house, "ada", drop)
    assert (one["state"], one["reason"]) == ("investigating", "it is another minister")
    assert one["tasks"][0]["done"]
    assert source.look() == [], "the source sees nothing of it"


def test_what_a_journalist_reads_of_a_case(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("It began in March.", {"a.pdf": b"x"})
    fetch(house, "ada")
    (row,) = house.desk("ada", "cases").out.splitlines()[1:]
    assert row.split()[0] == "*"
    assert row.endswith("It began in March.")
    assert "nothing was said yet" in house.desk("ada", "case", drop).out
    told = says(house, "ada", drop, "note", text="careful \u202e\ndesk: error: x")
    assert told.out == "kept; the next `desk fetch` tells the others\n"
    said = house.desk("ada", "case", drop).out
    assert "ada: note, not sent yet\n    | careful \\u{202e}\n    | desk: error: x\n" in said
    fetch(house, "ada", "bea")
    assert "1 file  unread\n" in house.desk("bea", "case", drop).out
    house.desk("bea", "show", drop)
    fetch(house, "bea", "ada", "ada")
    assert "read by bea\n" in house.desk("ada", "case", drop).out
    assert house.desk("ada", "cases").out.splitlines()[1].split()[0] != "*"


def test_a_new_laptop_knows_the_case(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    fetch(house, "ada")
    says(house, "ada", drop, "state", "checking")
    says(house, "ada", drop, "task", text="call")
    fetch(house, "ada", "ada", "bea")
    before = case(house, "ada", drop)
    shutil.rmtree(house.home("ada"))
    assert house.join("ada").status == 0
    fetch(house, "ada")
    assert case(house, "ada", drop) == before == case(house, "bea", drop)


def test_one_note_goes_with_each_fetch(house: Newsdesk) -> None:
    source = Source(house)
    drops = [source.send("one"), Source(house).send("two")]
    fetch(house, "ada")
    for drop in drops:
        for _ in range(3):
            says(house, "ada", drop, "note", text="x" * 3000)
    told = "there is more to tell the others: `desk fetch` tells some of it each time\n"
    counts = []
    for _ in range(5):
        counts.append(told in house.desk("ada", "fetch").out)
        assert house.desk("ada", "fetch", "--json").json["problems"] == 0
    assert counts[-1] is False
    assert counts[0] is True
    fetch(house, "bea")
    for drop in drops:
        assert [len(one["text"]) for one in case(house, "bea", drop)["history"]] == [3000] * 3


def test_a_note_that_the_box_withholds_is_missed(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    fetch(house, "ada")
    before = {one["id"] for one in ask(house.relay.desk, "GET", "/drops").said["drops"]}
    says(house, "ada", drop, "state", "published")
    house.desk("ada", "fetch")
    (note,) = {one["id"] for one in ask(house.relay.desk, "GET", "/drops").said["drops"]} - before
    house.desk("ada", "fetch")
    ask(house.relay.desk, "DELETE", f"/drops/{note}")
    says(house, "ada", drop, "note", text="it is out")
    fetch(house, "ada", "bea")
    said = house.desk("bea", "case", drop).out
    assert "1 note of this case that others had never came to this desk" in said
    assert len(case(house, "bea", drop)["missing"]) == 1
    assert case(house, "ada", drop)["missing"] == []


def test_what_the_relay_lost_is_said_again(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    fetch(house, "ada")
    before = {one["id"] for one in ask(house.relay.desk, "GET", "/drops").said["drops"]}
    says(house, "ada", drop, "note", text="once")
    house.desk("ada", "fetch")
    (note,) = {one["id"] for one in ask(house.relay.desk, "GET", "/drops").said["drops"]} - before
    ask(house.relay.desk, "DELETE", f"/drops/{note}")  # before anybody had it, its author too
    fetch(house, "ada", "bea")
    assert [one["text"] for one in case(house, "bea", drop)["history"]] == ["once"]


def test_a_date_is_agreed_by_both_partners(alliance: Newsdesk) -> None:
    drop = Source(alliance, to=("ada", "bea", "cyn")).send("hello")
    fetch(alliance, "ada", "cyn")
    says(alliance, "ada", drop, "date", "2027-01-31")
    says(alliance, "ada", drop, "exclusive", "valley", "2027-01-01")
    fetch(alliance, "ada", "cyn")
    assert "valley has not said" in alliance.desk("cyn", "case", drop).out
    says(alliance, "cyn", drop, "object", text="a week later")
    fetch(alliance, "cyn", "ada")
    told = case(alliance, "ada", drop)
    assert (told["agreed"], told["answers"]) == (False, {"harbour": "date", "valley": "object"})
    says(alliance, "ada", drop, "date", "2027-02-07")
    fetch(alliance, "ada", "cyn")
    says(alliance, "cyn", drop, "accept")
    fetch(alliance, "cyn", "ada")
    said = alliance.desk("ada", "case", drop).out
    assert "2027-02-07, agreed (harbour accepts: ada; valley accepts: cyn)" in said
    assert "exclusive  valley, until 2027-01-01" in said


def test_widening_passes_the_case_on(alliance: Newsdesk) -> None:
    source = Source(alliance, to=("ada", "bea"))
    drop = source.send("It began in March.", {"big.bin": bytes(range(256)) * 12_000})
    other = Source(alliance, to=("ada",)).send("not for cyn")
    fetch(alliance, "ada", "bea", "cyn")
    assert alliance.desk("cyn", "cases").out == "no cases\n"
    says(alliance, "bea", drop, "note", text="before")
    assert alliance.desk("bea", "reply", drop, text="who are you?").status == 0
    fetch(alliance, "bea", "ada")
    says(alliance, "ada", drop, "widen", "valley")
    fetch(alliance, "ada", "cyn")
    told = case(alliance, "cyn", case(alliance, "ada", drop)["case"])
    assert told["readers"] == ["ada", "bea", "cyn"]
    assert [(one["author"], one["says"]) for one in told["history"]] == [("bea", "note"), ("ada", "widen")]
    (entry,) = [one for one in alliance.desk("cyn", "list", "--json").json if one["kind"] == "drop"]
    shown = alliance.desk("cyn", "show", entry["id"], "--json").json
    assert (shown["message"], shown["files"][0]["size"]) == ("It began in March.", 256 * 12_000)
    assert "by a colleague: the source did not choose you" in alliance.desk("cyn", "show", entry["id"]).out
    turns = {(turn["who"], turn["text"]) for turn in shown["conversation"]}
    assert turns == {(None, "It began in March."), ("bea", "who are you?")}
    assert alliance.desk("ada", "show", drop, "--json").json["files"] == shown["files"], "the same hashes"

    # What comes later is passed on too, and what cyn says reaches all.
    source.send("more", {"small.txt": b"x"})
    fetch(alliance, "ada", "cyn")
    says(alliance, "cyn", told["case"], "note", text="hello from the valley")
    fetch(alliance, "cyn", "ada", "bea", "cyn")
    one, two, three = (case(alliance, name, told["case"]) for name in ("ada", "bea", "cyn"))
    assert [len(each["messages"]) for each in (one, two, three)] == [2, 2, 2]
    assert one["history"] == two["history"] == three["history"]
    listed = alliance.desk("cyn", "list", "--json").json
    assert not [row for row in listed if row["problem"]]
    assert other[:8] not in str(listed)
    assert "not for cyn" not in alliance.desk("cyn", "list").out


def test_two_who_widen_at_once_give_no_copy_twice(alliance: Newsdesk) -> None:
    drop = Source(alliance, to=("ada", "bea")).send("hello", {"a": b"a" * 20_000})
    fetch(alliance, "ada", "bea")
    says(alliance, "ada", drop, "widen", "cyn")
    says(alliance, "bea", drop, "widen", "valley")
    fetch(alliance, "ada", "bea", "cyn", "ada", "bea", "cyn")
    told = [case(alliance, name, case(alliance, "ada", drop)["case"]) for name in ("ada", "bea", "cyn")]
    assert told[0] == told[1]
    assert told[2]["history"] == told[0]["history"]
    assert [row["problem"] for row in alliance.desk("cyn", "list", "--json").json] == [""] * 3


def test_what_one_lost_another_passes_on_again(alliance: Newsdesk) -> None:
    """A laptop is lost, and the box has forgotten all of it by then."""
    source = Source(alliance, to=("ada", "bea"))
    drop = source.send("hello", {"a": b"a" * 20_000})
    fetch(alliance, "ada", "bea")
    says(alliance, "bea", drop, "note", text="from bea")
    says(alliance, "ada", drop, "note", text="from ada")
    fetch(alliance, "bea", "ada", "bea", "ada")
    before = case(alliance, "ada", drop)
    for one in ask(alliance.relay.desk, "GET", "/drops").said["drops"]:
        ask(alliance.relay.desk, "DELETE", f"/drops/{one['id']}")
    shutil.rmtree(alliance.home("bea"))
    assert alliance.join("bea").status == 0
    fetch(alliance, "bea")
    assert alliance.desk("bea", "cases").out == "no cases\n"

    says(alliance, "ada", drop, "widen", "--again", "bea")
    fetch(alliance, "ada", "bea")
    after = case(alliance, "bea", before["case"])
    assert [one["text"] for one in after["history"] if one["says"] == "note"] == [
        one["text"] for one in before["history"]
    ]
    assert {one["author"] for one in after["history"]} == {"ada", "bea"}
    count = len(ask(alliance.relay.desk, "GET", "/drops").said["drops"])
    fetch(alliance, "ada")
    assert len(ask(alliance.relay.desk, "GET", "/drops").said["drops"]) == count + 1, "once"


def test_tasks_of_one_who_leaves_are_handed_over(alliance: Newsdesk) -> None:
    drops = [Source(alliance, to=("ada", "bea")).send("one"), Source(alliance, to=("bea",)).send("two")]
    fetch(alliance, "bea")
    for drop in drops:
        says(alliance, "bea", drop, "task", "--to", "bea", text="call")
    done = alliance.desk("bea", "handover", "bea", "ada")
    assert done.out == "1 case; kept; the next `desk fetch` tells the others\n"
    assert "ada may not read case" in done.err
    assert [task["to"] for task in case(alliance, "bea", drops[0])["tasks"]] == ["ada"]
    assert [task["to"] for task in case(alliance, "bea", drops[1])["tasks"]] == ["bea"]


WRONG = {
    "no such case": (["ffff", "note"], "x", "no case has an id that begins with ffff"),
    "no text": (["CASE", "note"], "", "there is no text"),
    "no reason": (["CASE", "state", "aside"], "", "there is no text"),
    "a bell": (["CASE", "note"], "\a", "the note holds a control character, \\u{7}\n"),
    "a label of two lines": (["CASE", "label"], "a\nb", "a label is one line of at most 60 bytes"),
    "too long": (["CASE", "note"], "x" * 5000, "the text is too long"),
    "no task": (["CASE", "done", "ab"], "", "no task has an id that begins with ab"),
    "no reader": (["CASE", "task", "--to", "cyn"], "x", "cyn may not read this case"),
    "nothing to hand over": (["CASE", "handover", "ada", "bea"], "", "ada has no open task in this case"),
    "no date": (["CASE", "accept"], "", "no date of publication is proposed"),
    "no partner": (["CASE", "exclusive", "coast", "2027-01-01"], "", "coast is no partner"),
    "a partner outside": (
        ["CASE", "exclusive", "valley", "2027-01-01"],
        "",
        "nobody of valley may read this case",
    ),
    "exclusive for ever": (["CASE", "exclusive", "harbour"], "", "until when is it exclusive"),
    "widened to a stranger": (["CASE", "widen", "eve"], "", "eve is neither a partner nor a journalist"),
    "widened to a reader": (["CASE", "widen", "bea"], "", "they may read this case already"),
    "no label": (["CASE", "label", "--remove"], "x", "the case has no such label"),
}


def test_what_cannot_be_said_gets_one_clear_error(alliance: Newsdesk) -> None:
    drop = Source(alliance, to=("ada", "bea")).send("hello")
    fetch(alliance, "ada")
    before = case(alliance, "ada", drop)
    for words, text, error in WRONG.values():
        done = alliance.desk("ada", "case", *(drop if word == "CASE" else word for word in words), text=text)
        assert (done.status, done.out) == (1, "")
        assert done.err.startswith(f"desk: error: {error}"), done.err
    for words in (["state", "open"], ["date", "2027-02-30"], ["check", "heard", "maybe"], ["vote"]):
        assert alliance.desk("ada", "case", drop, *words).status == 2
    assert case(alliance, "ada", drop) == before
