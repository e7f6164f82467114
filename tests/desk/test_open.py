"""`desk open`: all of a drop in a new folder, or nothing."""

import hashlib
import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.newsdesk import PASSPHRASE, Newsdesk, Source, run

from keys.names import folded, is_name


class Unsent(Source):
    """A source whose drops are files: no relay is needed to open them."""

    def __init__(self, newsdesk: Newsdesk) -> None:
        self._newsroom = newsdesk.newsroom
        self.to = ("ada", "bea")
        self.thread = bytes(32)
        self.read = []

    def write(self, path: Path, text: str = "hello", files: dict[str, bytes] | None = None) -> Path:
        path.write_bytes(self.sealed(text, files or {}))
        return path


def inside(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def open_(house: Newsdesk, drop: Path, folder: Path, **more: bytes) -> tuple[int, str, str]:
    home = house.folder / "no-home"
    done = run("--home", home, "open", drop, "-o", folder, "--identity", house.folder / "ada.key", **more)
    assert not home.exists()
    return done.status, done.out, done.err


def test_a_lone_file_needs_an_identity_and_nothing_else(quiet: Newsdesk, tmp_path: Path) -> None:
    drop = Unsent(quiet).write(tmp_path / "drop.age", "hello\n", {"a b.txt": b"abc", "é.bin": b"\0" * 99_999})
    folder = tmp_path / "out"
    status, out, err = open_(quiet, drop, folder)
    assert (status, out.splitlines()[-1]) == (0, f"{folder} holds the message and 2 files")
    assert [line.split()[0] for line in out.splitlines()[1:3]] == [
        hashlib.sha256(data).hexdigest() for data in (b"abc", b"\0" * 99_999)
    ]
    assert err.startswith("desk: warning: files may attack who opens them")
    found = {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert found == {
        "message.txt": b"hello\n",
        "answers.json": b'{\n "evidence": "papers"\n}\n',
        "files/a b.txt": b"abc",
        "files/é.bin": b"\0" * 99_999,
    }
    modes = {path.stat().st_mode & 0o777 for path in folder.rglob("*") if path.is_file()}
    assert modes == {0o600}
    assert {path.stat().st_mode & 0o777 for path in (folder, folder / "files")} == {0o700}


def test_a_lone_file_is_shown(quiet: Newsdesk, tmp_path: Path) -> None:
    drop = Unsent(quiet).write(tmp_path / "drop.age", "hello", {"a.txt": b"abc"})
    done = run("--home", tmp_path / "none", "show", drop, "--identity", quiet.folder / "ada.key")
    assert done.status == 0
    assert done.out.startswith(f"file      {drop}\n")
    assert "  | hello\n" in done.out


def test_without_identity_or_home_it_says_what_to_do(quiet: Newsdesk, tmp_path: Path) -> None:
    drop = Unsent(quiet).write(tmp_path / "drop.age")
    done = run("--home", tmp_path / "none", "open", drop, "-o", tmp_path / "out")
    assert done.status == 1
    assert "no desk has joined a newsroom" in done.err


@pytest.mark.parametrize("make", [Path.mkdir, Path.touch, lambda path: path.symlink_to("nowhere")])
def test_what_is_there_is_never_touched(quiet: Newsdesk, tmp_path: Path, make: object) -> None:
    drop = Unsent(quiet).write(tmp_path / "drop.age")
    make(tmp_path / "out")  # type: ignore[operator]
    before = inside(tmp_path)
    status, out, err = open_(quiet, drop, tmp_path / "out")
    assert (status, out) == (1, "")
    assert err == (f"desk: error: {tmp_path}/out is there already\ndesk: hint: name a folder that is not\n")
    assert inside(tmp_path) == before


@pytest.mark.parametrize("cut", [1, 100, 20_000, 70_000, 150_000])
def test_output_is_never_partial(quiet: Newsdesk, tmp_path: Path, cut: int) -> None:
    drop = Unsent(quiet).write(
        tmp_path / "drop.age", "hello", {"a.bin": b"a" * 80_000, "b.bin": b"b" * 80_000}
    )
    drop.write_bytes(drop.read_bytes()[:-cut])
    status, out, err = open_(quiet, drop, tmp_path / "out")
    assert (status, out) == (1, "")
    assert err == (
        "desk: error: this is not a whole and unaltered age file: payload: it is altered or cut short\n"
        "desk: hint: fetch it again; if it stays broken, it was damaged or altered before it came here\n"
    )
    assert inside(tmp_path) == ["drop.age"]


@pytest.mark.parametrize("data", [b"", b"hello", b"age-encryption.org/v1\n", bytes(100_000)])
def test_files_that_are_no_drops(quiet: Newsdesk, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "drop.age").write_bytes(data)
    status, out, err = open_(quiet, tmp_path / "drop.age", tmp_path / "out")
    assert (status, out) == (1, "")
    assert err.startswith("desk: error: this is not a whole and unaltered age file")


def test_a_drop_for_somebody_else(quiet: Newsdesk, tmp_path: Path) -> None:
    source = Unsent(quiet)
    source.to = ("bea",)
    drop = source.write(tmp_path / "drop.age")
    status, _, err = open_(quiet, drop, tmp_path / "out")
    assert status == 1
    assert err.startswith("desk: error: none of these identities opens this file\ndesk: hint: ")


@pytest.mark.parametrize("passphrase", [b"", b"wrong", PASSPHRASE + b"x", b"\xff\xfe"])
def test_a_wrong_passphrase(quiet: Newsdesk, tmp_path: Path, passphrase: bytes) -> None:
    drop = Unsent(quiet).write(tmp_path / "drop.age")
    status, out, err = open_(quiet, drop, tmp_path / "out", passphrase=passphrase)
    assert (status, out) == (1, "")
    right = "the passphrase does not unlock this file: ada.key\n", "the passphrase is not UTF-8\n"
    assert err.endswith(right)
    assert not (tmp_path / "out").exists()


NAMES = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20).filter(is_name)


@settings(max_examples=30, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(files=st.dictionaries(NAMES, st.binary(max_size=50), max_size=3), number=st.integers(0, 1 << 60))
def test_every_name_that_may_be_sealed_is_written_where_it_belongs(
    quiet: Newsdesk, tmp_path_factory: pytest.TempPathFactory, files: dict[str, bytes], number: int
) -> None:
    place = tmp_path_factory.mktemp("open")
    files = {folded(name): data for name, data in files.items() if is_name(folded(name))}
    drop = Unsent(quiet).write(place / "drop.age", "hello", files)
    status, _, _ = open_(quiet, drop, place / "out")
    assert status == 0
    assert {path.name: path.read_bytes() for path in (place / "out/files").iterdir()} == files
    assert inside(place) == ["drop.age", "out"]


@pytest.mark.parametrize("room", [1 << 20, (1 << 20) + 12_345, (2 << 20) + 12_345, (3 << 20) - 1])
def test_a_full_disk_leaves_nothing(quiet: Newsdesk, tmp_path: Path, room: int) -> None:
    """RLIMIT_FSIZE stands in for it: a write ends in the middle, and the next one fails."""
    drop = Unsent(quiet).write(tmp_path / "drop.age", "hello", {"a.bin": bytes(3 << 20)})
    reading, writing = os.pipe()
    os.write(writing, PASSPHRASE)
    os.close(writing)
    command = [sys.executable, "-m", "keys.desk", "open", drop, "-o", tmp_path / "out"]
    command += ["--identity", quiet.folder / "ada.key", "--passphrase-fd", str(reading)]
    done = subprocess.run(
        command,
        pass_fds=[reading],
        capture_output=True,
        text=True,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2 << 20, 2 << 20)),
    )
    os.close(reading)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("desk: error: ")
    assert "Traceback" not in done.stderr
    assert inside(tmp_path) == ["drop.age"]


