"""The operator makes the onions' keys, and one client key a journalist."""

import base64
from pathlib import Path

import pytest
from nacl.public import PrivateKey
from support.newsdesk import run

from keys.onion import ClientKey, ServiceKey

ADDRESS = ServiceKey.generate().address
SECRETS = ("ada.auth_private", "ada.tor-browser")


def test_an_invitation_has_a_half_for_the_box_and_one_for_the_journalist(tmp_path: Path) -> None:
    done = run("invite", "ada", "--onion", ADDRESS, "-o", tmp_path, passphrase=None)
    assert (done.status, done.err) == (0, "")
    files = {path.name: path.read_text() for path in tmp_path.iterdir()}
    assert files.keys() == {"ada.auth", *SECRETS}
    assert {path.stat().st_mode & 0o777 for path in tmp_path.iterdir()} == {0o600}
    address, key = ClientKey.parse(files["ada.auth_private"])
    assert address == ADDRESS
    assert files["ada.tor-browser"] == f"{key.prompt}\n"
    public = base64.b32encode(bytes(PrivateKey(key.secret).public_key)).decode().rstrip("=")
    assert files["ada.auth"] == f"descriptor:x25519:{public}\n"
    assert all(name in done.out for name in files)
    assert key.prompt not in done.out


def test_every_invitation_is_another(tmp_path: Path) -> None:
    for name in ("ada", "bea"):
        assert run("invite", name, "--onion", ADDRESS, "-o", tmp_path, passphrase=None).status == 0
    assert (tmp_path / "ada.auth").read_text() != (tmp_path / "bea.auth").read_text()


@pytest.mark.parametrize("there", ["ada.auth", *SECRETS])
def test_an_invitation_overwrites_nothing(tmp_path: Path, there: str) -> None:
    (tmp_path / there).write_text("precious")
    done = run("invite", "ada", "--onion", ADDRESS, "-o", tmp_path, passphrase=None)
    assert done.status == 1
    assert f"{there} is there already" in done.err
    assert [path.read_text() for path in tmp_path.iterdir()] == ["precious"]


@pytest.mark.parametrize(
    ("name", "onion", "said"),
    [
        ("ada", ADDRESS[1:], "this is not an onion address or key"),
        ("ada", "http://" + ADDRESS, "this is not an onion address or key"),
        ("../ada", ADDRESS, "is not a name such as ada"),
        ("ada\n", ADDRESS, "is not a name such as ada"),
        ("nobody", ADDRESS, "nobody is nobody's name"),
    ],
)
def test_what_is_no_name_or_address_is_refused(tmp_path: Path, name: str, onion: str, said: str) -> None:
    done = run("invite", name, "--onion", onion, "-o", tmp_path, passphrase=None)
    assert done.status == 1
    assert said in done.err
    assert list(tmp_path.iterdir()) == []


def test_the_onions_are_three_folders_as_tor_has_them(tmp_path: Path) -> None:
    done = run("keygen", "--onions", "-o", tmp_path, passphrase=None)
    assert (done.status, done.err) == (0, "")
    folders = [tmp_path / f"{name}-onion" for name in ("source", "desk", "ssh")]
    assert sorted(tmp_path.iterdir()) == sorted(folders)
    for folder in folders:
        files = {path.name: path for path in folder.iterdir() if path.is_file()}
        assert folder.stat().st_mode & 0o777 == 0o700
        assert {path.stat().st_mode & 0o777 for path in files.values()} == {0o600}
        key = ServiceKey.parse(files["hs_ed25519_secret_key"].read_bytes())
        assert key.files() == {name: path.read_bytes() for name, path in files.items()}
        assert f"{folder} is {key.address}" in done.out
    assert len({(folder / "hostname").read_text() for folder in folders}) == 3


@pytest.mark.parametrize("onion", ["desk-onion", "ssh-onion"])
def test_an_onion_is_closed_before_anybody_is_invited(tmp_path: Path, onion: str) -> None:
    """To tor, a folder without clients means that everybody may come."""
    assert run("keygen", "--onions", "-o", tmp_path, passphrase=None).status == 0
    clients = tmp_path / onion / "authorized_clients"
    assert clients.stat().st_mode & 0o777 == 0o700
    assert [path.name for path in clients.iterdir()] == ["nobody.auth"]
    assert (clients / "nobody.auth").read_text().startswith("descriptor:x25519:")
    assert not (tmp_path / "source-onion/authorized_clients").exists()


def test_onions_overwrite_nothing(tmp_path: Path) -> None:
    (tmp_path / "desk-onion").mkdir()
    assert "is there already" in run("keygen", "--onions", "-o", tmp_path, passphrase=None).err
    assert list(tmp_path.rglob("*")) == [tmp_path / "desk-onion"]


@pytest.mark.parametrize("words", [["invite", "ada", "--onion", ADDRESS], ["keygen", "--onions"]])
def test_no_onion_key_is_written_where_git_looks(tmp_path: Path, words: list[str]) -> None:
    (tmp_path / ".git").mkdir()
    assert "is inside a git work tree" in run(*words, "-o", tmp_path, passphrase=None).err
    assert list(tmp_path.iterdir()) == [tmp_path / ".git"]
