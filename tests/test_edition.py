"""Manifests, mastheads and their signatures (FORMAT.md section 6), also against Debian's minisign."""

import json
import re
import shutil
import subprocess
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import edition
from keys.age import HybridIdentity
from keys.edition import Content, Manifest, Terms
from keys.errors import BadEdition, BadIdentity, Forged
from keys.identity import Journalist, lock, unlock
from keys.masthead import Masthead, MastheadKey
from keys.newsroom import Newsroom, Recipient

KEY = MastheadKey(b"8 bytes!", bytes(range(32)))
OTHER = MastheadKey(b"8 bytes!", bytes(32))
TODAY = date(2027, 6, 30)
ADA = Journalist("ada", HybridIdentity(bytes(32))).public
NEWSROOM = Newsroom(
    name="The Lantern",
    operator={"en": "We do."},
    address="https://lantern.example/tips",
    languages=("en",),
    edition=3,
    expires=TODAY,
    id=KEY.public.newsroom,
    masthead=str(KEY.public),
    recipients=(Recipient(name="ada", recipient=str(ADA.recipient), signer=ADA.signer.hex()),),
)
FILES = {
    "/newsroom.json": Content(NEWSROOM.to_json(), "application/json", {}),
    "/en/index.html": Content(b"<p>", "text/html; charset=utf-8", {"X-Own": "1"}),
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A signed edition."""
    folder = tmp_path / "edition"
    edition.write(folder, NEWSROOM, {"Cache-Control": "no-store"}, FILES)
    edition.sign(folder, KEY)
    return folder


def test_a_signed_edition_is_verified(folder: Path) -> None:
    manifest = edition.verify(folder, KEY.public, TODAY, NEWSROOM.id)
    assert (manifest.newsroom, manifest.edition, manifest.expires) == (NEWSROOM.id, 3, TODAY)
    assert manifest.terms == Terms(
        stanzas=1, drop_bytes=2 << 30, retention_days=30, board_lines=512, board_post=4
    )
    assert [file.path for file in manifest.files] == ["/en/index.html", "/newsroom.json"]
    assert manifest.file("/en/index.html").headers == {"X-Own": "1"}


def test_the_manifest_is_as_the_format_says(folder: Path) -> None:
    data = (folder / "manifest.json").read_bytes()
    value = json.loads(data)
    assert data == (json.dumps(value, sort_keys=True, indent=1, ensure_ascii=False) + "\n").encode()
    assert set(value) == {"version", "newsroom", "edition", "expires", "terms", "headers", "files"}
    assert set(value["files"][0]) == {"path", "size", "sha256", "type", "headers"}
    assert value["expires"] == "2027-06-30"


def altered(folder: Path) -> None:
    (folder / "en/index.html").write_bytes(b"<b>")


def longer(folder: Path) -> None:
    with (folder / "en/index.html").open("ab") as file:
        file.write(b" ")


def gone(folder: Path) -> None:
    (folder / "en/index.html").unlink()


def added(folder: Path) -> None:
    (folder / "en/more.html").write_bytes(b"")


def link_added(folder: Path) -> None:
    (folder / "more").symlink_to("en")


def unsigned(folder: Path) -> None:
    (folder / "manifest.json.minisig").unlink()


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (altered, "/en/index.html is not what the newsroom signed"),
        (longer, "/en/index.html is not what the newsroom signed"),
        (gone, "/en/index.html is missing"),
        (added, "/en/more.html was added to it"),
        (link_added, "/more was added to it"),
        (unsigned, "/manifest.json.minisig is missing"),
    ],
)
def test_an_edition_that_is_not_whole_is_refused(
    folder: Path, spoil: Callable[[Path], None], says: str
) -> None:
    spoil(folder)
    with pytest.raises(BadEdition, match=says):
        edition.verify(folder, KEY.public, TODAY)


def test_an_edition_of_another_day_or_newsroom_is_refused(folder: Path) -> None:
    with pytest.raises(BadEdition, match="expired on 2027-06-30"):
        edition.verify(folder, KEY.public, date(2027, 7, 1))
    with pytest.raises(BadEdition, match="another newsroom"):
        edition.verify(folder, KEY.public, TODAY, "lantern")
    with pytest.raises(Forged, match="did not sign"):
        edition.verify(folder, OTHER.public, TODAY)
    with pytest.raises(Forged, match="another masthead"):
        edition.verify(folder, MastheadKey.generate().public, TODAY)


@pytest.mark.parametrize("field", ["newsroom", "edition", "expires", "stanzas", "board_post"])
def test_manifest_and_newsroom_json_must_agree(folder: Path, field: str) -> None:
    value = json.loads((folder / "manifest.json").read_bytes())
    value[field] = {"newsroom": "lantern", "edition": 4, "expires": "2028-01-01"}.get(field)
    if value[field] is None:
        del value[field]
        value["terms"][field] += 1
    data = (json.dumps(value, sort_keys=True, indent=1) + "\n").encode()
    (folder / "manifest.json").write_bytes(data)
    (folder / "manifest.json.minisig").write_text(KEY.sign(data, ""))
    with pytest.raises(BadEdition, match="do not agree"):
        edition.verify(folder, KEY.public, TODAY)


def test_only_its_own_masthead_signs(folder: Path) -> None:
    with pytest.raises(BadEdition, match="do not agree"):
        edition.sign(folder, OTHER)


@pytest.mark.parametrize(
    "path",
    [
        "en",
        "/",
        "//en",
        "/../en",
        "/en/../x",
        "/.git/x",
        "/en/",
        "/en\\x",
        "/é",
        "/a b",
        "/%2e",
        "/en/" + "x" * 101,
    ],
)
def test_a_manifest_names_plain_paths(folder: Path, path: str) -> None:
    text = (folder / "manifest.json").read_text()
    with pytest.raises(BadEdition, match="malformed"):
        Manifest.from_json(text.replace('"/en/index.html"', json.dumps(path, ensure_ascii=False)).encode())


def test_a_manifest_names_each_path_once_and_in_order(folder: Path) -> None:
    value = json.loads((folder / "manifest.json").read_bytes())
    for files in (value["files"][::-1], [*value["files"], {**value["files"][1], "type": "text/plain"}]):
        data = (json.dumps({**value, "files": files}, sort_keys=True, indent=1) + "\n").encode()
        with pytest.raises(BadEdition, match="twice, or out of order"):
            Manifest.from_json(data)


@given(st.data())
def test_any_bytes_are_a_manifest_or_refused(data: st.DataObject) -> None:
    right = Manifest(
        version=1,
        newsroom="lantern",
        edition=1,
        expires=TODAY,
        terms=Terms.of(NEWSROOM),
        headers={},
        files=(edition.File(path="/a", size=0, sha256="0" * 64, type="a", headers={}),),
    ).to_json()
    at = data.draw(st.integers(0, len(right)))
    spoiled = right[:at] + data.draw(st.binary(max_size=8)) + right[at + data.draw(st.integers(0, 8)) :]
    try:
        manifest = Manifest.from_json(spoiled)
    except BadEdition:
        return
    assert manifest.to_json() == spoiled


def test_minisign_accepts_ours(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "masthead.pub").write_text(KEY.public.to_file())
    said = subprocess.run(
        ["minisign", "-Vm", folder / "manifest.json", "-p", tmp_path / "masthead.pub"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"newsroom:{NEWSROOM.id}\tedition:3\texpires:2027-06-30" in said.stdout
    said = subprocess.run(
        ["minisign", "-QVm", folder / "manifest.json", "-P", str(KEY.public)],
        capture_output=True,
        text=True,
        check=True,
    )
    assert "edition:3" in said.stdout
    altered_manifest = tmp_path / "manifest.json"
    altered_manifest.write_bytes((folder / "manifest.json").read_bytes() + b" ")
    shutil.copy(folder / "manifest.json.minisig", tmp_path)
    refused = subprocess.run(
        ["minisign", "-Vm", altered_manifest, "-P", str(KEY.public)], capture_output=True, check=False
    )
    assert refused.returncode != 0


def minisign(folder: Path, *arguments: str) -> tuple[Masthead, str]:
    """A key of minisign's own, and its signature of a file that holds `hello`."""
    (folder / "file").write_bytes(b"hello")
    subprocess.run(
        ["minisign", "-G", "-W", "-f", "-p", "a.pub", "-s", "a.key"],
        cwd=folder,
        capture_output=True,
        check=True,
    )
    subprocess.run(
        ["minisign", "-S", *arguments, "-s", "a.key", "-m", "file"],
        cwd=folder,
        capture_output=True,
        stdin=subprocess.DEVNULL,
        check=True,
    )
    return Masthead.parse((folder / "a.pub").read_text()), (folder / "file.minisig").read_text()


def test_we_accept_minisigns(tmp_path: Path) -> None:
    masthead, signature = minisign(tmp_path)
    assert (tmp_path / "a.pub").read_text().split()[-2].zfill(16) == masthead.number
    assert "file:file" in masthead.verify(b"hello", signature)
    masthead, signature = minisign(tmp_path, "-t", "edition 12", "-c", "seen")
    assert masthead.verify(b"hello", signature) == "edition 12"
    with pytest.raises(Forged):
        masthead.verify(b"hellO", signature)


@pytest.mark.parametrize("key_id", [bytes.fromhex("01020304050607f8"), b"\x8a\xc3\x96[1f\x83\x02", bytes(8)])
def test_the_number_is_the_one_that_minisign_prints(tmp_path: Path, key_id: bytes) -> None:
    other = Masthead(key_id, bytes(32))
    minisign(tmp_path)
    refused = subprocess.run(
        ["minisign", "-Vm", "file", "-P", str(other)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert refused.returncode != 0
    printed = re.search("the key id in the public key is ([0-9A-F]+)\n", refused.stderr)
    assert printed is not None
    assert printed[1].zfill(16) == other.number


def test_the_older_form_is_refused(tmp_path: Path) -> None:
    masthead, signature = minisign(tmp_path, "-l")
    with pytest.raises(Forged, match="prehashed form"):
        masthead.verify(b"hello", signature)


@given(st.data())
def test_no_altered_signature_is_accepted(data: st.DataObject) -> None:
    signature = KEY.sign(b"hello", "edition:1")
    at = data.draw(st.integers(0, len(signature)))
    put = data.draw(st.text(max_size=3))
    spoiled = signature[:at] + put + signature[at + data.draw(st.integers(0, 3)) :]
    try:
        comment = KEY.public.verify(b"hello", spoiled)
    except Forged:
        return
    # The first line is called untrusted because nobody signed it; a last line feed says nothing.
    assert spoiled.rstrip("\n").split("\n")[1:] == signature.rstrip("\n").split("\n")[1:]
    assert comment == "edition:1"


@given(st.text())
def test_any_text_is_a_masthead_or_refused(text: str) -> None:
    with pytest.raises(Forged):
        Masthead.parse(text)
    with pytest.raises(BadIdentity):
        MastheadKey.parse(text)


def test_a_masthead_survives_its_files() -> None:
    key = MastheadKey.generate()
    assert Masthead.parse(key.public.to_file()) == key.public
    assert Masthead.parse(str(key.public)) == key.public
    assert MastheadKey.parse(unlock(lock(key.to_text(), b"passphrase", 4), b"passphrase")) == key
    assert key.to_text().splitlines()[1].startswith("MASTHEAD-SECRET-KEY-1")
    assert str(key.seed) not in repr(key)


def test_the_newsroom_id_is_the_mastheads_hash() -> None:
    # SHA-256 of the Ed25519 public key of seed 00 01 … 1f, by another program.
    public = KEY.public.key.hex()
    said = subprocess.run(
        ["sha256sum"], input=bytes.fromhex(public), capture_output=True, check=True
    ).stdout.decode()
    assert KEY.public.newsroom == said[:16]
