"""Another partner is let in to a case, in desk.html and at the command line: each reads what the other passed
on."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from support.cutting_proxy import CuttingProxy
from support.desk_page import WITH_DESK, DeskPage
from support.firefox import Firefox
from support.house import House
from support.newsdesk import Source

from keys.codename import thread_id

PARTNERS = """
partners:
  - {name: gazette, title: The Gazette, recipients: [ada]}
  - {name: radio, title: Radio North, recipients: [bo, cor]}
choose: 2
"""
LARGE = bytes(range(256)) * (12 << 10)  # 3 MiB
FILE = (len(LARGE), hashlib.sha256(LARGE).hexdigest())


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("widening") / "house"
    with House(folder, more=WITH_DESK + PARTNERS) as one:
        yield one


@pytest.fixture
def page(firefox: Firefox, newsroom: House, tmp_path: Path) -> Iterator[DeskPage]:
    one = DeskPage(firefox, newsroom, tmp_path)
    one.open()
    yield one
    firefox.open("about:blank")


def send(house: House, text: str) -> tuple[str, str]:
    """A drop with a large file, to the Gazette alone; and the id of its case."""
    source = Source(house, to=("ada",))  # type: ignore[arg-type]
    return source.send(text, {"big.bin": LARGE}), thread_id(source.thread)


def enter(page: DeskPage, title: str, *unlock: Any) -> None:
    """Unlocks ada's page, fetches, and opens a conversation."""
    page.unlock("ada", *unlock)
    page.sync()
    page.open_thread(title)


def reload(page: DeskPage, title: str) -> None:
    """Fetches once more, so that what was said here has come back."""
    page.back()
    page.sync()
    page.open_thread(title)


def save(page: DeskPage) -> Path:
    """The work of a page that shows the inbox, as a file."""
    page.firefox.click("#save")
    page.firefox.wait(lambda: page.said() == page.message("saved"))
    saved: Path = page.firefox.wait(lambda: next(iter(page.downloads.glob("knothole-ada-*.age")), None))
    return saved


def sync(page: DeskPage, button: str = "#sync-here") -> str:
    page.firefox.click(button)
    return page.synced()


def sync_all(page: DeskPage) -> None:
    """Sends all that waits, which is more once a note has come back that is to be passed on."""
    while page.firefox.shown("#sync-all"):
        sync(page, "#sync-all")


def fetch(house: House, *names: str) -> None:
    for name in names:
        house.desk(name, "fetch", "--all")


def files(house: House, name: str, title: str) -> list[tuple[int, str]]:
    """The files of a source's drop that this journalist has, once looked at."""
    drops = [row["id"] for row in house.desk(name, "list") if row.get("begins") == title]
    shown = [house.desk(name, "show", id_)["files"] for id_ in drops]
    return [(one["size"], one["sha256"]) for some in shown for one in some]


def test_the_command_reads_what_the_page_passed_on(page: DeskPage, newsroom: House) -> None:
    firefox, title = page.firefox, "It began in March."
    drop, case = send(newsroom, title)
    enter(page, title)
    page.say("note", case_note="before")
    page.reply("Who are you?")
    reload(page, title)
    firefox.click("#widen-details summary")
    options = "return [...document.querySelectorAll('#widen-to option')].map(one => one.value)"
    assert firefox.script(options) == ["bo cor", "bo", "cor"]
    effect = page.message("widen_effect", drops=1, notes=1, files=1).partition("{names}")[2]
    assert firefox.text("#widen-effect").endswith(effect)
    assert "Bo Smit" in firefox.text("#widen-effect")
    choose = "const to = document.getElementById('widen-to'); to.value = 'cor';"
    firefox.script(f"{choose} to.dispatchEvent(new Event('change'))")
    assert "Bo Smit" not in firefox.text("#widen-effect")
    firefox.click("#say-widen [type=submit]")
    assert page.error("widen-sure") == page.message("widen_unsure")
    assert [one[1] for one in page.case()["history"]] == [page.message("said_note")]
    firefox.click("#widen-details summary")
    page.say("widen", widen_to="cor", widen_sure="")
    assert firefox.script(options) == ["bo"], "who is left of the radio"
    assert page.case()["history"][0][3] == "Not sent yet."

    before = {id_: newsroom.size(id_) for id_ in newsroom.drops()}
    assert sync(page) == page.message("fetched_more", drops=0, notes=0, problems=0)
    came = [newsroom.size(id_) for id_ in newsroom.drops() if id_ not in before]
    assert sorted(came) == [min(before.values()), before[drop]], "one note, and what no note can hold"
    sync_all(page)
    assert page.case()["warnings"] == []

    fetch(newsroom, "cor")
    told = newsroom.desk("cor", "case", case)
    assert [one.get("text", one.get("to")) for one in told["history"]] == ["before", ["cor"]]
    assert told["readers"] == ["ada", "cor"]
    assert files(newsroom, "cor", title) == [FILE]
    row = next(one for one in newsroom.desk("cor", "list") if one["thread"] == case and one["kind"] == "drop")
    turns = newsroom.desk("cor", "show", row["id"])["conversation"]
    assert {turn["text"] for turn in turns} == {title, "Who are you?"}
    newsroom.desk("cor", "case", case, "note", text="hello from the radio")
    fetch(newsroom, "cor")
    reload(page, title)
    assert page.case()["history"][0][2] == "hello from the radio"


