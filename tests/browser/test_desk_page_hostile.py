"""A drop is a stranger's: whatever it holds, desk.html runs none of it, asks nobody, and goes on."""

from __future__ import annotations

import io
import os
import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.desk_page import WITH_DESK, DeskPage
from support.firefox import Firefox
from support.house import House
from support.relay_process import ask, new_id, send

from keys import codename
from keys.age import seal_bytes
from keys.letter import Letter
from keys.tar import TarWriter, header

RUNS = "<script>window.hacked = 1</script><img src=x onerror='window.hacked = 1'>"
MIB = 1 << 20


@pytest.fixture
def newsroom(tmp_path: Path) -> Iterator[House]:
    with House(tmp_path / "house", more=WITH_DESK) as one:
        yield one


@pytest.fixture
def page(firefox: Firefox, newsroom: House, tmp_path: Path) -> Iterator[DeskPage]:
    one = DeskPage(firefox, newsroom, tmp_path)
    one.open()
    one.unlock("ada")
    yield one
    assert firefox.script("return window.hacked") is None
    firefox.open("about:blank")


def letter(house: House, **changes: object) -> bytes:
    thread = codename.thread_key(codename.new(), house.newsroom.id)
    given = {"newsroom": house.newsroom.id, "thread": thread, "language": "en", "to": ("ada",)}
    return Letter(**(given | changes)).to_json()  # type: ignore[arg-type]


def put(house: House, plain: bytes) -> str:
    """Seals any plaintext for everybody, sends it, and gives the drop's id."""
    id_ = new_id()
    sealed = seal_bytes(plain, [one.identity.recipient() for one in house.journalists.values()])
    assert send(house.relay.source, sealed, id_).status == 201
    return id_


def tarred(*members: tuple[str, bytes]) -> bytes:
    plain = io.BytesIO()
    writer = TarWriter(plain)
    for name, data in members:
        writer.add(name, data)
    writer.end(lambda length: max(16_384, length))
    return plain.getvalue()


def test_what_breaks_the_format_is_named_and_stops_nothing(page: DeskPage, newsroom: House) -> None:
    head = ("drop.json", letter(newsroom)), ("message.txt", b"")
    climbing = put(newsroom, tarred(*head, ("files/../../x", b"x")))
    turned = put(newsroom, tarred(*head, ("files/\u202egnp.exe", b"x")))
    many = put(newsroom, tarred(*head, *((f"files/{n}", b"") for n in range(10_000))))
    claims = tarred(*head)[:-1024] + header("files/big", 4 << 30) + bytes(16_384)
    large = put(newsroom, claims)
    deep = put(newsroom, tarred(("drop.json", b"[" * 100_000), ("message.txt", b"")))
    other = put(newsroom, tarred(("drop.json", letter(newsroom, newsroom="another")), ("message.txt", b"")))
    noise = new_id()
    start = ask(newsroom.relay.desk, "GET", f"/drops/{climbing}").body
    send(newsroom.relay.source, start[:-9000] + os.urandom(9000), noise)
    good = put(newsroom, tarred(("drop.json", letter(newsroom)), ("message.txt", b"still here")))

    assert page.sync() == page.message("fetched", drops=1, notes=0, problems=7)
    assert [one["title"] for one in page.threads()] == ["still here"]
    found = {said.partition(",")[0]: said for said in page.problems()}
    wrong = dict.fromkeys((climbing, turned, many, large, deep), "format") | {other: "newsroom", noise: "age"}
    for id_, reason in wrong.items():
        assert found[id_[:8]].endswith(page.message(f"problem_{reason}"))
    assert good[:8] not in found


