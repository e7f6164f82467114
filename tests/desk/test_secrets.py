"""Keys are made once, kept locked, and their passphrases seen by nobody."""

import os
import pty
import subprocess
import sys
import threading
from pathlib import Path

import pytest
from support.newsdesk import PASSPHRASE, Newsdesk, Source, run
from support.wires import Message, Script, http

from keys.age import open_bytes
from keys.identity import Journalist, parse_public, unlock
from keys.masthead import Masthead, MastheadKey

DESK = [sys.executable, "-m", "keys.desk"]


def test_keygen_makes_an_identity(tmp_path: Path) -> None:
    done = run("keygen", "ada", "-o", tmp_path)
    assert (done.status, done.err) == (0, "")
    key, pub = tmp_path / "ada.key", tmp_path / "ada.pub"
    assert done.out == (
        f"{key} opens drops: keep it, with a copy elsewhere; nobody can make it again\n"
        f"{pub} goes to the newsroom; when they read its number to you, it is "
        f"{parse_public(pub.read_text()).number}\n"
    )
    assert key.stat().st_mode & 0o777 == 0o600
    journalist = Journalist.parse(unlock(key.read_bytes(), PASSPHRASE))
    assert parse_public(pub.read_text()) == journalist.public
    assert b"AGE-SECRET-KEY" not in key.read_bytes() + pub.read_bytes()


def test_keygen_makes_a_masthead(tmp_path: Path) -> None:
    assert run("keygen", "--masthead", "-o", tmp_path).status == 0
    key = MastheadKey.parse(unlock((tmp_path / "masthead.key").read_bytes(), PASSPHRASE))
    assert Masthead.parse((tmp_path / "masthead.pub").read_text()) == key.public


