"""What goes wrong on the way, and what a source is told of it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from support.cutting_proxy import CuttingProxy
from support.firefox import Firefox
from support.house import House
from support.source import Source

MIB = 1 << 20
ANSWERS = {"evidence": "documents"}


def _file(folder: Path, size: int) -> Path:
    path = folder / "evidence.bin"
    path.write_bytes(os.urandom(size))
    return path


def test_a_connection_cut_again_and_again_loses_nothing(
    any_firefox: Firefox, house: House, tmp_path: Path
) -> None:
    before = set(house.drops())
    file = _file(tmp_path, 8 * MIB)
    seen: list[tuple[int, int]] = []
    with CuttingProxy(house.address, cuts=[700_000, 300_000, 2 * MIB, 1_500_000], lose=2) as proxy:
        source = Source(any_firefox, proxy.url)
        source.open_send()
        source.write("cut", answers=ANSWERS, files=[file], to=["ada"])
        source.begin()
        while source.steps == ["sending"]:
            shown = source.arrived()  # before what it is held to
            seen.append((shown, len(proxy.acknowledged)))
        source.reach("done")
        assert proxy.made == 6
    [drop] = set(house.drops()) - before
    assert house.open("ada", drop).files == {"evidence.bin": file.read_bytes()}
    assert [shown for shown, _ in seen] == sorted(shown for shown, _ in seen)
    assert all(shown <= parts * MIB for shown, parts in seen)
    assert any(0 < shown < 8 * MIB for shown, _ in seen)


def _rewrite(file: Path) -> None:
    with file.open("r+b") as same:
        same.write(os.urandom(file.stat().st_size))


def _edit(file: Path) -> None:
    """One byte, deep in the file, and the date put back."""
    kept = file.stat()
    with file.open("r+b") as same:
        same.seek(6 * MIB + 12_345)
        byte = same.read(1)[0]
        same.seek(-1, os.SEEK_CUR)
        same.write(bytes([byte ^ 1]))
    os.utime(file, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def _replace(file: Path) -> None:
    other = file.with_suffix(".new")
    other.write_bytes(os.urandom(file.stat().st_size + 1))
    other.replace(file)


CHANGES: dict[str, Callable[[Path], None]] = {
    "rewritten": _rewrite,
    "edited": _edit,
    "replaced": _replace,
    "cut short": lambda file: os.truncate(file, 5 * MIB),
    "removed": Path.unlink,
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_file_that_changes_while_it_is_read_is_not_sent(
    firefox: Firefox, house: House, tmp_path: Path, change: str
) -> None:
    before = set(house.drops())
    file = _file(tmp_path, 10 * MIB)
    with CuttingProxy(house.address, hold_after=MIB) as proxy:
        source = Source(firefox, proxy.url)
        source.open_send()
        source.write("changing", answers=ANSWERS, files=[file], to=["ada"])
        source.begin()
        firefox.wait(lambda: proxy.held)
        CHANGES[change](file)
        proxy.resume()
        source.reach("write")
        assert source.error("files") == source.said("file_changed", file=file.name)
        assert firefox.script("return [message.value, document.activeElement.id]") == ["changing", "files"]
        assert set(house.drops()) == before

        file.write_bytes(b"as it is now")
        firefox.click("#file-list [data-remove]")
        source.write(files=[file])
        source.submit()  # the words were typed back already, so this sends
        source.reach("done")
    [drop] = set(house.drops()) - before
    assert house.open("ada", drop).files == {file.name: b"as it is now"}


def test_a_file_that_grows_arrives_as_it_was_chosen(firefox: Firefox, house: House, tmp_path: Path) -> None:
    before = set(house.drops())
    file = _file(tmp_path, 10 * MIB)
    chosen = file.read_bytes()
    with CuttingProxy(house.address, hold_after=MIB) as proxy:
        source = Source(firefox, proxy.url)
        source.open_send()
        source.write("growing", answers=ANSWERS, files=[file], to=["ada"])
        source.begin()
        firefox.wait(lambda: proxy.held)
        with file.open("ab") as more:
            more.write(b"one line more")
        proxy.resume()
        source.reach("done")
    [drop] = set(house.drops()) - before
    assert house.open("ada", drop).files == {file.name: chosen}


def test_a_file_that_changed_before_it_was_sent_is_not_sent(
    firefox: Firefox, house: House, tmp_path: Path
) -> None:
    before = set(house.drops())
    file = _file(tmp_path, 10 * MIB)
    source = Source(firefox, house.url)
    source.open_send()
    source.write("saved again", answers=ANSWERS, files=[file], to=["ada"])
    source.submit()
    words = source.words()
    _edit(file)
    source.type_back(words)
    source.reach("write")
    assert source.error("files") == source.said("file_changed", file=file.name)
    assert set(house.drops()) == before


def test_a_cancelled_upload_arrives_nowhere(firefox: Firefox, house: House, tmp_path: Path) -> None:
    before = house.drops()
    with CuttingProxy(house.address, hold_after=2 * MIB) as proxy:
        source = Source(firefox, proxy.url)
        source.open_send()
        source.write("cancelled", answers=ANSWERS, files=[_file(tmp_path, 8 * MIB)], to=["ada"])
        source.begin()
        firefox.wait(lambda: proxy.held)
        firefox.click("#cancel")
        source.reach("write")
        assert source.status() == source.said("cancelled")
        assert firefox.script("return message.value") == "cancelled"
        proxy.resume()
    assert house.drops() == before


def test_sending_waits_for_files_that_are_still_read_and_can_be_cancelled(
    firefox: Firefox, house: House, tmp_path: Path
) -> None:
    before = house.drops()
    source = Source(firefox, house.url)
    source.open_send()
    firefox.script(
        "const { prototype } = SubtleCrypto; window.digest = prototype.digest;"
        "prototype.digest = () => new Promise(goOn => { window.goOn = goOn; });"
    )
    source.write("a slow disk", answers=ANSWERS, files=[_file(tmp_path, MIB)], to=["ada"])
    source.begin()
    assert source.status() == source.said("reading")
    assert firefox.script("return progress.position") == -1
    firefox.click("#cancel")
    source.reach("write")
    assert source.status() == source.said("cancelled")
    source.submit()
    source.reach("sending")
    firefox.wait(lambda: firefox.script("return 'goOn' in window"))
    firefox.script("SubtleCrypto.prototype.digest = window.digest; goOn(new ArrayBuffer(32))")
    source.reach("write")  # what was read first is not what is there
    assert source.error("files") == source.said("file_changed", file="evidence.bin")
    assert house.drops() == before


def test_leaving_asks_first_while_there_is_something_to_lose(firefox: Firefox, house: House) -> None:
    source = Source(firefox, house.url)
    for message, asked in (("", 0), ("typed", 1)):
        source.open_send()
        source.write(message)
        before = firefox.leave_warnings()
        firefox.click('header a[href="/en/index.html"]')
        firefox.wait(lambda: not firefox.url.endswith("send.html"))
        assert firefox.leave_warnings() - before == asked


def test_leaving_asks_nothing_once_all_has_arrived(firefox: Firefox, house: House) -> None:
    source = Source(firefox, house.url)
    source.open_send()
    source.write("sent", answers=ANSWERS, to=["ada"])
    source.send()
    before = firefox.leave_warnings()
    firefox.click('#step-done a[href$="answers.html"]')
    source.reach("enter")
    assert firefox.leave_warnings() == before