def test_nothing_of_a_message_or_a_file_runs(page: DeskPage, newsroom: House) -> None:
    bomb = b"\x89PNG\r\n\x1a\n" + struct.pack(">I4sIIBBBBB", 13, b"IHDR", 60_000, 60_000, 8, 2, 0, 0, 0)
    files = {
        "page.html": RUNS.encode(),
        "page.txt": f"{RUNS}\u202egnp.exe".encode(),
        "drawing.svg": b"<svg xmlns='http://www.w3.org/2000/svg' onload='window.hacked = 1'/>",
        "paper.pdf": b"%PDF-1.7",
        "unlike.png": RUNS.encode(),
        "bomb.png": bomb + bytes(100),
        "broken.jpg": bytes.fromhex("ffd8ffc00011080010001003") + bytes(500),
    }
    text = f"{RUNS}\nfirst\u202egnp.exe \u2066x\u2069 \x9b31m"
    answers = {"evidence": RUNS, "constructor": RUNS}
    members = [("drop.json", letter(newsroom, answers=answers)), ("message.txt", text.encode())]
    put(newsroom, tarred(*members, *((f"files/{name}", data) for name, data in files.items())))
    page.sync()
    (thread,) = page.threads()
    assert "<script>" in thread["title"]
    page.open_thread(thread["title"])
    firefox = page.firefox
    (turn,) = page.turns()
    assert turn["text"].startswith(RUNS)
    assert "first\\u{202e}gnp.exe \\u{2066}x\\u{2069} \\u{9b}31m" in turn["text"]
    assert RUNS in turn["answers"]
    assert turn["files"] == list(files)
    for name in ("page.html", "drawing.svg", "paper.pdf"):
        assert not firefox.shown(f"{page.file(name)} [data-show]")
    item = page.file("page.txt")
    firefox.click(f"{item} [data-show]")
    firefox.wait(lambda: firefox.shown(f"{item} pre"))
    assert firefox.text(f"{item} pre") == f"{RUNS}\\u{{202e}}gnp.exe"
    for name in ("unlike.png", "bomb.png", "broken.jpg"):
        item = page.file(name)
        firefox.click(f"{item} [data-show]")
        assert page.said_of(item) == page.message("file_unlike", file=name)
        assert not firefox.count(f"{item} canvas")
    # What is saved is saved as it is, whatever it is, and opened by nothing.
    for name in ("page.html", "drawing.svg", "paper.pdf"):
        firefox.click(f"{page.file(name)} [data-save]")
        assert page.saved(f"{name}.unsafe").read_bytes() == files[name]
    assert len(firefox.command("WebDriver:GetWindowHandles")) == 1
    assert firefox.url == page.path.as_uri()


def test_a_zip_of_zeros_stays_a_zip_and_much_padding_is_read_through(page: DeskPage, newsroom: House) -> None:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("zeros", bytes(200 * MIB))
    members = [("drop.json", letter(newsroom)), ("message.txt", b"look inside")]
    plain = tarred(*members, ("files/bomb.zip", packed.getvalue()), ("files/zeros.txt", bytes(MIB // 4)))
    put(newsroom, plain + bytes(24 * MIB))
    page.firefox.click("#sync")
    # The page answers while it reads.
    seen = page.firefox.wait(lambda: page.firefox.text("#progress-text"))
    assert seen
    assert page.synced() == page.message("fetched", drops=1, notes=0, problems=0)
    page.open_thread("look inside")
    item = page.file("zeros.txt")
    page.firefox.click(f"{item} [data-show]")
    assert page.said_of(item) == page.message("file_unlike", file="zeros.txt")
    page.firefox.click(f"{page.file('bomb.zip')} [data-save]")
    assert page.saved("bomb.zip.unsafe").read_bytes() == packed.getvalue()


def test_a_copy_and_a_forged_note_are_told(page: DeskPage, newsroom: House) -> None:
    plain = tarred(("drop.json", letter(newsroom)), ("message.txt", b"once"))
    put(newsroom, plain)
    put(newsroom, plain)
    thread = newsroom.open("ada", newsroom.drops()[0]).letter.thread
    note = letter(newsroom, author="bo", thread=thread)
    put(newsroom, tarred(("drop.json", note), ("message.txt", b"send me all"), ("drop.sig", bytes(64))))
    assert page.sync() == page.message("fetched", drops=1, notes=1, problems=1)
    assert page.problems()[0].endswith(page.message("problem_copy"))
    page.open_thread("once")
    last = page.turns()[-1]
    assert (last["kind"], last["note"]) == ("forged", page.message("forged", author="Bo Smit"))
