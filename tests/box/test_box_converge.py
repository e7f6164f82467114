"""A fresh Debian becomes the box, again and again the same: by the whole playbook, in containers.

A run takes its time, so one serves several tests."""

import re
import shutil
from pathlib import Path

import pytest
from support.box_machine import FAILED, IN_A_CONTAINER, Box

pytestmark = IN_A_CONTAINER

CLIENTS = "/var/lib/tor/desk-onion/authorized_clients"
SINCE = "systemctl show -p ActiveEnterTimestampMonotonic --value tor@default"


def test_the_second_run_changes_nothing(box: Box, figures: dict[str, str]) -> None:
    said = box.converge()
    figures["changed tasks in the second run"] = said.partition("changed=")[2].split()[0]
    assert " changed=0 " in said, box.said


def test_it_is_the_same_after_it_was_switched_off(box: Box) -> None:
    rules = box.machine.shell("nft list ruleset | grep -v counter")
    box.machine.power_off()
    box.machine.boot()
    assert box.machine.shell(FAILED) == ""
    assert box.machine.shell("nft list ruleset | grep -v counter") == rules
    assert box.ask("desk", "GET", "/status").said["edition"] == 3
    assert box.ask("sealer", "GET", "/en/send.html").status == 200


def test_the_box_itself_refuses_an_edition_that_nobody_signed(box: Box, tmp_path: Path) -> None:
    """As if the inventory, which refuses it before, had not looked."""
    edition = tmp_path / "edition"
    shutil.copytree(box.newsroom.parent / "out/edition", edition)
    at_first = ("--start-at-task", "relay : See which edition is there")
    for harmed in ("manifest.json", "en/send.html"):
        (edition / harmed).write_bytes((edition / harmed).read_bytes() + b" ")
        given = ("-e", f"relay_edition={edition}", "-e", "relay_edition_digest=4-0123456789abcdef")
        assert box.play("playbook.yml", *at_first, *given).returncode == 2
        assert "The box refuses this edition, and goes on serving the one it had" in box.said
        shutil.copytree(box.newsroom.parent / "out/edition", edition, dirs_exist_ok=True)
    assert box.machine.shell("ls /opt/knothole/editions") == box.machine.shell(
        "basename $(readlink /opt/knothole/edition)"
    )
    assert box.ask("desk", "GET", "/status").said["edition"] == 3


# What starts a machine, which a container lacks: each writes down what it was told.
STARTERS = {
    "/usr/sbin/update-grub": "/etc/default/grub.d/knothole.cfg",
    "/etc/kernel/postinst.d/z50-raspi-firmware": "/etc/default/raspi-firmware-custom",
}


def disturb(box: Box) -> None:
    """Makes the box another than the playbook would."""
    shell = box.machine.shell
    shell("echo '# mine' >>/etc/tor/torrc; rm /etc/sysctl.d/90-knothole.conf")
    shell(f"echo x >{CLIENTS}/stranger.auth")
    for program, told in STARTERS.items():
        script = f"#!/bin/sh\\ncp {told} /root\\n"
        shell(f"mkdir -p {Path(program).parent}; printf '{script}' >{program}; chmod 755 {program}")


WOULD_CHANGE = {
    "base : Configure the system",
    "base : Make the folder of what GRUB tells it",
    "base : Say what GRUB tells it",
    "base : Say what a Raspberry Pi's firmware tells it, and that the radios get no power",
    "onion : Take them back",
    "onion : Tell tor what to do",
}


class Mended:
    """The box after somebody laid hands on it, a run that only looked, and one that mended it."""

    def __init__(self, box: Box) -> None:
        shell = box.machine.shell
        disturb(box)
        self.started = shell(SINCE)
        box.converge("--check", "--diff")
        self.looked = box.said
        self.after_looking = shell(f"tail -1 /etc/tor/torrc; ls {CLIENTS}; ls /etc/sysctl.d; {SINCE}")
        box.converge()
        self.box = box


@pytest.fixture(scope="module")
def mended(box: Box) -> Mended:
    return Mended(box)


def test_asked_it_says_what_would_change_and_changes_nothing(mended: Mended) -> None:
    steps = re.split(r"^(?=TASK |RUNNING )", mended.looked, flags=re.M)
    would = {step for step in steps if step.startswith("TASK") and "\nchanged: " in step}
    assert {step.partition("[")[2].partition("]")[0] for step in would} == WOULD_CHANGE
    assert "-# mine" in mended.looked
    assert "+kernel.kptr_restrict = 2" in mended.looked
    first, *rest = mended.after_looking.splitlines()
    assert first == "# mine"
    assert "stranger.auth" in rest
    assert "90-knothole.conf" not in rest
    assert rest[-1] == mended.started


def test_a_run_mends_it(mended: Mended) -> None:
    shell = mended.box.machine.shell
    assert shell("tail -1 /etc/tor/torrc") != "# mine"
    shell("test -s /etc/sysctl.d/90-knothole.conf")


def test_an_invitation_that_nobody_gave_is_taken_back(mended: Mended) -> None:
    shell = mended.box.machine.shell
    assert shell(f"ls {CLIENTS}").split() == ["ada.auth", "bo.auth", "nobody.auth"]
    assert shell(SINCE) != mended.started


@pytest.mark.parametrize("told", STARTERS.values())
def test_what_starts_the_machine_is_told(mended: Mended, told: str) -> None:
    shell = mended.box.machine.shell
    assert shell(f"cat /root/{Path(told).name}") == shell(f"cat {told}") != ""
