"""What tor does for the relay, and says to who looks after the box: over a real Tor network."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from stem.descriptor.hidden_service import HiddenServiceDescriptorV3
from support.onions import Onions, socks_port, visit
from support.relay_process import ask, new_id
from support.tornet import Tor

from keys.onion import ServiceKey
from relay.__main__ import main

pytestmark = pytest.mark.onion


def status(onions: Onions, folder: Path, **changes: str) -> tuple[int, Any]:
    """What `python -m relay status --json` exits with and says."""
    given = {
        "edition": onions.house.edition,
        "data": onions.relay.data,
        "source": onions.relay.source,
        "desk": onions.relay.desk,
        "circuits": "haproxy",
        "control": f"unix:{onions.tor.folder}/control",
        "source_onion": onions.source_onion,
        "desk_onion": onions.desk_onion,
    }
    settings = folder / "relay.yaml"
    settings.write_text("".join(f"{key}: {value}\n" for key, value in (given | changes).items()))
    with redirect_stdout(io.StringIO()) as said:
        exit_status = main(["status", "--json", str(settings)])
    return exit_status, json.loads(said.getvalue())


def test_a_box_that_does_its_work(onions: Onions, tmp_path: Path) -> None:
    exit_status, said = status(onions, tmp_path)
    assert (exit_status, said["ok"], said["problems"]) == (0, True, [])
    assert said["relay"]["edition"] == 1
    assert said["tor"]["progress"] == 100
    for name in ("source", "desk"):
        onion = said["tor"]["onions"][name]
        assert (onion["served"], onion["found"]) == (True, True)
        assert (
            timedelta(0) <= datetime.now(UTC) - datetime.fromisoformat(onion["uploaded"]) < timedelta(hours=2)
        )


def test_an_onion_that_this_box_does_not_serve(onions: Onions, tmp_path: Path) -> None:
    exit_status, said = status(onions, tmp_path, desk_onion=ServiceKey.generate().address)
    assert exit_status == 1
    assert [one["sentence"] for one in said["problems"]] == [
        "tor does not serve the desk onion that the settings name"
    ]


def test_a_box_whose_tor_is_down(onions: Onions, tmp_path: Path) -> None:
    ended = Tor(tmp_path / "tor", ["DisableNetwork 1", "SocksPort 0"])
    with ended.control():
        ended.stop()
    exit_status, said = status(onions, tmp_path, control=f"unix:{ended.folder}/control")
    assert exit_status == 1
    assert said["tor"] is None
    assert said["problems"][0]["sentence"].startswith("tor is not running")


def begin_drops(count: int) -> bytes:
    """Requests that each begin a drop."""
    asks = (
        f"PUT /drops/{new_id()}/0 HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\n\r\nx" for _ in range(count)
    )
    return "".join(asks).encode()


def test_an_abusive_circuit_is_closed_by_its_number_and_no_other(onions: Onions) -> None:
    """The number that tor's line gives the relay is the one that CLOSECIRCUIT takes."""
    port = socks_port(onions.source)
    with (
        onions.tor.control() as control,
        visit(port, onions.source_onion) as spent,
        visit(port, onions.source_onion) as abusive,
    ):
        said = [ask(spent, "PUT", f"/drops/{new_id()}/0", b"x").status for _ in range(12)]
        assert said == [*8 * [204], *4 * [503]]
        control.ask("SETEVENTS CIRC")
        abusive.sock.sendall(begin_drops(150))
        # At the box: the visitor may hear of it much later, when the relays between have more to pass on.
        while "REASON=REQUESTED" not in (event := control.event()):
            pass
        assert event[2] == "CLOSED"
        assert "PURPOSE=HS_SERVICE_REND" in event
        assert ask(spent, "GET", "/").status == 200
    with visit(port, onions.source_onion) as again:
        assert ask(again, "GET", "/").status == 200


@pytest.mark.filterwarnings("ignore:datetime.datetime.utcfromtimestamp:DeprecationWarning")  # of stem's
def test_a_visitor_is_told_how_to_prove_work(onions: Onions) -> None:
    """From the descriptor that a directory gave to a visitor's tor."""
    name = onions.source_onion.removesuffix(".onion")
    with visit(socks_port(onions.source), onions.source_onion):
        got = onions.source.info(f"hs/client/desc/id/{name}")
    inner = HiddenServiceDescriptorV3.from_str(got.strip() + "\n").decrypt(onions.source_onion)
    kind, seed, _, expires = next(
        line.split()[1:] for line in str(inner).splitlines() if line.startswith("pow-params ")
    )
    assert kind == "v1"
    assert len(seed) == 44
    assert datetime.fromisoformat(f"{expires}+00:00") > datetime.now(UTC)


def test_nobody_can_have_tor_run_a_program(onions: Onions) -> None:
    with pytest.raises(RuntimeError, match="changing NoExec is not allowed"):
        onions.tor.ask("SETCONF NoExec=0")
