"""Every step of desk.html, in each language, on a phone and a desktop, in light and dark, as test_looks.py
has it for sources' pages; and the whole way with keys alone."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.desk_page import WITH_DESK, DeskPage
from support.firefox import ENTER, SHIFT, SPACE, TAB, Firefox
from support.house import LANGUAGES, PASSPHRASE, House
from support.keyboard import Keyboard
from support.pictures import png
from support.relay_process import ask, new_id, send
from support.source import Source
from support.tour import Tour

from keys.identity import lock

QUICK = 10  # scrypt's work factor
TITLE = "The soil reports were changed after they were signed"


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("looks") / "house", more=WITH_DESK) as one:
        yield one


def fill(house: House, firefox: Firefox, folder: Path) -> str:
    """What an inbox holds after some days; the id of the drop that has files."""
    for text in (TITLE, "x" * 300, "Pump 3"):
        source = Source(firefox, house.url)
        source.open_send()
        files = []
        if text == TITLE:
            for name, data in (("Protokoll Sitzung 4. März.pdf", b"%PDF"), ("scan.png", png(900, 500))):
                files.append(folder / name)
                files[-1].write_bytes(data)
        source.write(text, answers={"evidence": "Minutes, and a witness"}, files=files, to=["ada", "bo"])
        source.send()
    first = house.drops()[0]
    whole = house.open("ada", first)
    assert whole.files
    house.desk("bo", "fetch")
    house.desk("bo", "case", first, "state", "checking", "--why", text="The date fits.")
    house.desk("bo", "case", first, "task", "--to", "ada", text="Call the ministry about the second report")
    house.desk("bo", "case", first, "label", text="harbour deal")
    house.desk("bo", "case", first, "date", "2027-01-31")
    house.desk("bo", "case", first, "note", text="See the archive\nunder M.")
    house.desk("bo", "reply", first, text="Thank you.\n\nWhich of the two reports came first?")
    send(house.relay.source, head_of(house, first) + bytes(15_000), new_id())
    return first


def head_of(house: House, drop: str) -> bytes:
    """The header of a drop: a broken one begins with it."""
    sealed = ask(house.relay.desk, "GET", f"/drops/{drop}").body
    return sealed[: sealed.index(b"\n--- ") + 49]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_is_fit_for_everyone(
    firefox: Firefox, newsroom: House, tmp_path: Path, language: str
) -> None:
    if not newsroom.drops():
        fill(newsroom, firefox, tmp_path)
    tour = Tour(firefox, language)
    page = DeskPage(firefox, newsroom, tmp_path, language)
    page.open()
    page.submit_passphrase()
    page.error("identity")
    tour.stop("desk-1-unlock")
    page.unlock("ada")
    page.sync()
    tour.stop("desk-2-inbox")
    page.open_thread(TITLE)
    picture = page.file("scan.png")
    firefox.click(f"{picture} [data-show]")
    firefox.wait(lambda: firefox.shown(f"{picture} canvas"))
    paper = page.file("Protokoll Sitzung 4. März.pdf")
    firefox.click(f"{paper} [data-save]")
    page.said_of(paper)
    firefox.type("#message", "Can you tell us who signed? " * 80)
    tour.stop("desk-3-conversation")
    assert page.case()["tasks"], "the case stands beside it"
    firefox.script("for (const form of document.querySelectorAll('details')) form.open = true")
    firefox.click("#say-state [type=submit]")
    page.error("state")
    tour.stop("desk-5-case")
    page.back()
    firefox.click("#lock")
    page.reach("unlock")
    tour.stop("desk-4-locked")
    firefox.viewport(1280)
    firefox.open("about:blank")
    assert tour.problems == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_step_to_a_new_identity_is_fit_for_everyone(
    firefox: Firefox, newsroom: House, tmp_path: Path, language: str
) -> None:
    rotated = newsroom.journalists["ada"].rotated()
    (newsroom.folder / "rotated.key").write_bytes(lock(rotated.to_text(), PASSPHRASE, QUICK))
    tour = Tour(firefox, language)
    page = DeskPage(firefox, newsroom, tmp_path, language)
    page.open()
    page.unlock("ada")
    firefox.click("#to-rotate")
    page.reach("rotate")
    assert at_heading(page)
    firefox.type("#rotate-passphrase", PASSPHRASE.decode())
    firefox.click("#rotate [type=submit]")
    page.error("rotate-new")
    tour.stop("desk-6-rotate")
    for field in ("new", "again"):
        firefox.type(f"#rotate-{field}", "six words out of a list")
    firefox.click("#rotate [type=submit]")
    page.reach("keep")
    assert at_heading(page)
    firefox.click("#keep [type=submit]")
    page.error("keep-file")
    tour.stop("desk-7-keep")
    firefox.click("#keep-back")
    page.reach("inbox")
    assert page.said() == page.message("rotation_left")
    page.open()
    page.unlock("rotated")
    assert page.said() == page.message("coming", file="ada.pub")
    firefox.click("#to-next")
    page.reach("next")
    assert at_heading(page)
    tour.stop("desk-8-next")
    firefox.viewport(1280)
    firefox.open("about:blank")
    assert tour.problems == []


def test_the_whole_way_with_keys_alone(firefox: Firefox, newsroom: House, tmp_path: Path) -> None:
    if not newsroom.drops():
        fill(newsroom, firefox, tmp_path)
    page, keys = DeskPage(firefox, newsroom, tmp_path), Keyboard(firefox)
    page.open()
    keys.to("#identity")
    firefox.type("#identity", str(newsroom.folder / "ada.key"))  # the dialog that picks it is the browser's
    keys.fill("#passphrase", PASSPHRASE.decode())
    firefox.press(ENTER)
    page.reach("inbox")
    assert at_heading(page)
    keys.press("#sync")
    page.synced()
    keys.press("#threads li:first-child button")
    page.reach("thread")
    assert at_heading(page)
    keys.press('[aria-label*="scan.png"][data-show]', SPACE)
    firefox.wait(lambda: firefox.shown("canvas"))
    assert firefox.script("return document.activeElement.matches('[data-show]')")
    keys.fill("#message", "With keys")
    keys.press("#reply [type=submit]")
    firefox.wait(lambda: page.said() == page.message("sent"))
    keys.press("#state-details summary")
    keys.press('[name="state"]', SPACE)
    keys.press("#say-state [type=submit]")
    firefox.wait(lambda: page.said() == page.message("said"))
    assert firefox.script("return document.activeElement.matches('#state-details summary')")
    assert page.case()["history"][0][1] == page.message("said_state", state="New")
    keys.to("#back", SHIFT + TAB)
    firefox.press(ENTER)
    page.reach("inbox")
    assert at_heading(page)
    keys.press("#lock")
    page.reach("unlock")
    assert at_heading(page)
    firefox.open("about:blank")


def at_heading(page: DeskPage) -> bool:
    """Whether the focus is at the heading of what is shown."""
    return bool(
        page.firefox.script(
            "return document.activeElement.matches(`#step-${arguments[0]} :is(h1, h2, h3)`)", page.step
        )
    )
