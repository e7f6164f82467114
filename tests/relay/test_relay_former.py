"""What an onion says to which sources came before: where they go now, and nothing else."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.relay_process import RelayProcess, ask, new_id
from support.small_edition import some_drop, write_edition

NOTICES = {"/moved.html": b"<p>in English</p>", "/nl/moved.html": b"<p>in Dutch</p>"}
STYLE = {"/styles/page.css": b"p {}"}


def with_notice(folder: Path) -> Path:
    """An edition of which the small one is a part."""
    path = write_edition(folder) / "manifest.json"
    manifest = json.loads(path.read_bytes())
    for name, data in (NOTICES | STYLE).items():
        file = folder / name[1:]
        file.parent.mkdir(exist_ok=True)
        file.write_bytes(data)
        entry = {"path": name, "size": len(data), "sha256": hashlib.sha256(data).hexdigest()}
        manifest["files"].append(entry | {"type": "text/html; charset=utf-8", "headers": {}})
    path.write_text(json.dumps(manifest))
    (folder / "manifest.json.minisig").write_text("signed\n")
    return folder


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return with_notice(tmp_path_factory.mktemp("edition"))


@pytest.fixture(scope="module")
def relay(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RelayProcess]:
    place = tmp_path_factory.mktemp("relay")
    with RelayProcess(folder, place / "data", former=f"unix:{place}/former") as running:
        yield running
    assert (running.process.returncode, running.errors) == (0, "")


@pytest.fixture
def former(relay: RelayProcess) -> str:
    return f"unix:{relay.data.with_name('former')}"


@pytest.mark.parametrize(
    "path",
    ["/", "/index.html", "/en/send.html", "/en/", "/newsroom.json", "/board", "/de/x", "/moved.html?a", "/x"],
)
def test_every_page_is_the_notice(former: str, path: str) -> None:
    reply = ask(former, "GET", path)
    assert (reply.status, reply.body) == (200, NOTICES["/moved.html"])
    assert not {"date", "server", "location", "set-cookie"} & reply.headers.keys()
    assert reply.headers["cache-control"] == "no-store"


@pytest.mark.parametrize("path", ["/nl/send.html", "/nl/", "/nl/moved.html", "/nl/manifest.json"])
def test_it_is_in_the_language_that_was_asked_for(former: str, path: str) -> None:
    assert ask(former, "GET", path).body == NOTICES["/nl/moved.html"]


@pytest.mark.parametrize("path", ["/manifest.json", "/manifest.json.minisig", "/styles/page.css"])
def test_what_it_is_checked_by_is_there(relay: RelayProcess, former: str, path: str) -> None:
    assert ask(former, "GET", path) == ask(relay.source, "GET", path)


def test_nothing_is_taken(relay: RelayProcess, former: str) -> None:
    id_ = new_id()
    for method, path, body in (
        ("PUT", f"/drops/{id_}/0?commit", some_drop()),
        ("POST", f"/drops/{id_}", b'{"parts": 1, "size": 1}'),
        ("POST", "/board", b""),
        ("DELETE", f"/drops/{id_}", b""),
    ):
        reply = ask(former, method, path, body)
        assert (reply.status, reply.said) == (405, {"error": "nothing is taken here any more"})
    assert ask(relay.desk, "GET", "/drops").said["drops"] == []
    assert ask(relay.source, "GET", "/").body != NOTICES["/moved.html"]


def test_an_edition_that_says_nothing_of_it_is_not_served(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match=r"relay: error: the edition has no /moved\.html"):
        RelayProcess(write_edition(tmp_path / "edition"), tmp_path / "data", former=f"unix:{tmp_path}/former")
