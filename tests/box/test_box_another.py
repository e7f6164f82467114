"""Another machine from the same folder is the same box, with the drops of the first: where Tor is blocked,
and by an operator who is not its root. One run serves all that."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.box_machine import FAILED, IN_A_CONTAINER, Box, found
from support.box_room import copied
from support.container import Container
from support.onions import VISITOR
from support.outside import ADDRESS, BOX, HERE, Outside
from support.relay_process import new_id
from support.small_edition import some_drop
from support.tornet import Network, Tor, until

pytestmark = IN_A_CONTAINER

SAME = "cat /var/lib/tor/*-onion/hostname; readlink -f /opt/knothole/edition"
TAKE = ("-e", "backup_take=true", "--start-at-task", "Make a folder for them on this side")
DOOR = 443  # the bridge's
BRIDGE = (
    *("SocksPort 0", "ExitRelay 0", "ContactInfo nobody@test.invalid", "NumCPUs 1", "AssumeReachable 1"),
    *("BridgeRelay 1", "PublishServerDescriptor 0", "ORPort 9001 IPv4Only", f"Address {ADDRESS}"),
    *("ExtORPort auto", "ServerTransportPlugin obfs4 exec /usr/bin/obfs4proxy"),
    f"ServerTransportListenAddr obfs4 {ADDRESS}:{DOOR}",
)
# One that is not there. Tor starts what finds the way to it, and may wait long before it asks the other.
WAY = "url=https://broker.invalid/ front=front.invalid ice=stun:stun.invalid:3478"
SNOWFLAKE = f"snowflake 192.0.2.3:80 {'2B' * 20} {WAY}"
# Of all that is out there, the box reaches the bridge alone; whatever else it tries is counted.
BLOCKED = f"""
table inet blocked {{
  chain input {{
    type filter hook input priority filter;
    iifname "far" ip daddr {ADDRESS} tcp dport != {DOOR} counter drop
  }}
}}
"""


@dataclass(frozen=True)
class Copy:
    """The drops of the first box, how they came here, and what else is to be the same."""

    file: Path
    id: str
    drop: bytes
    same: str


@pytest.fixture(scope="module")
def copy(box: Box) -> Copy:
    id_, drop = new_id(), some_drop(20_000, 2)
    assert box.ask("source", "PUT", f"/drops/{id_}/0?commit", drop).status == 201
    box.converge(*TAKE)
    (file,) = (box.newsroom.parent / "backup").iterdir()
    return Copy(file, id_, drop, box.machine.shell(SAME))


@dataclass(frozen=True)
class Another:
    box: Box
    visitor: Tor


@pytest.fixture(scope="module")
def another(
    debian: Path, copy: Copy, box: Box, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Another]:
    folder = tmp_path_factory.mktemp("another")
    path = copied(box.newsroom, folder / "newsroom")
    with (
        Container(debian, folder=folder / "another") as machine,
        Outside(machine) as outside,
        outside.entered(),
        Network(folder / "network", ADDRESS) as network,
    ):
        bridge = line_of(network.tor("bridge", BRIDGE))
        host = f"{{host: {BOX}, user: olga, bridges: ['{bridge}']}}"
        path.write_text(path.read_text().replace("{host: 192.0.2.7}", host))
        subprocess.run(["/usr/sbin/nft", "--file", "-"], input=BLOCKED, text=True, check=True)
        machine.shell("useradd --create-home olga; echo 'olga ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/olga")
        other = Box(machine, path)
        other.by_ssh("olga", folder)
        other.use(network.lines)
        other.converge("-e", f"backup_restore={copy.file}")
        yield Another(other, network.tor("visitor", VISITOR))


def line_of(bridge: Tor) -> str:
    """What newsroom.yaml says of it."""
    file = bridge.folder / "data/pt_state/obfs4_bridgeline.txt"
    until("the bridge does not open", file.exists, bridge.said)
    line = file.read_text().splitlines()[-1].removeprefix("Bridge ")
    where = {"<IP ADDRESS>": ADDRESS, "<PORT>": str(DOOR), "<FINGERPRINT>": bridge.info("fingerprint")}
    for blank, word in where.items():
        line = line.replace(blank, word)
    return line


def test_it_is_the_same_box_with_the_drops_of_the_first(another: Another, copy: Copy) -> None:
    box, shell = another.box, another.box.machine.shell
    assert box.ask("desk", "GET", f"/drops/{copy.id}").body == copy.drop
    assert shell("find /var/lib/knothole -not -user relay -o -perm /077") == ""
    assert shell(SAME) == copy.same
    assert shell(FAILED) == ""
    assert box.ask("sealer", "GET", "/en/send.html").status == 200


def test_it_starts_again_in_the_next_night_for_what_a_kernel_reads_at_its_start(another: Another) -> None:
    assert another.box.machine.run("test", "-e", "/run/reboot-required").returncode == 0


def test_its_operator_alone_becomes_root(another: Another) -> None:
    shell = another.box.machine.shell
    assert "sudo" in shell("id -nG olga").split()
    assert shell("stat -c '%a %U:%G' /usr/bin/sudo") == "4750 root:sudo"


def test_no_file_tells_from_where_its_operator_comes(another: Another) -> None:
    places = "/etc /home /opt /root /srv /usr /var"
    search = f"grep --recursive --devices=skip --files-with-matches --fixed-strings {HERE} {places}"
    assert another.box.machine.shell(f"{search} || test $? = 1") == ""


def test_its_operator_takes_the_drops_too(another: Another, copy: Copy) -> None:
    another.box.converge(*TAKE)
    (file,) = (another.box.newsroom.parent / "backup").iterdir()
    assert copy.drop[-1000:] in file.read_bytes()
    assert another.box.machine.shell("ls /home/olga") == ""


def test_an_operator_of_whom_sudo_wants_a_password_is_told(another: Another) -> None:
    shell = another.box.machine.shell
    shell("mv /etc/sudoers.d/olga /root")
    try:
        assert "olga may not become root without a password" in another.box.preflight()
    finally:
        shell("mv /root/olga /etc/sudoers.d")


def test_a_visitor_finds_it_though_it_reaches_the_bridge_alone(another: Another) -> None:
    onion = (another.box.newsroom.parent / "source-onion/hostname").read_text().strip()
    until("nobody finds the page", lambda: found(another.visitor, onion), another.box.tor_said)
    rules = json.loads(subprocess.run(["/usr/sbin/nft", "-j", "list", "ruleset"], capture_output=True).stdout)
    (counted,) = (
        one["counter"]["packets"]
        for entry in rules["nftables"]
        for one in entry.get("rule", {}).get("expr", [])
        if "counter" in one
    )
    assert counted == 0


def test_what_leads_tor_to_a_bridge_runs_as_tor(another: Another) -> None:
    path, shell = another.box.newsroom, another.box.machine.shell
    assert shell("ps -o user= -C obfs4proxy") == "debian-tor"
    path.write_text(path.read_text().replace("bridges: [", f"bridges: ['{SNOWFLAKE}', "))
    another.box.converge()
    # A name has 15 letters at most.
    until("snowflake never ran", lambda: shell("ps -o user= -C snowflake-clien || true") == "debian-tor")
