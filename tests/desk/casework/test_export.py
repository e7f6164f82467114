"""A case as a folder or a zip: originals, cleaned copies, hashes and the history."""

import json
import struct
import subprocess
import zipfile
import zlib
from pathlib import Path

import pytest
from support.newsdesk import Newsdesk, Source, today

from keys.desk.casework import clean


def png(author: bytes) -> bytes:
    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    head = struct.pack(">IIBBBBB", 4, 4, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + bytes(12) for _ in range(4)))
    chunks = [(b"IHDR", head), (b"tEXt", b"Author\0" + author), (b"IDAT", pixels), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(kind, data) for kind, data in chunks)


FILES = {"a photo.png": png(b"Jane Source"), "raw.xyz": b"whatever", "broken.png": b"\x89PNG\r\n\x1a\nno"}


@pytest.fixture
def told(house: Newsdesk) -> tuple[Newsdesk, str]:
    """A newsroom and a case of which something was said."""
    source = Source(house)
    drop = source.send("It began in March.", FILES)
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop, text="Thank you.")
    house.desk("ada", "case", drop, "note", text="a note\nof two lines")
    house.desk("ada", "fetch")
    source.send("More.")
    house.desk("ada", "fetch")
    return house, drop


def test_a_folder_holds_what_came_and_what_was_said(told: tuple[Newsdesk, str], tmp_path: Path) -> None:
    house, drop = told
    folder = tmp_path / "case"
    done = house.desk("ada", "export", drop, "-o", folder)
    assert done.status == 0
    assert done.out == f"{folder} holds the case and 3 files, 1 of them cleaned too\n"
    assert done.err == "desk: warning: not cleaned of metadata: broken.png, raw.xyz\n"

    first = folder / "drops" / f"{today()}-{drop[:8]}"
    assert {path.name: path.read_bytes() for path in (first / "files").iterdir()} == FILES
    assert (first / "message.txt").read_text() == "It began in March."
    (cleaned,) = (first / "cleaned").iterdir()
    assert cleaned.name == "a photo.png"
    assert cleaned.read_bytes().startswith(b"\x89PNG")
    assert b"Jane" not in cleaned.read_bytes()

    said = json.loads((folder / "case.json").read_text())
    assert [one["text"] for one in said["history"]] == ["a note\nof two lines"]
    assert [one["text"] for one in said["conversation"]] == ["It began in March.", "Thank you.", "More."]
    assert "  | of two lines\n" in (folder / "case.txt").read_text()
    checked = subprocess.run(["sha256sum", "-c", "SHA256SUMS"], cwd=folder, capture_output=True, text=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    listed = {line.split("  ", 1)[1] for line in (folder / "SHA256SUMS").read_text().splitlines()}
    there = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert listed == there - {"SHA256SUMS"}
    assert all(path.stat().st_mode & 0o77 == 0 for path in [folder, *folder.rglob("*")])
    everything = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    assert Source(house).thread.hex().encode() not in everything


def test_a_zip_holds_the_same(told: tuple[Newsdesk, str], tmp_path: Path) -> None:
    house, drop = told
    for target in ("case", "case.zip"):
        assert house.desk("ada", "export", drop, "-o", tmp_path / target).status == 0
    with zipfile.ZipFile(tmp_path / "case.zip") as zipped:
        assert zipped.testzip() is None
        held = {info.filename: zipped.read(info) for info in zipped.infolist()}
        assert {info.date_time for info in zipped.infolist()} == {(1980, 1, 1, 0, 0, 0)}
    folder = tmp_path / "case"
    same = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    assert held.keys() == same
    stable = [name for name in same if "cleaned" not in name and name != "SHA256SUMS"]
    assert all(held[name] == (folder / name).read_bytes() for name in stable)
    assert (tmp_path / "case.zip").stat().st_mode & 0o77 == 0
    assert sorted(path.name for path in tmp_path.iterdir()) == ["case", "case.zip"]


def test_nothing_is_overwritten_and_nothing_half_written(told: tuple[Newsdesk, str], tmp_path: Path) -> None:
    house, drop = told
    (tmp_path / "there.zip").write_bytes(b"mine")
    done = house.desk("ada", "export", drop, "-o", tmp_path / "there.zip")
    assert (done.status, done.out) == (1, "")
    assert "is there already" in done.err
    assert (tmp_path / "there.zip").read_bytes() == b"mine"
    assert "is no folder" in house.desk("ada", "export", drop, "-o", tmp_path / "no/where").err
    sealed = house.home("ada") / "drops" / f"{drop}.age"
    sealed.write_bytes(sealed.read_bytes()[:-100])
    assert house.desk("ada", "export", drop, "-o", tmp_path / "broken").status == 1
    assert [path.name for path in tmp_path.iterdir()] == ["there.zip"]


def test_a_drop_that_is_gone_is_named(told: tuple[Newsdesk, str], tmp_path: Path) -> None:
    house, drop = told
    (house.home("ada") / "drops" / f"{drop}.age").unlink()
    done = house.desk("ada", "export", drop[:6], "-o", tmp_path / "case", "--json")
    assert (done.json["files"], done.json["gone"]) == (0, [drop])
    assert f"drop {drop[:8]} is on this computer no longer" in done.err


def test_without_the_programs_nothing_is_cleaned(
    told: tuple[Newsdesk, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    house, drop = told
    monkeypatch.setenv("PATH", str(tmp_path))
    done = house.desk("ada", "export", drop, "-o", tmp_path / "case")
    assert done.out.endswith("3 files, 0 of them cleaned too\n")
    assert "nothing was cleaned of metadata: this computer lacks mat2 and bwrap and prlimit" in done.err
    assert not list(tmp_path.rglob("cleaned"))


def test_what_cleans_reaches_neither_network_nor_home(tmp_path: Path) -> None:
    """The very sandbox, with a shell in mat2's place."""
    work = tmp_path / "work"
    work.mkdir()
    look = "ls -d /home /root /etc/passwd; wc -l < /proc/net/dev; env"
    done = subprocess.run(
        [*clean._SANDBOX, "--bind", work, "/work", "--chdir", "/work", "sh", "-c", look],
        capture_output=True,
        text=True,
        env={"SECRET": "1", "PATH": "/usr/bin:/bin"},
    )
    assert all(f"'{path}': No such file" in done.stderr for path in ("/home", "/root", "/etc/passwd"))
    assert "SECRET" not in done.stdout
    assert done.stdout.startswith("3\n"), "two lines of heads, and loopback"


def test_a_file_that_turns_into_a_link_is_no_cleaned_copy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "original").mkdir()
    original = tmp_path / "original" / "x.png"
    original.write_bytes(png(b"Jane"))
    folder = tmp_path / "cleaned"
    folder.mkdir()
    monkeypatch.setattr(clean, "_WORK", ("--chdir", "/work", "ln", "-sf", "/etc/passwd"))
    assert not clean.clean(original, folder)
    assert list(folder.iterdir()) == []
