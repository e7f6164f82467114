"""The demo's onions: there for every visitor, or one sentence says why not and nothing is left."""

from __future__ import annotations

import socket
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from support import public_onion
from support.public_onion import NoOnion, PublicOnions, Service
from support.stage import Stage
from support.strands import strand

from keys.desk.keygen import new_client, new_onions

pytestmark = pytest.mark.onion
_NOWHERE = "DirAuthority nobody orport=1 v3ident=" + 40 * "A" + " 127.0.0.1:1 " + 40 * "B"


class Folder:
    """Where a demo keeps its onions."""

    def __init__(self, path: Path) -> None:
        (source, _), (desk, address), _ = new_onions(path)
        self.path = path
        self.services = [Service(source, path / "source.sock"), Service(desk, path / "desk.sock")]
        self.clients = path / "clients"
        self.clients.mkdir(mode=0o700)
        auth, _, _ = new_client("ada", address, self.clients)
        auth.rename(desk / "authorized_clients/ada.auth")
        self.said: list[str] = []

    def open(self, more: Sequence[str], patience: float) -> PublicOnions:
        given = {"more": more, "patience": patience, "say": self.said.append}
        return PublicOnions(self.path, self.services, self.clients, **given)  # type: ignore[arg-type]


@contextmanager
def made() -> Iterator[Folder]:
    # A socket's path has 107 bytes at most, and pytest's folders are deep.
    with tempfile.TemporaryDirectory(prefix="knothole-test-") as path:
        yield Folder(Path(path))


@pytest.fixture
def folder() -> Iterator[Folder]:
    with made() as one:
        yield one


@strand("demo")
def test_both_onions_are_published_and_reached(stage: Stage) -> None:
    with (
        made() as folder,
        socket.socket(socket.AF_UNIX) as source,
        socket.socket(socket.AF_UNIX) as desk,
        folder.open(stage.onions.network.lines, 60) as opened,
    ):
        for listener, service in zip((source, desk), folder.services, strict=True):
            listener.bind(str(service.socket))
            listener.listen()
        opened.reach()
        for listener in (source, desk):
            with listener.accept()[0] as arrived, arrived.makefile("rb") as lines:
                assert lines.readline().startswith(b"PROXY TCP6 ")
    assert "the visitor's tor: 100 %, Done" in folder.said
    assert "are with their directories" in folder.said[-1]


def test_a_tor_without_a_network_is_not_waited_for(folder: Folder) -> None:
    with pytest.raises(NoOnion, match=r"^tor cannot reach the network: the box's tor stood still at \d+ % "):
        folder.open([_NOWHERE], 1)
    assert not list(folder.path.rglob("control"))


def test_a_line_that_tor_does_not_know_is_named(folder: Folder) -> None:
    with pytest.raises(NoOnion, match=r"^tor does not start: .*Nonsense"):
        folder.open(["Nonsense 1"], 60)


def test_who_has_no_tor_is_told(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(public_onion, "TOR", str(folder.path / "no-tor"))
    with pytest.raises(NoOnion, match=r"^tor is not installed"):
        folder.open([], 60)
