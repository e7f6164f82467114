"""The edition in memory: what its manifest says, or nothing."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from support.relay_process import RelayProcess
from support.small_edition import PAGES, POLICY, TERMS, write_edition

from relay.edition import load
from relay.errors import BadEdition


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_edition(tmp_path / "edition")


def change(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    manifest = json.loads((folder / "manifest.json").read_text())
    edit(manifest)
    (folder / "manifest.json").write_text(json.dumps(manifest))


def test_every_file_and_every_index_by_its_path(folder: Path) -> None:
    (folder / "manifest.json.minisig").write_bytes(b"signed\n")
    edition = load(folder)
    assert set(edition.files) == {
        *PAGES,
        "/",
        "/en/",
        "/manifest.json",
        "/manifest.json.minisig",
    }
    assert edition.files["/en/"] == edition.files["/en/index.html"]
    assert edition.files["/en/send.html"].body == PAGES["/en/send.html"]
    assert edition.files["/manifest.json"].body == (folder / "manifest.json").read_bytes()
    assert (edition.number, edition.expires) == (7, "2099-12-31")
    assert edition.terms.stanzas == TERMS["stanzas"]


def test_a_files_own_headers_win(folder: Path) -> None:
    head = load(folder).files["/"].head.decode()
    assert "Cache-Control: no-cache\r\n" in head
    assert "no-store" not in head
    assert f"Content-Security-Policy: {POLICY}\r\n" in head
    assert "Content-Type: text/html; charset=utf-8\r\n" in head


TRICKS = (
    "/../x|/en/../index.html|//index.html|/en//x|index.html|/.|/en/..|/||/%2e|/a?b|/a\\b|/a\0b|/ |/é|/a\n"
)


@pytest.mark.parametrize("path", TRICKS.split("|"))
def test_a_path_that_is_not_plain(folder: Path, path: str) -> None:
    change(folder, lambda manifest: manifest["files"][0].update(path=path))
    with pytest.raises(BadEdition, match="not a plain path"):
        load(folder)


def set_header(name: str, value: object) -> Callable[[dict[str, Any]], object]:
    return lambda manifest: manifest["headers"].update({name: value})


@pytest.mark.parametrize(
    "edit",
    [
        lambda manifest: manifest["files"][0].update(size=1),
        lambda manifest: manifest["files"][0].update(sha256="0" * 64),
        lambda manifest: manifest["files"][0].update(path="/missing.html"),
        lambda manifest: manifest["files"][0].update(type=7),
        lambda manifest: manifest["files"][0].update(type="text/html\r\nServer: x"),
        lambda manifest: manifest["files"].append(7),
        lambda manifest: manifest.pop("files"),
        lambda manifest: manifest.update(headers=[1]),
        lambda manifest: manifest.update(edition="x"),
        lambda manifest: manifest["terms"].pop("stanzas"),
        lambda manifest: manifest["terms"].update(stanzas=0),
        lambda manifest: manifest["terms"].update(board_lines=True),
        lambda manifest: manifest["terms"].update(board_post=10_000),
        set_header("X", "a\r\nSet-Cookie: b"),
        set_header("X", 7),
        set_header("X y", "a"),
        set_header("Set-Cookie", "a"),
        set_header("Date", "now"),
        set_header("content-length", "7"),
    ],
)
def test_a_manifest_that_does_not_hold(folder: Path, edit: Callable[[dict[str, Any]], object]) -> None:
    change(folder, edit)
    with pytest.raises(BadEdition):
        load(folder)


@pytest.mark.parametrize("text", ["", "[]", "7", "{", "[" * 5000, "\udcff"])
def test_a_manifest_that_is_none(folder: Path, text: str) -> None:
    (folder / "manifest.json").write_bytes(text.encode(errors="surrogateescape"))
    with pytest.raises(BadEdition):
        load(folder)


def test_a_page_that_was_altered(folder: Path) -> None:
    page = folder / "en" / "send.html"
    page.write_bytes(page.read_bytes().replace(b"guidance", b"guidanse", 1))
    with pytest.raises(BadEdition, match=r"/en/send\.html"):
        load(folder)


def test_the_relay_does_not_start_with_it(folder: Path, tmp_path: Path) -> None:
    (folder / "index.html").unlink()
    with pytest.raises(RuntimeError, match=r"relay: error: index\.html cannot be read"):
        RelayProcess(folder, tmp_path / "data")