@pytest.mark.parametrize("there", ["ada.key", "ada.pub"])
def test_keygen_overwrites_nothing(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    done = run("keygen", "ada", "-o", tmp_path)
    assert (done.status, done.out) == (1, "")
    assert done.err == (
        f"desk: error: {tmp_path}/{there} is there already\n"
        "desk: hint: nothing was overwritten; choose another name or folder\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == [there]
    assert (tmp_path / there).read_text() == "precious"


@pytest.mark.parametrize("marker", [Path.mkdir, Path.touch], ids=["repository", "worktree"])
def test_keygen_writes_no_secret_where_git_looks(tmp_path: Path, marker: object) -> None:
    marker(tmp_path / ".git")  # type: ignore[operator]
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "link").symlink_to("a/b")
    for folder in ("a/b", "link"):
        done = run("keygen", "ada", "-o", tmp_path / folder)
        assert done.status == 1
        assert (
            "is inside a git work tree\ndesk: hint: keep secrets where git does not look: -o DIR\n"
            in done.err
        )
    assert list((tmp_path / "a/b").iterdir()) == []


@pytest.mark.parametrize("name", ["Ada", "", "../ada", "a b", "a" * 33, "-x", "é"])
def test_keygen_refuses_names_that_are_none(tmp_path: Path, name: str) -> None:
    done = run("keygen", "-o", tmp_path, "--", name)
    assert done.status in (1, 2)
    assert done.out == ""
    assert "desk: error: " in done.err
    assert list(tmp_path.iterdir()) == []


def test_keygen_wants_one_thing() -> None:
    for words in (["keygen"], ["keygen", "ada", "--masthead"], ["keygen", "--onions", "--masthead"]):
        assert "name a journalist, or give --masthead or --onions" in run(*words).err


def test_keygen_refuses_a_short_passphrase(tmp_path: Path) -> None:
    done = run("keygen", "ada", "-o", tmp_path, passphrase=b"fifteen letters")
    assert done.status == 1
    assert "a passphrase has at least 16 characters\ndesk: hint: six words" in done.err
    assert list(tmp_path.iterdir()) == []


def test_no_folder(tmp_path: Path) -> None:
    assert "is no folder" in run("keygen", "ada", "-o", tmp_path / "nowhere").err


# At a terminal.


def at_terminal(words: list[str | Path], typed: str) -> tuple[int, str]:
    """Runs `desk` at a terminal of its own; gives its status and what was seen there."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        ["setsid", "--ctty", "--wait", *DESK, *words], stdin=theirs, stdout=theirs, stderr=theirs
    )
    os.close(theirs)
    seen = b""
    lines = iter(typed.splitlines(keepends=True))
    while True:
        try:
            data = os.read(ours, 4096)
        except OSError:  # EIO: the other end is closed
            break
        seen += data
        if seen.endswith(b": ") and (line := next(lines, None)):
            os.write(ours, line.encode())
    os.close(ours)
    return process.wait(), seen.decode().replace("\r\n", "\n")


def test_a_passphrase_is_typed_twice_and_never_shown(tmp_path: Path) -> None:
    secret = PASSPHRASE.decode()
    status, seen = at_terminal(["keygen", "ada", "-o", tmp_path], f"{secret}\n{secret}\n")
    assert status == 0
    assert seen.startswith("new passphrase of ada.key: \nthe same again: \n")
    assert secret not in seen
    assert Journalist.parse(unlock((tmp_path / "ada.key").read_bytes(), PASSPHRASE)).name == "ada"


def test_two_that_differ_make_nothing(tmp_path: Path) -> None:
    status, seen = at_terminal(["keygen", "ada", "-o", tmp_path], "a long passphrase\nanother passphrase\n")
    assert status == 1
    assert "the two passphrases differ" in seen
    assert list(tmp_path.iterdir()) == []


def test_without_a_terminal_it_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        ["setsid", "--wait", *DESK, "keygen", "ada", "-o", tmp_path],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "desk: error: there is no passphrase to use: there is no terminal to ask for the passphrase at\n"
        "desk: hint: give the number of a file descriptor to read it from with --passphrase-fd\n"
    )


@pytest.mark.parametrize("number", ["999", "-1"])
def test_a_descriptor_that_is_not_open(tmp_path: Path, number: str) -> None:
    done = run("keygen", "ada", "-o", tmp_path, f"--passphrase-fd={number}", passphrase=None)
    assert done.status == 1
    assert f"the passphrase cannot be read from file descriptor {number}" in done.err


def test_text_may_follow_the_passphrase_on_one_descriptor(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    house.desk("ada", "fetch")
    command = [*DESK, "--home", house.home("ada"), "reply", drop, "--passphrase-fd", "0"]
    given = PASSPHRASE + b"\nthe answer\n"
    subprocess.run(command, input=given, capture_output=True, check=True)
    assert [reply.text for reply in source.look()] == ["the answer"]


def test_secrets_are_in_no_argument_environment_or_file(quiet: Newsdesk) -> None:
    """While a desk waits for its relay, everything others may see of the process is looked at."""
    seen: list[bytes] = []

    def look(_: Message) -> bytes:
        for name in ("cmdline", "environ"):
            seen.append(Path(f"/proc/{process.pid}/{name}").read_bytes())
        seen.extend(path.read_bytes() for path in quiet.home("ada").rglob("*") if path.is_file())
        return http(b"")

    secret = str(quiet.journalists["ada"].identity).encode()
    with Script(look) as script:
        quiet.join("ada", relay=script.url)
        reading, writing = os.pipe()
        command = [*DESK, "--home", quiet.home("ada"), "fetch", "--passphrase-fd", str(reading)]
        ready = threading.Event()
        process = subprocess.Popen(command, pass_fds=[reading], stderr=subprocess.PIPE)
        ready.set()
        os.write(writing, PASSPHRASE + b"\n")
        for end in (reading, writing):
            os.close(end)
        _, err = process.communicate(timeout=60)
    assert len(seen) > 4
    for data in [*seen, err]:
        assert PASSPHRASE not in data
        assert secret not in data


def test_what_the_desk_keeps_is_sealed(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("a very secret message", {"secret-name.txt": b"very secret content"})
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop, text="a very secret answer")
    kept = {path: path.read_bytes() for path in house.home("ada").rglob("*") if path.is_file()}
    hidden = [b"secret", source.thread, source.thread.hex().encode(), drop.encode(), b"answer"]
    for path, data in kept.items():
        assert not any(word in data for word in hidden), path
        assert path.stat().st_mode & 0o077 == 0, path
    assert {path.stat().st_mode & 0o777 for path in (house.home("ada"), house.home("ada") / "drops")} == {
        0o700
    }
    state = open_bytes((house.home("ada") / "state.age").read_bytes(), [house.journalists["ada"].identity])
    assert drop.encode() in state
    assert drop in {path.stem for path in kept}


def test_a_wrong_passphrase_changes_nothing(house: Newsdesk) -> None:
    before = {path: path.read_bytes() for path in house.home("ada").rglob("*") if path.is_file()}
    for command in (["fetch"], ["list"], ["reply", "ab"]):
        done = house.desk("ada", *command, passphrase=b"wrong", text="hello")
        assert (done.status, done.out) == (1, "")
        assert done.err == "desk: error: the passphrase does not unlock this file: ada.key\n"
    assert {path: path.read_bytes() for path in before} == before


def test_no_traceback_when_interrupted(quiet: Newsdesk) -> None:
    import signal

    def interrupt(_: Message) -> bytes:
        process.send_signal(signal.SIGINT)
        process.wait(timeout=60)
        return http(b"")

    with Script(interrupt) as script:
        quiet.join("ada", relay=script.url)
        command = [*DESK, "--home", quiet.home("ada"), "fetch", "--passphrase-fd", "0"]
        process = subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
        )
        out, err = process.communicate(PASSPHRASE + b"\n", timeout=60)
    assert (process.returncode, out) == (1, b"")
    assert err == b"desk: error: something went wrong: interrupted\n"


# A rotation.


def test_a_rotation_leaves_both_identities_in_one_locked_file_and_nowhere_else(house: Newsdesk) -> None:
    key = house.folder / "ada.key"
    old = house.journalists["ada"]
    new_passphrase = b"something else than before"
    done = house.desk("ada", "rotate", passphrase=PASSPHRASE + b"\n" + new_passphrase)
    assert (done.status, done.err) == (0, "")
    text = unlock(key.read_bytes(), new_passphrase)
    journalist = Journalist.parse(text)
    assert journalist.former == (old.identity,)
    assert key.stat().st_mode & 0o777 == 0o600
    assert parse_public((house.folder / "ada.pub").read_text()).signer == journalist.public.signer
    secrets = [str(one) for one in journalist.identities]
    assert not any(secret in done.out for secret in secrets)
    for path in house.folder.rglob("*"):
        if path.is_file():
            assert not any(secret.encode() in path.read_bytes() for secret in secrets), path


@pytest.mark.parametrize(
    ("typed", "says"),
    [
        (b"wrong horse", "the passphrase does not unlock this file"),
        (PASSPHRASE + b"\nshort", "a passphrase has at least 16 characters"),
        (PASSPHRASE, "a passphrase has at least 16 characters"),
    ],
)
def test_a_rotation_that_is_broken_off_changes_nothing(house: Newsdesk, typed: bytes, says: str) -> None:
    before = (house.folder / "ada.key").read_bytes()
    done = house.desk("ada", "rotate", passphrase=typed)
    assert done.status == 1
    assert says in done.err
    assert (house.folder / "ada.key").read_bytes() == before
    assert not (house.folder / "ada.pub").exists()


def test_a_rotation_writes_no_secret_where_git_looks(house: Newsdesk) -> None:
    (house.folder / ".git").mkdir()
    before = (house.folder / "ada.key").read_bytes()
    assert "is inside a git work tree" in house.desk("ada", "rotate").err
    assert (house.folder / "ada.key").read_bytes() == before
