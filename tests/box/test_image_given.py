"""What no image is made from is refused before the first byte is fetched, in a sentence with its remedy."""

import os
import platform
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest
from image import given
from image.boards import PI, VPS
from image.errors import NoImage
from support.box_room import PROVISION, inventory

PASSPHRASE = b"a throwaway passphrase"


@pytest.fixture
def key(tmp_path: Path) -> Path:
    file = tmp_path / "operator"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", file], check=True)
    return file.with_suffix(".pub")


def refused(step: Callable[[], object]) -> str:
    with pytest.raises(NoImage) as no:
        step()
    assert no.value.remedy
    return f"{no.value}; {no.value.remedy}"


def test_a_whole_newsroom_is_taken(furnished: Path, key: Path) -> None:
    host = given.newsroom(furnished)
    assert host == inventory(furnished)
    given.opened(host, PASSPHRASE)
    assert given.operator(key) == key.read_text().strip()
    assert given.board("vps") is VPS
    assert given.board("pi") is PI


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("", "it is not said what the image is for; say BOARD=pi or BOARD=vps"),
        ("toaster", "no image is made for a toaster; say BOARD=pi or BOARD=vps"),
    ],
)
def test_a_board_is_one_of_those_that_are_known(name: str, says: str) -> None:
    assert refused(lambda: given.board(name)).startswith(says)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("edition: 3", "edition: 4", "said something else of `edition`"),
        ("box: {host: 192.0.2.7}", "box: {host: 192.0.2.7, user: admin}", "an image has no user but root"),
        ("box: {host: 192.0.2.7}", "box: {host: 192.0.2.7, ssh: onion}", "write `ssh: open`"),
        (
            "box: {host: 192.0.2.7}",
            "box: {host: 192.0.2.7, disk: /dev/disk/by-id/usb-x}",
            "take `disk` out of `box:`",
        ),
        ("box: {host: 192.0.2.7}\n", "", "does not say where the box is"),
    ],
)
def test_a_newsroom_is_whole_and_one_for_an_image(newsroom: Path, old: str, new: str, says: str) -> None:
    text = newsroom.read_text()
    assert old in text
    newsroom.write_text(text.replace(old, new))
    assert says in refused(lambda: given.newsroom(newsroom))


@pytest.mark.parametrize("wrong", [b"", b"another"])
def test_a_passphrase_opens_every_key(furnished: Path, wrong: bytes) -> None:
    host = given.newsroom(furnished)
    assert refused(lambda: given.opened(host, wrong)).startswith("the onions' keys cannot be opened; ")


def test_a_key_is_the_one_of_its_address(newsroom: Path) -> None:
    key, other = (newsroom.parent / name / "hs_ed25519_secret_key" for name in ("desk-onion", "ssh-onion"))
    key.write_bytes(other.read_bytes())
    said = refused(lambda: given.opened(given.newsroom(newsroom), PASSPHRASE))
    assert said.startswith("the key in desk-onion is of another address than its file hostname says; bring")


def test_a_secret_key_is_not_taken_for_a_public_one(key: Path) -> None:
    assert f"name {key}, which" in refused(lambda: given.operator(key.with_suffix("")))


@pytest.mark.parametrize("text", [None, "", "ssh-ed25519 AAAA operator\n", "two\nlines\n"])
def test_somebody_could_log_in(tmp_path: Path, text: str | None) -> None:
    file = tmp_path / "key.pub"
    if text is not None:
        file.write_text(text)
    assert "holds no public ssh key" in refused(lambda: given.operator(file))


def test_a_computer_that_lacks_programs_is_told_which_packages_have_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if os.geteuid() != 0:
        assert "sudo" in refused(lambda: given.computer(VPS))
        return
    monkeypatch.setattr(given, "SEARCHED", str(tmp_path))
    said = refused(lambda: given.computer(VPS))
    assert "run `apt-get install " in said
    assert {"mmdebstrap", "fdisk", "mtools", "dosfstools"} <= set(said.split("`")[1].split())


@pytest.mark.skipif(os.geteuid() != 0, reason="only root comes that far")
def test_an_image_is_made_on_a_computer_of_its_boards_kind_or_one_that_emulates_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(given, "SEARCHED", str(tmp_path))
    monkeypatch.setattr(platform, "machine", lambda: "riscv64")
    said = refused(lambda: given.computer(VPS))
    assert said.startswith("an image for a vps is made on a computer with its kind of processor, ")
    named = refused(lambda: given.computer(PI)).split("`")[1].split()
    assert {"qemu-system-arm", "qemu-user-static", "arch-test"} <= set(named)
    assert not {"systemd-container", "grub-pc-bin"} & set(named)
    monkeypatch.setattr(platform, "machine", lambda: "aarch64")
    named = refused(lambda: given.computer(PI)).split("`")[1].split()
    assert "systemd-container" in named
    assert not {"qemu-user-static", "grub-pc-bin"} & set(named)


def test_a_computer_has_room_for_the_tree_and_where_the_box_is_a_container_for_its_reserve(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    free = given.SCRATCH + (3 << 30)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=free))
    for machine, made_in_a_container in (("x86_64", VPS), ("aarch64", PI)):
        monkeypatch.setattr(platform, "machine", lambda machine=machine: machine)
        given.room(made_in_a_container, tmp_path, 3 << 30)
        said = refused(lambda board=made_in_a_container: given.room(board, tmp_path, 4 << 30))
        assert said.startswith(f"{tmp_path} has less than 9.0 GiB free; make room")
    monkeypatch.setattr(platform, "machine", lambda: "x86_64")
    given.room(PI, tmp_path, 4 << 30)
    free = given.SCRATCH - 1
    assert "has less than 5.0 GiB" in refused(lambda: given.room(PI, tmp_path, 0))


def test_the_command_says_so_and_leaves_nothing(newsroom: Path, key: Path) -> None:
    newsroom.with_name("out").rename(newsroom.with_name("elsewhere"))
    before = sorted(newsroom.parent.iterdir())
    words = ["--board", "vps", "--key", key, "--vault", newsroom.with_name("vault"), newsroom]
    done = subprocess.run(
        [sys.executable, "-m", "image", *words], cwd=PROVISION, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 1
    error, hint, problem, *more = done.stderr.splitlines()
    assert error == "image: error: newsroom.yaml and its folder are not whole"
    assert hint == "image: hint: mend this first:"
    assert problem.startswith("- the edition in ")
    assert not more
    assert done.stdout == ""
    assert sorted(newsroom.parent.iterdir()) == before


def test_the_passphrase_goes_through_a_pipe_once() -> None:
    with given.as_a_pipe(PASSPHRASE) as pipe:
        read = ["cat", f"/dev/fd/{pipe}"]
        done = subprocess.run(read, pass_fds=[pipe], capture_output=True, check=True)
    assert done.stdout == PASSPHRASE + b"\n"
