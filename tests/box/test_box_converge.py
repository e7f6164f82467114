"""A fresh Debian 13 becomes the box: by the whole playbook, in a container that systemd boots."""

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.box_machine import IN_A_CONTAINER, Box
from support.container import Container
from support.relay_process import new_id
from support.small_edition import some_drop

pytestmark = IN_A_CONTAINER

SERVICES = ("relay", "sealer")


@pytest.fixture(scope="module")
def box(made: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with made.machine.another(tmp_path_factory.mktemp("machines") / "first") as machine:
        yield Box(machine, made.newsroom)


def test_the_second_run_changes_nothing(box: Box) -> None:
    assert " changed=0 " in box.converge(), box.said


def test_asked_what_would_change_it_says_nothing_would(box: Box) -> None:
    assert " changed=0 " in box.converge("--check", "--diff"), box.said


def test_what_should_run_runs_and_nothing_failed(box: Box) -> None:
    units = (
        "knothole-relay knothole-sealer knothole-health.timer tor@default nftables apt-daily-upgrade.timer"
    )
    assert box.machine.shell(f"systemctl is-active {units}").split() == ["active"] * len(units.split())
    assert box.machine.shell(f"systemctl is-enabled {units.replace('tor@default', 'tor')}").split() == [
        "enabled"
    ] * len(units.split())
    assert box.machine.shell("systemctl --failed --no-legend --plain | cut -d' ' -f1") == ""


@pytest.mark.parametrize("unit", [*SERVICES, "health"])
def test_a_unit_is_hardly_exposed(box: Box, unit: str) -> None:
    said = box.machine.shell(f"systemd-analyze security --no-pager knothole-{unit}.service | tail -1")
    score = re.search(r": ([0-9.]+) ", said)
    assert score is not None
    assert float(score[1]) <= 1.0


@pytest.mark.parametrize("unit", SERVICES)
def test_its_process_is_what_the_unit_says(box: Box, unit: str) -> None:
    pid = box.machine.shell(f"systemctl show -p MainPID --value knothole-{unit}")
    status = dict(line.split(":\t", 1) for line in box.machine.shell(f"cat /proc/{pid}/status").splitlines())
    uid = box.machine.shell(f"id -u {unit}")
    assert set(status["Uid"].split()) == {uid} != {"0"}
    assert status["Groups"].split() in ([], [box.machine.shell(f"id -g {unit}")])
    assert status["CapEff"] == status["CapBnd"] == "0" * 16
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2")
    # Of networks it has a loopback of its own, on which nobody else is.
    links = box.machine.shell(f"nsenter -t {pid} -n ip -brief link").splitlines()
    assert [link.split()[0] for link in links] == ["lo"]
    assert box.machine.shell(f"readlink /proc/{pid}/ns/net") != box.machine.shell("readlink /proc/1/ns/net")


def test_the_edition_is_served_and_the_status_told(box: Box) -> None:
    page = (box.newsroom.parent / "out/edition/en/send.html").read_bytes()
    assert box.request("source", "GET /en/send.html") == (200, page)
    status, said = box.request("desk", "GET /status")
    assert (status, json.loads(said)["edition"]) == (200, 3)
    assert box.request("sealer", "GET /en/send.html")[0] == 200


def test_a_drop_is_kept_and_given_to_desks_alone(box: Box) -> None:
    id_, drop = new_id(), some_drop(20_000, 2)
    assert box.request("source", f"PUT /drops/{id_}/0?commit", drop)[0] == 201
    assert box.request("source", f"GET /drops/{id_}")[0] in (404, 405)
    assert box.request("desk", f"GET /drops/{id_}") == (200, drop)
    box.machine.shell("systemctl restart knothole-relay")
    assert box.request("desk", f"GET /drops/{id_}") == (200, drop)
    assert box.request("desk", f"DELETE /drops/{id_}")[0] == 204


@pytest.mark.parametrize("unit", SERVICES)
def test_what_is_killed_comes_back(box: Box, unit: str) -> None:
    socket_ = "source" if unit == "relay" else unit
    old = box.machine.shell(f"systemctl show -p MainPID --value knothole-{unit}")
    box.machine.shell(f"systemctl kill -s KILL knothole-{unit}")
    box.machine.shell(
        f"for i in $(seq 150); do new=$(systemctl show -p MainPID --value knothole-{unit}); "
        f'[ "$new" != 0 ] && [ "$new" != {old} ] && exit 0; sleep 0.2; done; exit 1'
    )
    assert box.request(socket_, "GET /en/send.html")[0] == 200


@pytest.mark.parametrize(
    ("user", "path", "may"),
    [
        ("debian-tor", "/run/knothole/source/socket", True),
        ("debian-tor", "/run/knothole/desk/socket", True),
        ("debian-tor", "/run/knothole/sealer/socket", True),
        ("sealer", "/run/knothole/source/socket", True),
        ("sealer", "/run/knothole/desk/socket", False),
        ("sealer", "/run/tor/control", False),
        ("relay", "/run/tor/control", False),
        ("relay", "/run/knothole/sealer/socket", False),
        ("health", "/run/knothole/desk/socket", False),
        ("nobody", "/run/knothole/source/socket", False),
        ("_apt", "/run/knothole/desk/socket", False),
    ],
)
def test_a_socket_is_for_those_it_is_meant_for(box: Box, user: str, path: str, may: bool) -> None:
    done = as_user(box, user, f"import socket; socket.socket(socket.AF_UNIX).connect('{path}')")
    assert (done.returncode == 0) == may, done.stderr
    assert may or "PermissionError" in done.stderr


def as_user(box: Box, user: str, program: str, *words: str) -> subprocess.CompletedProcess[str]:
    """A Python program with a user's rights, and those of their own group alone."""
    group = box.machine.shell(f"id -g {user}")
    be = ("setpriv", f"--reuid={user}", f"--regid={group}", "--clear-groups")
    return box.machine.run(*be, "python3", "-c", program, *words)


@pytest.mark.parametrize(
    ("path", "mode"),
    [
        ("/var/lib/knothole", "700 relay:relay"),
        ("/var/lib/tor/source-onion", "700 debian-tor:debian-tor"),
        ("/var/lib/tor/source-onion/hs_ed25519_secret_key", "600 debian-tor:debian-tor"),
        ("/var/lib/tor/desk-onion/hs_ed25519_secret_key", "600 debian-tor:debian-tor"),
        ("/var/lib/tor/desk-onion/authorized_clients", "700 debian-tor:debian-tor"),
        ("/etc/knothole/relay.yaml", "600 root:root"),
        ("/etc/tor/torrc", "640 root:debian-tor"),
        ("/opt/knothole/editions", "755 root:root"),
        ("/opt/knothole/relay/current/bin/python", "777 root:root"),
        ("/etc/ssh/sshd_config.d/10-knothole.conf", "600 root:root"),
    ],
)
def test_a_file_belongs_to_whom_it_should(box: Box, path: str, mode: str) -> None:
    assert box.machine.shell(f"stat -c '%a %U:%G' {path}") == mode


def test_nothing_that_runs_can_be_written_by_whom_it_runs_as(box: Box) -> None:
    for user in (*SERVICES, "health", "debian-tor"):
        assert box.machine.shell(f"find /opt/knothole /etc/knothole -user {user} -o -group {user}") == ""
    assert box.machine.shell("find /opt/knothole /etc/knothole -not -type l -perm /022") == ""


def test_no_installer_is_left(box: Box) -> None:
    for program in SERVICES:
        assert box.machine.run(f"/opt/knothole/{program}/current/bin/python", "-Im", "pip").returncode != 0
    assert box.machine.shell("ls /opt/knothole") == "edition\neditions\nrelay\nsealer"


def test_no_secret_was_said(box: Box) -> None:
    keys = [
        box.machine.run("base64", "-w0", f"/var/lib/tor/{name}-onion/hs_ed25519_secret_key")
        for name in ("source", "desk")
    ]
    for key in keys:
        assert key.returncode == 0
        assert len(key.stdout) == 128
        assert key.stdout[44:] not in box.said


OUT = "import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 2)"


@pytest.mark.parametrize(
    ("user", "where", "may"),
    [
        ("debian-tor", ("198.51.100.9", "443"), True),
        ("root", ("198.51.100.9", "443"), False),
        ("relay", ("198.51.100.9", "443"), False),
        ("sealer", ("198.51.100.9", "443"), False),
        ("_apt", ("198.51.100.9", "80"), False),
        ("_apt", ("127.0.0.1", "9050"), True),
        ("root", ("127.0.0.1", "9050"), False),
        ("relay", ("127.0.0.1", "9050"), False),
        ("nobody", ("127.0.0.1", "22"), False),
    ],
)
def test_who_may_go_out_goes_and_nobody_else(box: Box, user: str, where: tuple[str, str], may: bool) -> None:
    # A net that swallows all: what the firewall lets through is lost there, and what it keeps in is refused.
    links = "ip link add nowhere type veth peer name hole; ip link set nowhere up; ip link set hole up"
    at = "ip addr add 198.51.100.1/24 dev nowhere"
    there = "ip neigh add 198.51.100.9 lladdr 02:00:00:00:00:09 dev nowhere"
    box.machine.shell(f"ip link show nowhere >/dev/null 2>&1 || {{ {links}; {at}; {there}; }}")
    done = as_user(box, user, OUT, *where)
    assert (done.returncode == 0 or "TimeoutError" in done.stderr) == may, done.stderr
    assert may or "OSError" in done.stderr or "ConnectionRefusedError" in done.stderr, done.stderr


@pytest.fixture
def neighbour(box: Box) -> Iterator[str]:
    """A network of its own at the other end of a cable to the box, which is 10.99.0.2 there."""
    name = f"knothole-{box.machine.pid}"
    pid = str(box.machine.pid)
    inside = ["nsenter", "-t", pid, "-n", "ip"]
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        cable = ["link", "add", "far", "netns", name, "type", "veth", "peer", "name", "near", "netns", pid]
        subprocess.run(["ip", *cable], check=True)
        for words, address, link in (
            (["ip", "-n", name], "10.99.0.1/24", "far"),
            (inside, "10.99.0.2/24", "near"),
        ):
            subprocess.run([*words, "addr", "add", address, "dev", link], check=True)
            subprocess.run([*words, "link", "set", link, "up"], check=True)
        yield name
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def test_a_neighbour_finds_ssh_and_nothing_else(box: Box, neighbour: str) -> None:
    listen = "systemd-run --quiet --unit=listener --property=PrivateTmp=yes python3 -m http.server 8888"
    box.machine.shell(
        f"{listen}; for i in $(seq 100); do ss -ltn | grep -q :8888 && exit 0; sleep 0.1; done; exit 1"
    )
    try:
        there = {
            port: subprocess.run(
                ["ip", "netns", "exec", neighbour, "python3", "-c", OUT, "10.99.0.2", str(port)],
                capture_output=True,
                text=True,
            )
            for port in (22, 80, 8080, 8888, 9050)
        }
    finally:
        box.machine.shell("systemctl stop listener")
    assert there.pop(22).returncode == 0
    assert all("TimeoutError" in one.stderr for one in there.values())


def test_it_is_small(box: Box) -> None:
    kib = "cat /proc/[0-9]*/smaps_rollup 2>/dev/null | awk '/^Pss:/ {all += $2} END {print all}'"
    assert int(box.machine.shell(kib)) < 256 << 10


def test_nothing_is_kept_of_what_was(box: Box) -> None:
    assert box.machine.shell("ls -d /var/log/journal 2>/dev/null || true") == ""
    assert box.machine.shell("tail -n +2 /proc/swaps") == ""
    assert box.machine.shell(
        "ls /etc/apt/sources.list.d /etc/apt/sources.list 2>/dev/null || true"
    ).split() == [
        "/etc/apt/sources.list.d:",
        "knothole.sources",
    ]


def test_the_box_too_refuses_what_the_masthead_did_not_sign(box: Box) -> None:
    manifest = box.machine.shell("readlink -f /opt/knothole/edition") + "/manifest.json"
    check = ("minisign", "-Vq", "-p", "/etc/knothole/masthead.pub", "-m", manifest)
    assert box.machine.run(*check).returncode == 0
    box.machine.shell(f"cp -a {manifest} /root/kept; echo >>{manifest}")
    try:
        assert box.machine.run(*check).returncode != 0
        assert box.machine.run("systemctl", "restart", "knothole-relay").returncode != 0
    finally:
        box.machine.shell(f"mv /root/kept {manifest}; systemctl restart knothole-relay knothole-sealer")


def test_a_journalist_who_left_cannot_find_the_desk_onion(box: Box) -> None:
    clients = "/var/lib/tor/desk-onion/authorized_clients"
    assert box.machine.shell(f"ls {clients}").split() == ["ada.auth", "bo.auth", "nobody.auth"]
    box.machine.shell(f"echo x >{clients}/stranger.auth")
    started = box.machine.shell("systemctl show -p ActiveEnterTimestampMonotonic --value tor@default")
    box.converge()
    assert box.machine.shell(f"ls {clients}").split() == ["ada.auth", "bo.auth", "nobody.auth"]
    assert box.machine.shell("systemctl show -p ActiveEnterTimestampMonotonic --value tor@default") != started


def test_it_is_the_same_after_it_was_switched_off(box: Box) -> None:
    box.machine.power_off()
    box.machine.boot()
    test_what_should_run_runs_and_nothing_failed(box)
    test_the_edition_is_served_and_the_status_told(box)
    assert "policy drop" in box.machine.shell("nft list ruleset")


def test_another_machine_from_the_same_folder_is_the_same_box(
    debian: Path, box: Box, tmp_path_factory: pytest.TempPathFactory
) -> None:
    id_, drop = new_id(), some_drop(20_000, 2)
    assert box.request("source", f"PUT /drops/{id_}/0?commit", drop)[0] == 201
    box.converge("-e", "backup_take=true")
    (copy,) = (box.newsroom.parent / "backup").iterdir()
    hosts = "cat /var/lib/tor/source-onion/hostname /var/lib/tor/desk-onion/hostname"
    with Container(debian, folder=tmp_path_factory.mktemp("machines") / "second") as machine:
        other = Box(machine, box.newsroom)
        other.converge("-e", f"backup_restore={copy}")
        assert other.request("desk", f"GET /drops/{id_}") == (200, drop)
        assert machine.shell("find /var/lib/knothole -not -user relay -o -perm /077") == ""
        assert machine.shell(hosts) == box.machine.shell(hosts)
        edition = "readlink -f /opt/knothole/edition"
        assert machine.shell(edition) == box.machine.shell(edition)
