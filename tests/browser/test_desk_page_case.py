"""A case in desk.html and at the command line: one says it, the other shows it, whoever was offline."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.desk_page import WITH_DESK, DeskPage
from support.firefox import Firefox
from support.house import House
from support.newsdesk import Source, put, recipients

from keys import drop as drops
from keys.age import open_bytes, seal_bytes
from keys.casework import MOST, Said, Statement, statement
from keys.letter import Letter

PARTNERS = """
partners:
  - {name: gazette, title: The Gazette, recipients: [ada, bo]}
  - {name: radio, title: Radio North, recipients: [cor]}
choose: 2
"""
RUNS = "<img src=x onerror='window.hacked = 1'>\u202egnp.exe"


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path / "house", more=WITH_DESK + PARTNERS) as one:
        yield one


@pytest.fixture
def source(newsroom: House) -> Source:
    one = Source(newsroom, to=("ada", "bo", "cor"))  # type: ignore[arg-type]
    one.send("It began in March.")
    return one


@pytest.fixture
def page(firefox: Firefox, newsroom: House, source: Source, tmp_path: Path) -> Iterator[DeskPage]:
    one = DeskPage(firefox, newsroom, tmp_path)
    one.open()
    one.unlock("ada")
    one.sync()
    one.open_thread("It began in March.")
    yield one
    assert firefox.script("return window.hacked") is None
    firefox.open("about:blank")


def sync(page: DeskPage) -> str:
    """From the conversation to the end of a sync, and back to it."""
    page.back()
    said = page.sync()
    page.open_thread("It began in March.")
    return said


def case(house: House, name: str, drop: str) -> Any:
    house.desk(name, "fetch")
    return house.desk(name, "case", drop)


def test_what_is_said_in_the_page_is_seen_by_the_command(page: DeskPage, newsroom: House) -> None:
    drop = newsroom.drops()[0]
    page.say("state", state="checking", state_text="The date fits.")
    page.say("task", task_text="Call the ministry", task_to="bo")
    page.say("task", task_text="Find who signed", task_to="")
    page.say("note", case_note="See the archive\nunder M.")
    page.say("check", check_own="Flight log", check_is="no")
    page.say("label", label_text="harbour deal")
    page.say("date", date_date="2027-01-31")
    page.say("exclusive", exclusive_partner="gazette", exclusive_until="2027-01-15")
    page.firefox.click("#tasks > li:nth-child(2) [data-done]")
    page.say("handover", handover_from="bo", handover_to="cor")
    here = page.case()
    assert {note for *_, note in here["history"]} == {"Not sent yet."}
    assert page.firefox.text("#case-waiting-text") == page.message("case_waiting", count=10)
    before = newsroom.drops()
    assert sync(page) == page.message("fetched", drops=0, notes=0, problems=0)
    (note,) = set(newsroom.drops()) - set(before)

    told = case(newsroom, "bo", drop)
    (cover,) = set(newsroom.drops()) - set(before) - {note}
    assert newsroom.size(note) == newsroom.size(cover), "a sync looks as any other"
    assert (told["state"], told["reason"]) == ("checking", "The date fits.")
    assert [(one["text"], one["to"], one["done"]) for one in told["tasks"]] == [
        ("Call the ministry", "cor", False),
        ("Find who signed", "", True),
    ]
    assert told["labels"] == ["harbour deal"]
    assert told["checks"]["flight-log"] == "no"
    assert (told["date"], told["answers"]) == ("2027-01-31", {"gazette": "date", "radio": None})
    assert told["exclusive"] == {"partner": "gazette", "until": "2027-01-15"}
    assert [one["says"] for one in told["history"]][3:5] == ["note", "check"]
    assert list(told["messages"][0]["read"]) == ["ada"]
    # With its note come back, the page shows the same, as said and sent.
    assert page.case() == here | {"history": [[*one[:3], ""] for one in here["history"]]}


def test_what_the_command_says_is_seen_and_answered_in_the_page(page: DeskPage, newsroom: House) -> None:
    drop = newsroom.drops()[0]
    newsroom.desk("cor", "fetch")
    newsroom.desk("cor", "case", drop, "state", "aside", text="We had that last year.")
    newsroom.desk("cor", "case", drop, "task", "--to", "ada", text="Look it up")
    newsroom.desk("cor", "case", drop, "label", text="old")
    newsroom.desk("cor", "case", drop, "date", "2027-01-31")
    newsroom.desk("cor", "fetch")
    newsroom.desk("bo", "fetch")
    newsroom.desk("bo", "case", drop, "object", text="too soon")
    newsroom.desk("bo", "fetch")
    sync(page)
    shown = page.case()
    assert (shown["state"], shown["reason"]) == ("Set aside", "We had that last year.")
    assert [title for title, _ in shown["tasks"]] == ["Look it up"]
    assert shown["outlets"][0] == page.message("outlet_objects", outlet="The Gazette", author="Bo Smit")
    assert [one[0] for one in shown["history"]] == ["Bo Smit", *["Cor Smit"] * 4]
    assert shown["history"][0][2] == "too soon"

    firefox = page.firefox
    firefox.click("#accept")
    firefox.wait(lambda: page.case()["date"] == page.message("date_agreed", date="2027-01-31"))
    firefox.click("#tasks [data-done]")
    firefox.click("#labels [data-remove]")
    firefox.wait(lambda: page.case()["labels"] == [])
    page.say("object", object_text="The ministry wants a week more.")
    sync(page)
    told = case(newsroom, "cor", drop)
    assert (told["agreed"], told["answers"]) == (False, {"gazette": "object", "radio": "date"})
    assert (told["labels"], told["tasks"][0]["done"]) == ([], True)
    page.back()
    assert page.firefox.text("[data-case]").startswith("Set aside · To be published on")


def test_two_who_were_offline_come_to_one_case(page: DeskPage, newsroom: House) -> None:
    drop = newsroom.drops()[0]
    newsroom.desk("bo", "fetch")
    newsroom.desk("bo", "case", drop, "state", "published")
    newsroom.desk("bo", "case", drop, "note", text="from bo")
    page.say("state", state="investigating")
    page.say("note", case_note="from ada")
    page.say("state", state="aside", state_text="No papers.")
    for _ in range(2):
        sync(page)
        newsroom.desk("bo", "fetch")
    told, shown = newsroom.desk("bo", "case", drop), page.case()
    texts = [one.get("text", "") for one in told["history"]]
    assert [text for _, _, text, _ in reversed(shown["history"])] == texts
    assert sorted(texts) == ["", "", "No papers.", "from ada", "from bo"]
    assert shown["state"] == page.message(f"state_{told['state']}")
    assert shown["reason"] == told["reason"]


def sealed(house: House, source: Source, author: str, *says: Statement, **more: Any) -> bytes:
    head = {"newsroom": house.newsroom.id, "thread": source.thread, "language": "en", "to": source.to}
    letter = Letter(**(head | {"author": author, "case": Said((), says)} | more))
    out = io.BytesIO()
    key = house.journalists[author].signing_key
    drops.seal(out, letter, "", [], recipients(house.newsroom), key)
    return out.getvalue()


def test_a_hostile_note_neither_breaks_nor_freezes_the_page(
    page: DeskPage, newsroom: House, source: Source
) -> None:
    time = "9999-12-31T23:59Z"
    for number in range(20):
        says = [statement(time, "task", text=f"{number} {RUNS}", to="cor") for _ in range(MOST)]
        put(newsroom.relay, sealed(newsroom, source, "bo", *says))
    odd = [statement(time, "label", label=RUNS, set=True), statement(time, "widen", to=["constructor"])]
    odd += [statement(time, "check", item="constructor", **{"is": "yes"}) for _ in range(2)]
    good = sealed(newsroom, source, "bo", *odd)
    put(newsroom.relay, good)
    everybody = list(recipients(newsroom.newsroom).values())
    plain = open_bytes(good, [newsroom.journalists["bo"].identity])
    put(newsroom.relay, seal_bytes(plain.replace(b'"says":"label"', b'"says":"lapel"'), everybody))
    other = Source(newsroom, to=("ada",))  # type: ignore[arg-type]
    other.send("Not for cor")
    put(newsroom.relay, sealed(newsroom, other, "cor", statement(time, "note", text="let me in")))

    said = sync(page)
    assert said == page.message("fetched", drops=1, notes=22, problems=1)
    shown = page.case()
    assert (len(shown["history"]), len(shown["tasks"])) == (50, 50)
    assert page.firefox.text("#more-tasks") == page.message("more_tasks", left=20 * MOST - 50)
    page.firefox.click("#more-tasks")
    page.firefox.wait(lambda: len(page.case()["tasks"]) == 100)
    assert shown["labels"] == [RUNS.replace("\u202e", "\\u{202e}")]
    assert shown["checks"][-1] == ["constructor", "yes"]
    page.say("state", state="checking")
    assert page.case()["state"] == "Checking"
    page.back()
    page.open_thread("Not for cor")
    assert page.case()["warnings"] == [page.message("case_refused", author="Cor Smit")]
    assert page.case()["history"] == []


def test_what_is_wrong_is_told_at_its_field_and_what_is_typed_outlives_the_lock(
    page: DeskPage, newsroom: House
) -> None:
    firefox = page.firefox
    firefox.click("#state-details summary")
    firefox.click("#say-state [type=submit]")
    assert page.error("state") == page.message("choice_missing")
    firefox.click('[name="state"][value="aside"]')
    firefox.click("#say-state [type=submit]")
    assert page.error("state-text") == page.message("reason_missing")
    assert not firefox.shown("#state-error")
    firefox.click("#label-details summary")
    firefox.type("#label-text", "x" * 61)
    firefox.click("#say-label [type=submit]")
    assert page.error("label-text") == page.message("label_wrong")
    firefox.click("#say-note [type=submit]")
    assert page.error("case-note") == page.message("text_missing")
    assert page.case()["history"] == []
    firefox.type("#case-note", "half a thought")
    page.say("task", task_text="Of the utmost discretion", task_to="bo")
    page.back()
    firefox.click("#lock")
    page.reach("unlock")
    everything = firefox.script("return document.documentElement.innerHTML")
    assert "discretion" not in everything
    assert "half a thought" not in firefox.script("return document.getElementById('case-note').value")
    page.submit_passphrase()
    page.reach("inbox")
    page.open_thread("It began in March.")
    assert page.case()["tasks"][0][0] == "Of the utmost discretion"
    assert firefox.script("return document.getElementById('case-note').value") == "half a thought"
