"""What the box's programs may not do, tried from inside of their units."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from support import probes
from support.box_machine import IN_A_CONTAINER, Box

pytestmark = IN_A_CONTAINER

UNITS = ("relay", "sealer", "health")
# What is a program's work, by unit; nothing else is done.
WORK = {"relay": {"write to the drops", "read the drops"}, "sealer": set(), "health": {"read tor's cookie"}}
SETTINGS = re.compile(r"^(ExecStart|ExecStartPre|Restart|RestartSec|StandardOutput|Type)=.*\n", re.M)


@pytest.fixture(scope="module")
def tried(box: Box) -> dict[str, Any]:
    """How each try ended, by unit: in a unit that differs from the real one by its program alone."""
    root = Path(f"/proc/{box.machine.pid}/root")
    (root / "opt/knothole/probes.py").write_text(Path(probes.__file__).read_text())
    found = {}
    for unit in UNITS:
        text = (root / f"etc/systemd/system/knothole-{unit}.service").read_text()
        python = f"/opt/knothole/{'sealer' if unit == 'sealer' else 'relay'}/current/bin/python"
        start = f"ExecStart={python} -I /opt/knothole/probes.py\nStandardOutput=truncate:/run/{unit}.json\n"
        probe = SETTINGS.sub("", text).replace("[Service]\n", f"[Service]\nType=oneshot\n{start}")
        (root / f"run/systemd/system/probe-{unit}.service").write_text(probe)
        box.machine.shell(f"systemctl daemon-reload; systemctl start probe-{unit}")
        found[unit] = json.loads((root / f"run/{unit}.json").read_text())
    box.machine.shell("rm /opt/knothole/probes.py /run/systemd/system/probe-*; systemctl daemon-reload")
    return found


@pytest.mark.parametrize("attempt", probes.TRIES)
@pytest.mark.parametrize("unit", UNITS)
def test_a_program_cannot(tried: dict[str, Any], unit: str, attempt: str) -> None:
    assert (tried[unit][attempt] == "done") == (attempt in WORK[unit]), tried[unit][attempt]


@pytest.mark.parametrize("unit", UNITS)
def test_a_unit_is_hardly_exposed(box: Box, figures: dict[str, str], unit: str) -> None:
    said = box.machine.shell(f"systemd-analyze security --no-pager knothole-{unit}.service | tail -1")
    score = re.search(r": ([0-9.]+) ", said)
    assert score is not None
    figures[f"score of knothole-{unit}.service"] = score[1]
    assert float(score[1]) <= 1.0


@pytest.mark.parametrize("unit", ["relay", "sealer"])
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


SOCKETS = ("/run/knothole/source/socket", "/run/knothole/desk/socket", "/run/knothole/sealer/socket")
SOCKETS += ("/run/tor/control",)
# The look at the health has tor's group from its unit, and so not here.
MAY = {
    "debian-tor": set(SOCKETS),
    "relay": {"/run/knothole/source/socket", "/run/knothole/desk/socket"},
    "sealer": {"/run/knothole/source/socket", "/run/knothole/sealer/socket"},
}


@pytest.mark.parametrize("path", SOCKETS)
@pytest.mark.parametrize("user", [*MAY, "health", "nobody", "_apt"])
def test_a_socket_is_for_those_it_is_meant_for(box: Box, user: str, path: str) -> None:
    done = box.as_user(user, f"import socket; socket.socket(socket.AF_UNIX).connect('{path}')")
    may = path in MAY.get(user, set())
    assert (done.returncode == 0) == may, done.stderr
    assert may or "PermissionError" in done.stderr
