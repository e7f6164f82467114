"""A fresh Debian 13 becomes the box, again and again the same: by the whole playbook, in containers."""

import json
import shutil
from pathlib import Path

import pytest
from support.box_machine import IN_A_CONTAINER, Box
from support.builds import build
from support.container import Container
from support.relay_process import new_id
from support.small_edition import some_drop

pytestmark = IN_A_CONTAINER

CLIENTS = "/var/lib/tor/desk-onion/authorized_clients"
SINCE = "systemctl show -p ActiveEnterTimestampMonotonic --value tor@default"


def test_the_second_run_changes_nothing(box: Box, figures: dict[str, str]) -> None:
    said = box.converge()
    figures["changed tasks in the second run"] = said.partition("changed=")[2].split()[0]
    assert " changed=0 " in said, box.said


def test_asked_what_would_change_it_says_nothing_would(box: Box) -> None:
    assert " changed=0 " in box.converge("--check", "--diff"), box.said


def test_asked_it_says_what_would_change_and_changes_nothing(box: Box) -> None:
    box.machine.shell("echo '# mine' >>/etc/tor/torrc; rm /etc/sysctl.d/90-knothole.conf")
    said = box.converge("--check", "--diff")
    assert "changed=0" not in said
    assert "-# mine" in box.said
    assert box.machine.shell("tail -1 /etc/tor/torrc") == "# mine"
    box.converge()
    assert box.machine.shell("tail -1 /etc/tor/torrc") != "# mine"
    assert " changed=0 " in box.converge(), box.said


def test_no_secret_was_said(made: Box, box: Box) -> None:
    for name in ("source", "desk", "ssh"):
        key = box.machine.shell(f"base64 -w0 /var/lib/tor/{name}-onion/hs_ed25519_secret_key")
        assert len(key) == 128
        assert key[44:] not in made.said + box.said


def test_an_invitation_that_nobody_gave_is_taken_back(box: Box) -> None:
    box.machine.shell(f"echo x >{CLIENTS}/stranger.auth")
    started = box.machine.shell(SINCE)
    box.converge()
    assert box.machine.shell(f"ls {CLIENTS}").split() == ["ada.auth", "bo.auth", "nobody.auth"]
    assert box.machine.shell(SINCE) != started


def test_it_is_the_same_after_it_was_switched_off(box: Box) -> None:
    rules = box.machine.shell("nft list ruleset | grep -v counter")
    box.machine.power_off()
    box.machine.boot()
    assert box.machine.shell("systemctl --failed --no-legend --plain | cut -d' ' -f1") == ""
    assert box.machine.shell("nft list ruleset | grep -v counter") == rules
    assert box.ask("desk", "GET", "/status").said["edition"] == 3
    assert box.ask("sealer", "GET", "/en/send.html").status == 200
    assert " changed=0 " in box.converge(), box.said


def test_a_journalist_who_left_finds_no_desk_onion_and_no_drop_is_sealed_to_them(
    box: Box, tmp_path: Path
) -> None:
    """The whole of it: out of newsroom.yaml, a new edition, and the same command."""
    folder = tmp_path / "newsroom"
    shutil.copytree(box.newsroom.parent, folder)
    path = folder / box.newsroom.name
    text = path.read_text().replace("[ada.pub, bo.pub]", "[ada.pub]").replace("edition: 3", "edition: 4")
    path.write_text(text)
    done = build(path, "-o", folder / "out", "--sign", folder / "masthead.key")
    assert done.returncode == 0, done.stderr
    started = box.machine.shell(SINCE)
    later = Box(box.machine, path)
    later.converge()
    assert box.machine.shell(f"ls {CLIENTS}").split() == ["ada.auth", "nobody.auth"]
    assert box.machine.shell(SINCE) != started
    assert box.ask("desk", "GET", "/status").said["edition"] == 4
    served = json.loads(box.ask("source", "GET", "/newsroom.json").body)
    assert [one["name"] for one in served["recipients"]] == ["ada"]
    assert len(box.machine.shell("ls /opt/knothole/editions").split()) == 1
    for stanzas, status in ((2, 400), (1, 201)):
        reply = box.ask("source", "PUT", f"/drops/{new_id()}/0?commit", some_drop(20_000, stanzas))
        assert reply.status == status
    assert " changed=0 " in later.converge(), later.said


def test_another_machine_from_the_same_folder_is_the_same_box(
    debian: Path, made: Box, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """With the drops of the first."""
    folder = tmp_path_factory.mktemp("machines")
    id_, drop = new_id(), some_drop(20_000, 2)
    with made.machine.another(folder / "first") as first:
        box = Box(first, made.newsroom)
        assert box.ask("source", "PUT", f"/drops/{id_}/0?commit", drop).status == 201
        box.converge("-e", "backup_take=true")
        (copy,) = (box.newsroom.parent / "backup").iterdir()
        names = "cat /var/lib/tor/*-onion/hostname; readlink -f /opt/knothole/edition"
        same = first.shell(names)
    with Container(debian, folder=folder / "second") as second:
        other = Box(second, made.newsroom)
        other.converge("-e", f"backup_restore={copy}")
        assert other.ask("desk", "GET", f"/drops/{id_}").body == drop
        assert second.shell("find /var/lib/knothole -not -user relay -o -perm /077") == ""
        assert second.shell(names) == same
        assert second.shell("systemctl --failed --no-legend --plain | cut -d' ' -f1") == ""
        assert other.ask("sealer", "GET", "/en/send.html").status == 200
        assert " changed=0 " in other.converge(), other.said