def test_the_page_reads_what_the_command_passed_on(page: DeskPage, newsroom: House) -> None:
    source = Source(newsroom, to=("cor",))  # type: ignore[arg-type]
    theirs = source.send("For the radio.", {"small.txt": b"a list of names"})
    fetch(newsroom, "cor")
    newsroom.desk("cor", "case", theirs, "label", text="harbour deal")
    newsroom.desk("cor", "case", theirs, "widen", "gazette")
    fetch(newsroom, "cor")
    enter(page, "For the radio.")
    (turn,) = page.turns()
    assert (turn["note"], turn["files"]) == (page.message("passed"), ["small.txt"])
    assert page.case()["labels"] == ["harbour deal"]
    assert page.case()["history"][0][1].startswith(page.message("said_widen").partition("{")[0])
    page.say("note", case_note="The Gazette is in.")
    assert page.reply("Who else knows?") == page.message("sent")
    fetch(newsroom, "cor")
    told = newsroom.desk("cor", "case", theirs)
    assert told["history"][-1]["text"] == "The Gazette is in."
    assert [reply.text for reply in source.look()] == ["Who else knows?"]


def test_a_cut_a_lock_and_a_page_that_was_closed_pass_on_the_same(page: DeskPage, newsroom: House) -> None:
    firefox, title = page.firefox, "Then it stopped."
    send(newsroom, title)
    host, _, port = newsroom.relay.desk.rpartition(":")
    straight = page.path.read_text()
    with CuttingProxy((host, int(port)), cuts=[1 << 20], hold_after=3 << 20) as proxy:
        page.path.write_text(straight.replace(newsroom.relay.desk_url, proxy.url))
        page.open()
        enter(page, title)
        page.say("widen", widen_to="cor", widen_sure="")
        firefox.click("#sync-here")
        firefox.wait(lambda: proxy.held)
        assert proxy.made == 1
        page.back()
        firefox.click("#lock")
        page.reach("unlock")
        page.submit_passphrase()
        page.reach("inbox")
        saved = save(page)
    fetch(newsroom, "cor")
    assert files(newsroom, "cor", title) == [], "half of it is nothing to anybody"
    page.path.write_text(straight)
    page.open()
    enter(page, title, saved)
    while firefox.shown("#case-waiting"):
        sync(page)
    fetch(newsroom, "cor")
    assert files(newsroom, "cor", title) == [FILE]


def test_nobody_is_let_in_to_a_part_of_a_case(page: DeskPage, newsroom: House) -> None:
    firefox, (drop, case) = page.firefox, send(newsroom, "Nobody else knows.")
    enter(page, "Nobody else knows.")
    page.back()
    saved = save(page)
    newsroom.forget(drop)
    page.open()
    enter(page, "Nobody else knows.", saved)
    firefox.click("#widen-details summary")
    firefox.click("#widen-sure")
    firefox.click("#say-widen [type=submit]")
    firefox.wait(page.problem)
    assert page.problem() == page.message("widen_gone", command=f"desk case {case[:8]} widen bo cor")
    assert page.case()["history"] == []
