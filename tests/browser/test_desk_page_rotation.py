"""A new identity, made by the command and in desk.html: what was sealed to either is read, and answered."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.desk_page import WITH_DESK, DeskPage
from support.firefox import Firefox
from support.house import PASSPHRASE, House
from support.newsdesk import Source, run

from keys.identity import MOST_FORMER, Journalist, lock, unlock

OLD, NEW = PASSPHRASE.decode(), "another passphrase altogether"
QUICK = 10  # scrypt's work factor
# What both say of what happens next.
NEXT = ("ada.pub goes to the newsroom", "hen they read its number to you, it is")
NEXT += ("holds the new identity, and the one before for reading", "he desk goes on as it is until")
ROTATE = ("rotate_passphrase", "rotate_new", "rotate_again")


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path / "house", more=WITH_DESK) as one:
        yield one


@pytest.fixture(scope="module")
def steady(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """One whose keys stay as they are."""
    with House(tmp_path_factory.mktemp("rotation") / "house", more=WITH_DESK) as one:
        yield one


def rotate(house: House) -> Path:
    """The .pub of `desk rotate` at ada's desk, as ada sends it: the house lists the one beside ada's key."""
    listed = house.folder / "ada.pub"
    before = listed.read_text()
    house.desk("ada", "list")
    typed = PASSPHRASE + b"\n" + NEW.encode()
    done = run("--home", house.folder / "ada-desk", "rotate", passphrase=typed)
    assert done.status == 0, done.err
    assert [words for words in NEXT if words not in done.out] == []
    sent = listed.rename(house.folder / "sent.pub")
    listed.write_text(before)
    return sent


def admit(house: House, pub: Path) -> None:
    """The newsroom lists the new key, in its next edition."""
    done = run("admit", pub, house.folder / "newsroom.yaml", passphrase=None)
    assert done.status == 0, done.err
    house.publish()


def submit(page: DeskPage, form: str, then: str = "", **fields: str) -> None:
    """Fills in a form and sends it, and at once presses the button `then`; `fields` are ids with _ for -."""
    for id_, text in fields.items():
        field = f"#{id_.replace('_', '-')}"
        page.firefox.script("document.querySelector(arguments[0]).value = arguments[1]", field, text)
    press = "for (const css of arguments) document.querySelector(css).click()"
    page.firefox.script(press, f"#{form} [type=submit]", *([f"#{then}"] if then else []))


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


def test_a_new_identity_is_made_in_the_page_and_counts_once_its_file_was_kept(
    firefox: Firefox, newsroom: House, tmp_path: Path
) -> None:
    before = source(newsroom)
    before.send("To the old key")
    page = DeskPage(firefox, newsroom, tmp_path)
    page.open()
    page.unlock("ada")
    page.sync()
    page.open_thread("To the old key")
    page.reply("Answered with the old key")
    page.back()

    firefox.click("#to-rotate")
    page.reach("rotate")
    refusals = {
        ("", "", ""): ("rotate-passphrase", page.message("passphrase_missing")),
        (OLD, "", ""): ("rotate-new", page.message("passphrase_short", count=16)),
        (OLD, NEW, NEW[:-1]): ("rotate-again", page.message("passphrase_differs")),
        (OLD[:-1], NEW, NEW): ("rotate-passphrase", page.message("passphrase_wrong")),
    }
    for typed, (field, said) in refusals.items():
        submit(page, "rotate", **dict(zip(ROTATE, typed, strict=True)))
        assert page.error(field) == said
    submit(page, "rotate", rotate_passphrase=OLD, rotate_new=NEW, rotate_again=NEW)
    page.reach("keep")

    # Nothing goes on before what was saved was opened.
    submit(page, "keep")
    assert page.error("keep-file") == page.message("keep_missing")
    firefox.click("#keep-save")
    (key,) = firefox.wait(lambda: list(page.downloads.glob("ada-*.key")))
    page.saved(key.name)
    damaged = tmp_path / "damaged.key"
    damaged.write_bytes(key.read_bytes()[:-1] + bytes([key.read_bytes()[-1] ^ 1]))
    for other in (newsroom.folder / "ada.key", damaged):
        firefox.type("#keep-file", str(other))
        submit(page, "keep", keep_passphrase=NEW)
        assert page.error("keep-file") == page.message("keep_other")
    firefox.type("#keep-file", str(key))
    submit(page, "keep", keep_passphrase=NEW)
    page.reach("next")
    made = Journalist.parse(unlock(key.read_bytes(), NEW.encode()))
    assert made.former == (newsroom.journalists["ada"].identity,)
    assert firefox.text("#next-number") == made.public.number
    told = firefox.text("#step-next").replace("\u2068", "").replace("\u2069", "")
    assert [words for words in NEXT if words not in told] == []
    firefox.click("#next-save")
    pub = page.saved("ada.pub")
    assert pub.read_text() == made.public_file()

    # Until an edition lists it, all goes on with the old one; and the page says whom to tell.
    firefox.click("#next-back")
    page.reach("inbox")
    assert firefox.text("#coming-text") == page.message("coming", file="ada.pub")
    assert not firefox.shown("#to-rotate")
    assert page.sync() == page.message("fetched", drops=0, notes=1, problems=0)
    firefox.click("#save")
    saved = firefox.wait(lambda: next(iter(page.downloads.glob("knothole-ada-*.age")), None))

    admit(newsroom, pub)
    after = source(newsroom)
    after.send("To the new key")
    page = DeskPage(firefox, newsroom, tmp_path)
    page.open()
    firefox.type("#identity", str(newsroom.folder / "ada.key"))
    page.submit_passphrase()
    assert newsroom.newsroom.former
    assert page.error("identity") == page.message("identity_ended", day=newsroom.newsroom.former[0].until)
    (newsroom.folder / "ada.key").write_bytes(lock(made.to_text(), PASSPHRASE, QUICK))
    page.open()
    page.unlock("ada", saved)
    assert [one["title"] for one in page.threads()] == ["To the old key"]
    assert firefox.shown("#to-rotate")
    assert page.sync() == page.message("fetched", drops=1, notes=0, problems=0)
    page.open_thread("To the new key")
    assert page.reply("Answered with the new key") == page.message("sent")
    assert answers(newsroom, before) == ["Answered with the old key"]
    assert answers(newsroom, after) == ["Answered with the new key"]
    firefox.open("about:blank")


def test_a_new_identity_that_was_not_kept_is_gone(firefox: Firefox, steady: House, tmp_path: Path) -> None:
    page = DeskPage(firefox, steady, tmp_path)
    page.open()
    page.unlock("ada")
    typed = {"rotate_passphrase": OLD, "rotate_new": NEW, "rotate_again": NEW}

    def make(then: str = "") -> None:
        """Sends the form, and before anything can come of it presses that button."""
        firefox.click("#to-rotate")
        page.reach("rotate")
        submit(page, "rotate", then, **typed)

    def nothing_is_left() -> None:
        fields = "#rotate input, #keep input"
        left = "return [...document.querySelectorAll(arguments[0])].map(one => one.value).join('')"
        assert firefox.script(left, fields) == ""
        assert not firefox.shown("progress")
        assert firefox.shown("#to-rotate")

    # Left while it is made: what comes of that work comes to nothing.
    make("rotate-back")
    page.reach("inbox")
    nothing_is_left()
    # Left when it is made.
    make()
    page.reach("keep")
    firefox.click("#keep-save")
    (key,) = firefox.wait(lambda: list(page.downloads.glob("ada-*.key")))
    page.saved(key.name)
    firefox.click("#keep-back")
    page.reach("inbox")
    assert page.said() == page.message("rotation_left")
    nothing_is_left()
    # Locked meanwhile, as by itself: the old passphrase unlocks it, and all is as it was.
    make("lock")
    page.reach("unlock")
    page.submit_passphrase()
    page.reach("inbox")
    nothing_is_left()
    assert page.sync() == page.message("fetched", drops=0, notes=0, problems=0)
    # Who kept the file all the same goes on with it: it is a file as any other.
    (steady.folder / "kept.key").write_bytes(lock(unlock(key.read_bytes(), NEW.encode()), PASSPHRASE, QUICK))
    page.open()
    page.unlock("kept")
    assert firefox.text("#coming-text") == page.message("coming", file="ada.pub")
    firefox.open("about:blank")


def test_a_full_file_takes_no_other_identity(firefox: Firefox, steady: House, tmp_path: Path) -> None:
    one = steady.journalists["ada"]
    former = tuple(Journalist.generate("ada").identity for _ in range(MOST_FORMER))
    full = Journalist("ada", one.identity, former)
    (steady.folder / "full.key").write_bytes(lock(full.to_text(), PASSPHRASE, QUICK))
    page = DeskPage(firefox, steady, tmp_path)
    page.open()
    page.unlock("full")
    firefox.click("#to-rotate")
    firefox.wait(lambda: page.problem() == page.message("identity_full", count=MOST_FORMER))
    assert page.step == "inbox"
    firefox.open("about:blank")
