"""Every template, rendered by Ansible for several newsrooms, and read by the program that will read it."""

import json
import os
import pwd
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from image import grub
from support.box_room import PROVISION, ansible, inventory
from support.tor import TOR

from relay import settings
from relay.sealer import settings as sealer_settings

BRIDGE, OTHER = (f"192.0.2.{n}:443 " + "AB" * 20 for n in (1, 2))
OBFS4 = f"obfs4 {BRIDGE} cert=ab+/= iat-mode=0"
SNOWFLAKE = f"snowflake {OTHER} ice=stun:192.0.2.3:3478"
NEWSROOMS: dict[str, dict[str, Any]] = {
    "plain": {},
    "small": {"render_memory": 420, "render_machine": "aarch64", "box": "{host: 192.0.2.7, reserve: 64 MiB}"},
    "bridged": {"box": f"{{host: 192.0.2.7, bridges: ['{BRIDGE}']}}"},
    "hidden": {"box": f"{{host: 192.0.2.7, bridges: ['{OBFS4}', '{SNOWFLAKE}']}}"},
    "closed": {"box": "{host: 192.0.2.7, ssh: onion}", "newsroom_torproject": True},
    "moved": {"newsroom_former": True},
    "locked": {"box": "{host: 192.0.2.7, disk: /dev/disk/by-id/usb-x}"},
}
GRUB = "etc/default/grub.d/knothole.cfg"
UNITS = ("relay", "sealer", "health")


def said_by_roles() -> dict[str, Any]:
    """What the roles and the playbook say of their variables, for Ansible to work out."""
    said: dict[str, Any] = {}
    for kind in ("defaults", "vars"):
        for file in sorted(PROVISION.glob(f"roles/*/{kind}/main.yml")):
            said |= yaml.safe_load(file.read_text())
    (play,) = yaml.safe_load((PROVISION / "playbook.yml").read_text())
    for task in play["tasks"]:
        said |= task.get("vars", {})
    return said


def templates() -> Iterator[dict[str, str]]:
    for file in sorted(PROVISION.glob("roles/*/templates/**/*.j2")):
        inside = file.relative_to(PROVISION).parts[3:]
        if inside[0] == "etc":
            yield {"src": str(file), "to": "/".join(inside).removesuffix(".j2")}


@dataclass(frozen=True)
class Box:
    """The rendered files of one newsroom."""

    name: str
    root: Path

    def text(self, path: str) -> str:
        return (self.root / path).read_text()


