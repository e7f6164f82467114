"""A new identity, made by the command and in desk.html: what was sealed to either is read, and answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.desk_page import WITH_DESK, DeskPage
from support.firefox import Firefox
from support.house import PASSPHRASE, House
from support.newsdesk import Source, run

from keys.identity import Journalist, lock, unlock

OLD, NEW = PASSPHRASE.decode(), "another passphrase altogether"
QUICK = 10  # scrypt's work factor
ROTATE = ("rotate_passphrase", "rotate_new", "rotate_again")


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path / "house", more=WITH_DESK) as one:
        yield one


def rotate(house: House) -> Path:
    """The .pub of `desk rotate` at ada's desk, as ada sends it: the house lists the one beside ada's key."""
    listed = house.folder / "ada.pub"
    before = listed.read_text()
    house.desk("ada", "list")
    typed = PASSPHRASE + b"\n" + NEW.encode()
    done = run("--home", house.folder / "ada-desk", "rotate", passphrase=typed)
    assert done.status == 0, done.err
    sent = listed.rename(house.folder / "sent.pub")
    listed.write_text(before)
    return sent


def admit(house: House, pub: Path) -> None:
    """The newsroom lists the new key, in its next edition."""
    done = run("admit", pub, house.folder / "newsroom.yaml", passphrase=None)
    assert done.status == 0, done.err
    house.publish()


def submit(page: DeskPage, form: str, **fields: str) -> None:
    """Fills in a form and sends it; `fields` are ids with _ for -."""
    for id_, text in fields.items():
        field = f"#{id_.replace('_', '-')}"
        page.firefox.script("document.querySelector(arguments[0]).value = arguments[1]", field, text)
    page.firefox.click(f"#{form} [type=submit]")


def source(house: House) -> Source:
    return Source(house, to=("ada", "bo"))  # type: ignore[arg-type]


def answers(house: House, one: Source) -> list[str]:
    """What a source reads who has the newest edition before them."""
    newest = source(house)
    newest.thread = one.thread
    return [reply.text for reply in newest.look() if not reply.forged]


def test_a_file_that_the_command_rotated_opens_and_answers_what_was_sealed_to_either_key(
    firefox: Firefox, newsroom: House, tmp_path: Path
) -> None:
    before = source(newsroom)
    before.send("To the old key")
    admit(newsroom, rotate(newsroom))
    after = source(newsroom)
    after.send("To the new key")

    page = DeskPage(firefox, newsroom, tmp_path)
    page.open()
    page.unlock("ada", passphrase=NEW)
    assert page.sync() == page.message("fetched", drops=2, notes=0, problems=0)
    assert {one["title"] for one in page.threads()} == {"To the old key", "To the new key"}
    for thread in ("To the old key", "To the new key"):
        page.open_thread(thread)
        assert page.turns()[0]["text"] == thread
        assert page.reply(f"{thread}: answered") == page.message("sent")
        page.back()
    for one, thread in ((before, "To the old key"), (after, "To the new key")):
        assert answers(newsroom, one) == [f"{thread}: answered"]
    firefox.open("about:blank")
