"""Systemd, where it waits for relay or sealer, hears when their sockets are open."""

import socket
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from support.lane import Lane
from support.relay_process import RelayProcess, ask
from support.sealer_process import SealerProcess

from relay.errors import CannotServe
from relay.ready import tell_systemd

Start = Callable[[str], AbstractContextManager[RelayProcess | SealerProcess]]


@pytest.fixture
def systemd(tmp_path: Path) -> Iterator[socket.socket]:
    """Its end."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind(str(tmp_path / "notify"))
        wire.settimeout(30)
        yield wire


@pytest.fixture(params=["relay", "sealer"])
def start(request: pytest.FixtureRequest, edition: Path, lane: Lane, tmp_path: Path) -> Start:
    """Starts one of them, given where it is to say that it is ready."""

    def of(notify: str) -> RelayProcess | SealerProcess:
        wrap = ("env", f"NOTIFY_SOCKET={notify}")
        if request.param == "relay":
            return RelayProcess(edition, tmp_path / "data", wrap=wrap)
        return SealerProcess(lane.house.edition, lane.house.relay.source, tmp_path / "sealer.yaml", wrap=wrap)

    return of


def test_it_is_heard_that_the_sockets_are_open(start: Start, systemd: socket.socket, tmp_path: Path) -> None:
    with start(str(tmp_path / "notify")) as running:
        assert systemd.recv(100) == b"READY=1"
        address = running.source if isinstance(running, RelayProcess) else running.address
        assert ask(address, "GET", "/").status < 500


def test_who_cannot_be_heard_does_not_go_on(start: Start, tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="systemd cannot be told that the sockets are open: No such file"):
        start(str(tmp_path / "nobody"))


def test_a_socket_in_no_folder_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    name = f"knothole-{id(object())}"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
        wire.bind(f"\0{name}")
        monkeypatch.setenv("NOTIFY_SOCKET", f"@{name}")
        tell_systemd()
        wire.settimeout(30)
        assert wire.recv(100) == b"READY=1"
    with pytest.raises(CannotServe):
        tell_systemd()