@pytest.fixture(scope="session")
def rendered(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("rendered")
    users = [one.pw_name for one in pwd.getpwall()]
    hosts = {}
    for name, options in NEWSROOMS.items():
        path = furnished.with_name(f"{name}.yaml")
        text = furnished.read_text()
        path.write_text(text.replace("{host: 192.0.2.7}", options.get("box", "{host: 192.0.2.7}")))
        room = {"render_memory": 1900, "render_machine": "x86_64", "firewall_users": users} | inventory(path)
        assert room["newsroom_problems"] == []
        more = {key: value for key, value in options.items() if key != "box"}
        render = {"render_to": str(out / f"{name}.json"), "render_templates": list(templates())}
        hosts[name] = said_by_roles() | room | more | render
    play = Path(__file__).with_name("render.yml")
    listed = out / "hosts.json"
    listed.write_text(json.dumps({"all": {"hosts": hosts}}))
    done = ansible("ansible-playbook", "-i", listed, play)
    assert done.returncode == 0, done.stdout + done.stderr
    for name in NEWSROOMS:
        for path, text in json.loads((out / f"{name}.json").read_text()).items():
            file = out / name / path
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
    return out


@pytest.fixture(params=NEWSROOMS)
def box(rendered: Path, request: pytest.FixtureRequest) -> Box:
    return Box(request.param, rendered / request.param)


def check(*words: str | Path) -> str:
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    said = done.stdout + done.stderr
    assert done.returncode == 0, said
    return said


def test_there_is_something_to_check(rendered: Path) -> None:
    assert len(list(templates())) > 20
    assert {path.name for path in rendered.iterdir() if path.is_dir()} == set(NEWSROOMS)


def test_no_placeholder_is_left_and_every_file_ends_its_last_line(box: Box) -> None:
    for file in (one for one in box.root.rglob("*") if one.is_file()):
        text = file.read_text()
        assert text.endswith("\n"), file
        assert not re.search(r"\{\{|\{%|\{#|\bNone\b|\bUndefined\b", text), file


@pytest.mark.skipif(os.geteuid() != 0, reason="nft asks the kernel, which answers root alone")
def test_nft_accepts_the_rules(box: Box) -> None:
    check(shutil.which("nft") or "/usr/sbin/nft", "--check", "--file", box.root / "etc/nftables.conf")


def test_nobody_but_tor_and_the_clock_leaves_the_box(box: Box) -> None:
    rules = box.text("etc/nftables.conf")
    output = rules.split("chain output")[1].split("chain inside")[0]
    assert set(re.findall(r'"([a-z_-]+)"', re.sub(r"#.*", "", output))) - {"lo", "kept in"} <= {
        "debian-tor",
        "root",
        "systemd-network",
        "systemd-timesync",
        "systemd-resolve",
    }
    # Root has the address of the box to ask for, and no more.
    assert all("udp sport" in line for line in output.splitlines() if '"root"' in line)
    assert ("tcp dport 22" in rules) == (box.name != "closed")
    assert len(re.findall("policy drop", rules)) == 3
    assert " log" not in rules
    assert ("l4proto udp" in rules) == (box.name == "hidden")


def test_tor_accepts_the_torrc(box: Box, tmp_path: Path) -> None:
    torrc = tmp_path / "torrc"
    torrc.write_text(box.text("etc/tor/torrc").replace("/var/lib/tor", str(tmp_path)))
    none = tmp_path / "none"
    said = check(
        TOR, "-f", torrc, "--defaults-torrc", none, "--DataDirectory", tmp_path / "tor", "--verify-config"
    )
    assert "[warn]" not in said.replace("[warn] You are running Tor as root", "")


def test_tor_starts_no_program_but_a_transport_that_a_bridge_needs(box: Box) -> None:
    lines = box.text("etc/tor/torrc").splitlines()
    programs = [line for line in lines if line.startswith("ClientTransportPlugin ")]
    assert len(programs) == (2 if box.name == "hidden" else 0)
    assert ("NoExec 1" in lines) == (not programs)
    bridges = {"bridged": 1, "hidden": 2}.get(box.name, 0)
    assert len([line for line in lines if line.startswith("Bridge ")]) == bridges
    assert ("UseBridges 1" in lines) == bool(bridges)


def test_tors_onions_lead_to_the_sockets_that_the_programs_open(box: Box) -> None:
    torrc = box.text("etc/tor/torrc")
    relay = settings.load(box.root / "etc/knothole/relay.yaml")
    sealer = sealer_settings.load(box.root / "etc/knothole/sealer.yaml")
    assert re.findall(r"^HiddenServicePort (\d+) (\S+)", torrc, re.M) == [
        ("80", str(relay.source)),
        ("8080", str(sealer.listen)),
        ("80", str(relay.desk)),
        *([("80", str(relay.former)), ("8080", str(relay.former))] if relay.former else []),
        ("22", "127.0.0.1:22"),
    ]
    assert (relay.former is None) == (box.name != "moved")
    assert (sealer.relay, relay.sealer) == (relay.source, sealer.listen)
    assert relay.circuits == sealer.circuits == "haproxy"
    assert sealer.uploads == (5 if box.name == "small" else 23)
    assert relay.reserve_bytes == (64 << 20 if box.name == "small" else 512 << 20)


@pytest.fixture
def units(box: Box, tmp_path: Path) -> Path:
    """The units, each starting a program that is there: this computer has no release in /opt."""
    for file in (box.root / "etc/systemd/system").glob("knothole-*"):
        text = re.sub(
            r"/opt/knothole/\w+/current/bin/python|/usr/bin/minisign", "/bin/true", file.read_text()
        )
        (tmp_path / file.name).write_text(text)
    for file in (box.root / "etc/systemd/system").glob("*.mount"):
        shutil.copy(file, tmp_path)
    return tmp_path


def test_systemd_accepts_the_units(units: Path) -> None:
    said = check("systemd-analyze", "verify", "--man=no", *sorted(units.iterdir()))
    assert not [line for line in said.splitlines() if "knothole" in line], said


@pytest.mark.parametrize("unit", UNITS)
def test_no_unit_is_exposed(units: Path, unit: str) -> None:
    file = units / f"knothole-{unit}.service"
    check("systemd-analyze", "security", "--offline=true", "--threshold=10", "--no-pager", file)


def test_apparmor_accepts_the_profiles(box: Box) -> None:
    parser = shutil.which("apparmor_parser") or shutil.which("/usr/sbin/apparmor_parser")
    if parser is None:
        pytest.skip("apparmor is not installed here")
    file = box.root / "etc/apparmor.d/knothole"
    quietly = ("--quiet", "--skip-cache", "--skip-kernel-load")
    check(parser, *quietly, file)
    said = check(parser, *quietly, "--names", file).splitlines()
    assert [line for line in said if line.startswith("knothole")] == ["knothole-relay", "knothole-sealer"]
    for unit in ("relay", "sealer"):
        assert f"AppArmorProfile=-knothole-{unit}\n" in box.text(
            f"etc/systemd/system/knothole-{unit}.service"
        )


def test_sshd_accepts_its_configuration(box: Box, tmp_path: Path) -> None:
    sshd = shutil.which("sshd") or shutil.which("/usr/sbin/sshd")
    if sshd is None:
        pytest.skip("openssh-server is not installed, and a test should not open a computer to the network")
    check("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", tmp_path / "host")
    file = box.root / "etc/ssh/sshd_config.d/10-knothole.conf"
    said = check(sshd, "-T", "-f", file, "-h", tmp_path / "host")
    assert "passwordauthentication no" in said
    assert "permitrootlogin without-password" in said
    assert "allowtcpforwarding no" in said


def test_apt_accepts_its_configuration(box: Box) -> None:
    said = check("apt-config", "dump", "-c", box.root / "etc/apt/apt.conf.d/60knothole")
    assert 'Unattended-Upgrade::Automatic-Reboot "true";' in said
    assert 'DPkg::Options:: "--force-confold";' in said
    sources = box.text("etc/apt/sources.list.d/knothole.sources")
    assert all(line.startswith("URIs: tor+https://") for line in sources.splitlines() if "URIs" in line)
    theirs = box.name == "closed"
    assert ("URIs: tor+https://deb.torproject.org/torproject.org\n" in sources) == theirs
    assert ('Unattended-Upgrade::Origins-Pattern:: "origin=TorProject";' in said) == theirs


def test_the_kernel_knows_each_setting_or_has_no_such_part(box: Box) -> None:
    lines = box.text("etc/sysctl.d/90-knothole.conf").splitlines()
    keys = [found[1] for line in lines if (found := re.fullmatch(r"-?([a-z0-9_.]+) = (\S.*)", line))]
    assert len(keys) == len([line for line in lines if not line.startswith("#")]) == len(set(keys))
    there = [key for key in keys if Path("/proc/sys", *key.split(".")).exists()]
    assert len(there) > len(keys) / 2


def test_memory_that_is_given_back_is_emptied_whatever_starts_the_kernel(box: Box) -> None:
    script = 'GRUB_CMDLINE_LINUX=quiet; . "$0"; echo "$GRUB_CMDLINE_LINUX"'
    told = check("sh", "-euc", script, box.root / GRUB)
    assert told == "quiet init_on_free=1\n"
    assert box.text("etc/default/raspi-extra-cmdline") == "init_on_free=1\n"
    assert grub.LINE.endswith(" init_on_free=1")
