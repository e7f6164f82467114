"""What `make rotate` does to a newsroom's folder; what comes of it on the box, test_drill_box.py tries."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.box_room import PROVISION, ansible, inventory
from support.builds import build

from keys.onion import ClientKey, ServiceKey

CLOSED = ("desk-onion", "ssh-onion")
ONIONS = ("source-onion", *CLOSED)
KEY = "hs_ed25519_secret_key"


def rotate(newsroom: Path, *words: str | Path, vault: str = "vault") -> subprocess.CompletedProcess[str]:
    file = newsroom.with_name(vault)
    return ansible(sys.executable, PROVISION / "rotate.py", newsroom, *words, "--vault", file)


def files(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def opened(newsroom: Path, onion: str) -> bytes:
    """The key of an onion, as the passphrase opens it."""
    vault = ["--vault-password-file", str(newsroom.with_name("vault"))]
    words = [str(Path(sys.executable).with_name("ansible-vault")), "decrypt", "--output", "-", *vault]
    return subprocess.run([*words, newsroom.parent / onion / KEY], capture_output=True, check=True).stdout


def test_every_journalist_gets_a_new_key_and_only_the_halves_for_the_box_stay(newsroom: Path) -> None:
    folder = newsroom.parent
    before = files(folder)
    done = rotate(newsroom, "clients")
    assert done.returncode == 0, done.stderr
    after = files(folder)
    address = (folder / "desk-onion/hostname").read_text().strip()
    for name in ("ada", "bo"):
        file = f"desk-onion/authorized_clients/{name}.auth"
        theirs = folder / "invitations" / name
        onion, key = ClientKey.parse((theirs / f"{name}.auth_private").read_text())
        assert onion == address
        assert after[file].decode() == key.public_line + "\n"
        assert after.pop(file) != before.pop(file)
        assert sorted(path.name for path in theirs.iterdir()) == [
            f"{name}.auth_private",
            f"{name}.tor-browser",
        ]
        assert {path.stat().st_mode & 0o077 for path in (theirs, *theirs.iterdir())} == {0}
        assert str(theirs) in done.stdout
    assert {name: data for name, data in after.items() if not name.startswith("invitations/")} == before
    assert "next: `make box`" in done.stdout
    assert inventory(newsroom)["newsroom_problems"] == []


def test_one_key_is_made_anew_and_another_for_who_is_not_there_yet(newsroom: Path) -> None:
    clients = newsroom.parent / "desk-onion/authorized_clients"
    before = files(clients)
    assert rotate(newsroom, "clients", "ada", "cleo").returncode == 0
    after = files(clients)
    assert after.keys() - before.keys() == {"cleo.auth"}
    assert [name for name in before if before[name] != after[name]] == ["ada.auth"]


def test_operators_are_those_whom_the_folder_names(newsroom: Path) -> None:
    assert rotate(newsroom, "operators", "olga").returncode == 0
    clients = newsroom.parent / "ssh-onion/authorized_clients"
    first = (clients / "olga.auth").read_text()
    for file in (newsroom.parent / "invitations/olga").iterdir():
        file.unlink()
    nobody = (clients / "nobody.auth").read_text()
    assert rotate(newsroom, "operators").returncode == 0
    assert (clients / "olga.auth").read_text() != first
    assert (clients / "nobody.auth").read_text() == nobody


def test_somebody_more_is_invited_while_the_box_is_reached_by_the_onion(newsroom: Path) -> None:
    comes_by_them(newsroom)
    done = rotate(newsroom, "operators", "olga")
    assert done.returncode == 0, done.stderr
    assert inventory(newsroom)["newsroom_operators"] == ["olga", "operator"]


@pytest.mark.parametrize("onion", ONIONS)
def test_an_onion_has_a_new_address_and_its_key_never_lay_open(newsroom: Path, onion: str) -> None:
    folder = newsroom.parent
    before = files(folder / onion)
    done = rotate(newsroom, onion)
    assert done.returncode == 0, done.stderr
    assert files(folder / f"former-{onion}") == before
    key = opened(newsroom, onion)
    address = (folder / onion / "hostname").read_text().strip()
    assert ServiceKey.parse(key).address == address != before["hostname"].decode().strip()
    assert address in done.stdout
    assert (folder / onion / KEY).read_bytes().startswith(b"$ANSIBLE_VAULT;1.1;AES256\n")
    assert not any(key[32:] in data for data in files(folder).values())
    assert not [path for path in folder.iterdir() if path.name.startswith(".")]
    assert (folder / onion).stat().st_mode & 0o777 == 0o700


def test_a_new_desk_onion_comes_with_new_keys_for_all(newsroom: Path) -> None:
    folder = newsroom.parent
    old = files(folder / "desk-onion/authorized_clients")
    assert rotate(newsroom, "desk-onion").returncode == 0
    new = files(folder / "desk-onion/authorized_clients")
    assert new.keys() == old.keys()
    assert not set(new.values()) & set(old.values())
    address = (folder / "desk-onion/hostname").read_text().strip()
    for name in ("ada", "bo"):
        onion, key = ClientKey.parse((folder / f"invitations/{name}/{name}.auth_private").read_text())
        assert (onion, new[f"{name}.auth"].decode()) == (address, key.public_line + "\n")
    assert inventory(newsroom)["newsroom_problems"] == []


def test_a_new_address_for_sources_needs_a_new_edition(newsroom: Path) -> None:
    assert rotate(newsroom, "source-onion").returncode == 0
    (problem,) = inventory(newsroom)["newsroom_problems"]
    assert "said something else of `onion`" in problem["sentence"]
    newsroom.write_text(newsroom.read_text().replace("edition: 3", "edition: 4"))
    out, key = newsroom.with_name("out"), newsroom.with_name("masthead.key")
    assert build(newsroom, "-o", out, "--sign", key).returncode == 0
    host = inventory(newsroom)
    assert host["newsroom_problems"] == []
    served = json.loads((out / "edition/newsroom.json").read_bytes())
    assert served["onion"] == host["newsroom_source_onion"]


def leftover(newsroom: Path) -> None:
    place = newsroom.parent / "invitations/ada"
    place.mkdir(parents=True)
    (place / "ada.auth_private").write_text("x")


def twice(newsroom: Path) -> None:
    (newsroom.parent / "former-source-onion").mkdir()


def wrong_passphrase(newsroom: Path) -> None:
    newsroom.with_name("vault").write_text("another passphrase\n")


def lies_open(newsroom: Path) -> None:
    (newsroom.parent / "source-onion" / KEY).write_bytes(b"\0" * 96)


def under_git(newsroom: Path) -> None:
    (newsroom.parent / ".git").mkdir()


def comes_by_them(newsroom: Path) -> None:
    newsroom.write_text(newsroom.read_text().replace("192.0.2.7}", "192.0.2.7, ssh: onion}"))


def no_vault(newsroom: Path) -> None:
    newsroom.with_name("vault").unlink()


@pytest.mark.parametrize(
    ("harm", "words", "says"),
    [
        (leftover, ["clients"], "invitations/ada still holds keys"),
        (leftover, ["desk-onion"], "invitations/ada still holds keys"),
        (twice, ["source-onion"], "former-source-onion is there already"),
        (wrong_passphrase, ["source-onion"], "cannot be opened"),
        (lies_open, ["desk-onion"], "cannot be opened"),
        (no_vault, ["ssh-onion"], "was not found"),
        (under_git, ["clients"], "inside a git work tree"),
        (comes_by_them, ["ssh-onion"], "`make box` comes by the keys that this would end"),
        (comes_by_them, ["operators"], "write `ssh: open` under `box:`, and run `make box THROUGH=onion`"),
        (comes_by_them, ["operators", "operator"], "`make box` comes by the keys"),
    ],
)
def test_what_cannot_be_done_is_said_and_nothing_is_changed(
    newsroom: Path, harm: Callable[[Path], None], words: list[str], says: str
) -> None:
    harm(newsroom)
    before = files(newsroom.parent)
    done = rotate(newsroom, *words)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("rotate: error: ")
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert files(newsroom.parent) == before


@pytest.mark.parametrize("words", [["else"], ["source-onion", "ada"], ["clients", "nobody"]])
def test_what_is_no_drill_is_refused(newsroom: Path, words: list[str]) -> None:
    before = files(newsroom.parent)
    done = rotate(newsroom, *words)
    assert done.returncode in (1, 2)
    assert "error: " in done.stderr
    assert files(newsroom.parent) == before