LARGE = """
import io, sys
from keys.drop import Attachment, seal
from keys.identity import parse_public
from keys.letter import Letter

class Endless:
    def read(self, n):
        return b"x" * n

public = parse_public(open(sys.argv[1]).read())
letter = Letter(newsroom="n", thread=bytes(32), language="en", to=("ada",))
with open(sys.argv[2], "wb") as out:
    seal(out, letter, "hello", [Attachment("big.bin", 300 << 20, Endless())], {"ada": public.recipient})
"""
MEASURED = """
import resource, sys
from keys.desk.__main__ import main
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
status = main(sys.argv[1:])
print(status, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_flat(quiet: Newsdesk, tmp_path: Path) -> None:
    (tmp_path / "ada.pub").write_text(quiet.journalists["ada"].public_file())
    subprocess.run([sys.executable, "-c", LARGE, tmp_path / "ada.pub", tmp_path / "drop.age"], check=True)
    command = [sys.executable, "-c", MEASURED, "open", tmp_path / "drop.age", "-o", tmp_path / "out"]
    command += ["--identity", quiet.folder / "ada.key", "--passphrase-fd", "0"]
    done = subprocess.run(command, input=PASSPHRASE.decode(), capture_output=True, text=True, check=True)
    status, grown = map(int, done.stdout.splitlines()[-1].split())
    assert status == 0
    assert grown < 24 << 10, "KiB more than before a drop of 300 MiB"
    assert (tmp_path / "out/files/big.bin").stat().st_size == 300 << 20
    (tmp_path / "out/files/big.bin").unlink()
    (tmp_path / "drop.age").unlink()
