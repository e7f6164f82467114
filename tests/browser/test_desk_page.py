"""desk.html from a file, against a real relay: all it takes is a browser, an identity file and this one."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.desk_page import WITH_DESK, DeskPage
from support.firefox import Firefox
from support.house import ROOT, House
from support.pictures import png
from support.relay_process import ask
from support.source import Source

TEXT = "The permit was signed before the meeting.\nÆtt 🗝 and <b>no markup</b>."
ANSWERS = {"evidence": "The minutes"}


@pytest.fixture(scope="module")
def newsroom(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("desk") / "house", more=WITH_DESK) as one:
        yield one


@pytest.fixture
def alone(tmp_path: Path) -> Iterator[House]:
    """One whose relay no other test knows."""
    with House(tmp_path / "house", more=WITH_DESK) as one:
        yield one


@pytest.fixture
def page(firefox: Firefox, newsroom: House, tmp_path: Path) -> Iterator[DeskPage]:
    one = DeskPage(firefox, newsroom, tmp_path)
    one.open()
    yield one
    firefox.open("about:blank")


def send(house: House, firefox: Firefox, text: str, files: dict[str, bytes], folder: Path) -> list[str]:
    """Sends as a source does, and gives the words."""
    paths = []
    for name, data in files.items():
        paths.append(folder / name)
        paths[-1].write_bytes(data)
    source = Source(firefox, house.url)
    source.open_send()
    source.write(text, answers=ANSWERS, files=paths, to=["ada", "bo"])
    return source.send()


def test_unlock_sync_read_attachments_reply_and_the_source_sees_it(
    firefox: Firefox, newsroom: House, tmp_path: Path
) -> None:
    picture, blob = png(40, 30), os.urandom(300_000)
    files = {"notes.txt": "first line\nzweite Ätt".encode(), "scan.png": picture, "table.pdf": blob}
    words = send(newsroom, firefox, TEXT, files, tmp_path)

    page = DeskPage(firefox, newsroom, tmp_path)
    page.open()
    assert firefox.script("return isSecureContext")
    page.unlock("ada")
    assert firefox.shown("#empty")
    assert page.sync() == page.message("fetched", drops=1, notes=0, problems=0)
    (thread,) = page.threads()
    assert (thread["title"], thread["new"]) == (TEXT.split("\n")[0], True)
    page.open_thread(thread["title"])
    (turn,) = page.turns()
    assert (turn["author"], turn["text"]) == (page.message("source"), TEXT)
    assert ANSWERS["evidence"] in turn["answers"]
    assert turn["files"] == list(files)

    text, scan, table = (page.file(name) for name in files)
    firefox.click(f"{text} [data-show]")
    firefox.wait(lambda: firefox.shown(f"{text} pre"))
    assert firefox.script("return document.querySelector('pre').textContent") == files["notes.txt"].decode()
    firefox.click(f"{scan} [data-show]")
    firefox.wait(lambda: firefox.shown(f"{scan} canvas"))
    drawn = firefox.script(
        "const canvas = document.querySelector('canvas');"
        "return [canvas.width, canvas.height, ...canvas.getContext('2d').getImageData(5, 5, 1, 1).data]"
    )
    assert drawn == [40, 30, 0xD0, 0x30, 0x30, 255]
    firefox.click(f"{scan} [data-show]")
    firefox.wait(lambda: not firefox.count(f"{scan} canvas"))
    assert not firefox.shown(f"{table} [data-show]")
    firefox.click(f"{table} [data-save]")
    assert page.saved("table.pdf.unsafe").read_bytes() == blob
    assert page.said_of(table) == page.message("file_saved", file="table.pdf")
    assert firefox.text(f"{table} [data-sum]") == hashlib.sha256(blob).hexdigest()

    assert len(firefox.command("WebDriver:GetWindowHandles")) == 1, "what was saved was opened, too"

    answer = "Thank you.\n" + "é" * 1000
    assert page.reply(answer) == page.message("sent")
    assert [turn["kind"] for turn in page.turns()] == ["drop", "own"]
    page.back()
    assert [one["new"] for one in page.threads()] == [False]

    source = Source(firefox, newsroom.url)
    source.enter(words)
    source.reach("thread")
    firefox.wait(lambda: source.conversation())
    said = {"kind": "reply", "author": "Ada Smit", "note": "", "text": answer}
    assert source.conversation() == [said]


def test_the_command_line_and_the_page_are_desks_of_one_newsroom(
    firefox: Firefox, newsroom: House, tmp_path: Path
) -> None:
    words = send(newsroom, firefox, "For two desks", {}, tmp_path)
    newsroom.desk("bo", "fetch")
    (drop,) = [one for one in newsroom.desk("bo", "list") if one.get("begins") == "For two desks"]
    newsroom.desk("bo", "reply", drop["id"], text="From the command line.")

    page = DeskPage(firefox, newsroom, tmp_path)
    page.open()
    page.unlock("ada")
    page.sync()
    page.open_thread("For two desks")
    told = [(turn["author"], turn["text"], turn["note"]) for turn in page.turns()]
    assert told[1] == ("Bo Smit", "From the command line.", page.message("posted"))
    assert page.reply("From the page.") == page.message("sent")

    newsroom.desk("bo", "fetch")
    shown = newsroom.desk("bo", "show", drop["id"])["conversation"]
    said = [(turn["who"], turn["text"]) for turn in shown]
    assert said == [(None, "For two desks"), ("bo", "From the command line."), ("ada", "From the page.")]
    # The same journalist at the command line knows what the page posted, and goes on behind it.
    newsroom.desk("ada", "fetch")
    newsroom.desk("ada", "reply", drop["id"], text="And from my own laptop.")

    source = Source(firefox, newsroom.url)
    source.enter(words)
    source.reach("thread")
    firefox.wait(lambda: len(source.conversation()) == 3)
    assert {one["text"] for one in source.conversation()} == {
        "From the command line.",
        "From the page.",
        "And from my own laptop.",
    }


def test_what_was_saved_comes_back_and_what_was_not_is_fetched(
    firefox: Firefox, newsroom: House, tmp_path: Path
) -> None:
    send(newsroom, firefox, "To be kept", {"a.txt": b"attached"}, tmp_path)
    page = DeskPage(firefox, newsroom, tmp_path)
    page.open()
    page.unlock("ada")
    page.sync()
    page.open_thread("To be kept")
    firefox.type("#message", "half a thought")
    page.back()
    firefox.click("#save")
    firefox.wait(lambda: page.said() == page.message("saved"))
    saved = firefox.wait(lambda: next(iter(page.downloads.glob("knothole-ada-*.age")), None))
    assert b"To be kept" not in saved.read_bytes()

    page.open()
    page.unlock("ada")
    assert page.threads() == []
    page.open()
    page.unlock("ada", saved)
    assert [one["new"] for one in page.threads() if one["title"] == "To be kept"] == [False]
    page.open_thread("To be kept")
    assert firefox.script("return document.getElementById('message').value") == "half a thought"
    # The file is no longer here: the page asks before it asks the box.
    item = page.file("a.txt")
    firefox.click(f"{item} [data-show]")
    firefox.wait(lambda: firefox.command("WebDriver:GetAlertText") == page_message(page, "fetch_again"))
    firefox.command("WebDriver:DismissAlert")
    assert not firefox.count(f"{item} pre")
    firefox.click(f"{item} [data-show]")
    firefox.wait(lambda: firefox.command("WebDriver:GetAlertText"))
    firefox.command("WebDriver:AcceptAlert")
    firefox.wait(lambda: firefox.shown(f"{item} pre"))
    assert firefox.text(f"{item} pre") == "attached"

    page.open()
    firefox.type("#saved", str(saved))
    firefox.type("#identity", str(newsroom.folder / "bo.key"))
    page.submit_passphrase()
    assert page.error("saved") == page.message("saved_wrong")


def page_message(page: DeskPage, key: str) -> str:
    """A sentence, read from the file while a dialog holds the page up."""
    block = page.path.read_text().partition('id="edition">')[2].partition("</script>")[0]
    return str(json.loads(block)["messages"][key])


def test_it_holds_two_thousand_threads(page: DeskPage, newsroom: House, tmp_path: Path) -> None:
    job = {"identity": str(newsroom.journalists["ada"].identity), "newsroom": newsroom.newsroom.id}
    done = subprocess.run(
        [Path(sys.prefix) / "bin/node", ROOT / "tests/support/desk_state.mjs"],
        input=json.dumps(job | {"threads": 2000}),
        capture_output=True,
        text=True,
        check=True,
    )
    saved = tmp_path / "saved.age"
    saved.write_bytes(base64.b64decode(done.stdout))
    firefox = page.firefox
    page.unlock("ada", saved)
    assert [len(page.threads()), page.threads()[0]["title"]] == [100, "Thread 1999"]
    assert firefox.text("#more") == page.message("more", left=1900)
    firefox.click("#more")
    firefox.wait(lambda: len(page.threads()) == 200)
    assert firefox.script("return document.activeElement.textContent.includes('Thread 1899')")
    page.open_thread("Thread 1800")
    assert page.turns()[0]["text"].startswith("Thread 1800")


def test_a_wrong_file_and_a_wrong_passphrase_are_told(page: DeskPage, newsroom: House) -> None:
    firefox = page.firefox
    firefox.click("#unlock [type=submit]")
    assert page.error("identity") == page.message("identity_missing")
    firefox.type("#identity", str(newsroom.folder / "newsroom.yaml"))
    page.submit_passphrase()
    assert page.error("identity") == page.message("identity_wrong")
    firefox.type("#identity", str(newsroom.folder / "ada.key"))
    page.submit_passphrase("wrong")
    assert page.error("passphrase") == page.message("passphrase_wrong")
    firefox.type("#identity", str(newsroom.folder / "masthead.key"))
    page.submit_passphrase()
    assert page.error("identity") == page.message("identity_wrong")
    assert page.step == "unlock"


def test_it_locks_itself_and_keeps_what_was_done(firefox: Firefox, newsroom: House, tmp_path: Path) -> None:
    send(newsroom, firefox, "Before the lunch", {}, tmp_path)
    page = DeskPage(firefox, newsroom, tmp_path, idle_minutes=0.05)
    page.open()
    page.unlock("ada")
    page.sync()
    page.open_thread("Before the lunch")
    firefox.type("#message", "unsent")
    page.reach("unlock")  # by itself
    assert page.said() == page.message("locked_idle", minutes=0.05)
    assert "Before the lunch" not in firefox.script("return document.documentElement.innerHTML")
    assert firefox.script("return document.getElementById('message').value") == ""
    page.submit_passphrase("wrong")
    assert page.error("passphrase") == page.message("passphrase_wrong")
    page.submit_passphrase()
    page.reach("inbox")
    page.open_thread("Before the lunch")
    assert firefox.script("return document.getElementById('message').value") == "unsent"


def test_without_the_box_it_works_on_what_it_has(firefox: Firefox, alone: House, tmp_path: Path) -> None:
    newsroom = alone
    words = send(newsroom, firefox, "Before it went", {"b.txt": b"still here"}, tmp_path)
    page = DeskPage(firefox, newsroom, tmp_path)
    page.open()
    page.unlock("ada")
    page.sync()
    before = newsroom.relay.desk
    newsroom.relay.stop()
    try:
        page.open_thread("Before it went")
        item = page.file("b.txt")
        firefox.click(f"{item} [data-show]")
        firefox.wait(lambda: firefox.shown(f"{item} pre"))
        firefox.type("#message", "Written offline")
        firefox.click("#reply [type=submit]")
        firefox.wait(lambda: page.said() == page.message("queued"))
        assert page.problem() == page.message("unreachable", relay=f"http://{before}")
        assert page.turns()[-1]["note"] == page.message("waiting")
        page.back()
        firefox.click("#save")
        firefox.wait(lambda: page.said() == page.message("saved"))
        saved = firefox.wait(lambda: next(iter(page.downloads.glob("knothole-ada-*.age")), None))
    finally:
        newsroom.relay.start()
    again = DeskPage(firefox, newsroom, tmp_path)
    again.open()
    again.unlock("ada", saved)
    again.sync()
    again.open_thread("Before it went")
    assert again.turns()[-1]["note"] == again.message("posted")
    source = Source(firefox, newsroom.url)
    source.enter(words)
    source.reach("thread")
    firefox.wait(lambda: source.conversation())
    assert [one["text"] for one in source.conversation()] == ["Written offline"]


def test_nothing_is_left_in_the_browser(page: DeskPage, newsroom: House) -> None:
    page.unlock("ada")
    page.sync()
    kept = page.firefox.script(
        "const names = await indexedDB.databases().catch(() => []);"
        "return [document.cookie, localStorage.length, sessionStorage.length, names.length]"
    )
    assert kept == ["", 0, 0, 0]


def test_the_box_sees_one_sync_as_any_other(page: DeskPage, newsroom: House) -> None:
    """One note of the smallest size, and exactly the board's lines, whatever there is to say."""
    page.unlock("ada")
    before = newsroom.drops()
    board = ask(newsroom.relay.desk, "GET", "/board").body
    page.sync()
    (note,) = set(newsroom.drops()) - set(before)
    after = ask(newsroom.relay.desk, "GET", "/board").body
    post = newsroom.newsroom.board.post * 2048
    assert after[:-post] == board[post:]
    newsroom.desk("bo", "fetch")
    (other,) = set(newsroom.drops()) - set(before) - {note}
    assert newsroom.size(note) == newsroom.size(other)
