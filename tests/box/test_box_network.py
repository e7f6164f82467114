"""Who gets out of the box and who gets in: tried as each of its users, and from a neighbour's network."""

import asyncio
import json
import subprocess
import sys
from collections.abc import Iterator

import pytest
from support.box_machine import IN_A_CONTAINER, Box
from support.outside import ADDRESS, ADDRESS6, BOX, BOX6, Outside

pytestmark = IN_A_CONTAINER

OUT = """
import socket, sys
host, port, kind = sys.argv[1:]
family = socket.AF_INET6 if ":" in host else socket.AF_INET
wire = socket.socket(family, socket.SOCK_STREAM if kind == "tcp" else socket.SOCK_DGRAM)
wire.settimeout(10)
wire.connect((host, int(port)))
wire.send(b"x")
"""
# How a no of the firewall ends: at once for a datagram, by its answer for a connection; by IPv6 it is heard
# with the second try, a second later.
KEPT = ("PermissionError", "OSError")
AWAY = {
    "the web": ((ADDRESS, ADDRESS6), "443", "tcp"),
    "names": ((ADDRESS, ADDRESS6), "53", "udp"),
    "the time": ((ADDRESS, ADDRESS6), "123", "udp"),
    "tor's port": (("127.0.0.1",), "9050", "tcp"),
    "ssh's port": (("127.0.0.1", "::1"), "22", "tcp"),
}
MAY = {
    "debian-tor": {"the web", "tor's port", "ssh's port"},
    "systemd-timesync": {"names", "the time"},
    "_apt": {"tor's port"},
}
USERS = [*MAY, "root", "relay", "sealer", "health", "nobody", "www-data", "systemd-network"]


@pytest.fixture(scope="module")
def outside(box: Box) -> Iterator[Outside]:
    with Outside(box.machine) as outside:
        yield outside


@pytest.mark.parametrize("where", AWAY)
@pytest.mark.parametrize("user", USERS)
def test_who_may_go_out_goes_and_nobody_else(box: Box, outside: Outside, user: str, where: str) -> None:
    addresses, port, kind = AWAY[where]
    for address in addresses:
        done = box.as_user(user, OUT, address, port, kind)
        said = done.stderr.splitlines()[-1] if done.stderr else ""
        # What the firewall lets through meets a machine where nobody listens.
        through = done.returncode == 0 or said.startswith("ConnectionRefusedError")
        assert through == (where in MAY.get(user, set())), (address, said)
        assert through or said.startswith(KEPT), (address, said)


@pytest.mark.parametrize("box_address", [BOX, BOX6], ids=["IPv4", "IPv6"])
def test_a_neighbour_finds_ssh_and_nothing_else(box: Box, outside: Outside, box_address: str) -> None:
    box.machine.shell(
        "systemd-run --quiet --unit=listener --property=PrivateTmp=yes python3 -m http.server --bind :: 888; "
        "for i in $(seq 100); do ss -ltn | grep -q :888 && exit 0; sleep 0.1; done; exit 1"
    )
    try:
        with outside.entered():
            assert open_ports(box_address, [*range(1, 1025), 3000, 8000, 8080, 9050, 9051, 9100]) == [22]
    finally:
        box.machine.shell("systemctl stop listener")


def open_ports(address: str, ports: list[int]) -> list[int]:
    """Those of the box at which somebody answers, yes or no."""

    async def answers(port: int) -> bool:
        try:
            _, wire = await asyncio.wait_for(asyncio.open_connection(address, port), 2)
        except TimeoutError:
            return False
        except ConnectionRefusedError:
            return True
        wire.close()
        return True

    async def all_of_them() -> list[bool]:
        return await asyncio.gather(*map(answers, ports))

    return [port for port, found in zip(ports, asyncio.run(all_of_them()), strict=True) if found]


ECHO = f"""
import socket
wire = socket.socket(type=socket.SOCK_RAW, proto=socket.IPPROTO_ICMP)
wire.settimeout(1)
wire.sendto(b"\\x08\\0\\xf7\\xff\\0\\0\\0\\0", ("{BOX}", 0))
wire.recv(100)
"""


def test_a_neighbour_gets_no_echo(outside: Outside) -> None:
    with outside.entered():
        done = subprocess.run([sys.executable, "-c", ECHO], capture_output=True, text=True)
    assert "TimeoutError" in done.stderr


def test_what_is_refused_is_counted_and_not_logged(box: Box, outside: Outside) -> None:
    rules = json.loads(box.machine.shell("nft --json list ruleset"))["nftables"]
    exprs = [one for entry in rules if "rule" in entry for one in entry["rule"]["expr"]]
    counted = [one["counter"]["packets"] for one in exprs if "counter" in one]
    assert len(counted) == 4
    assert sum(counted) > 0
    assert not any("log" in one for one in exprs)


@pytest.mark.parametrize("chain", ["input", "forward", "output"])
def test_what_no_rule_names_is_dropped(box: Box, chain: str) -> None:
    assert "policy drop" in box.machine.shell(f"nft list chain inet knothole {chain}")


def test_only_these_listen(box: Box) -> None:
    said = box.machine.shell("ss -Hlntu")
    listening = {tuple(line.split()[0::4][:2]) for line in said.splitlines()}
    assert listening == {("tcp", "0.0.0.0:22"), ("tcp", "[::]:22"), ("tcp", "127.0.0.1:9050")}
