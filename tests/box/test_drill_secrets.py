"""No secret gets out: not by what a run says, not by the box's facts, not by a file that others can read."""

import stat
from pathlib import Path

import pytest
from support.box_machine import IN_A_CONTAINER, TELLS_ALL, Box
from support.box_room import PROVISION, ansible
from support.box_secrets import ONIONS, forms, found_in, said_in, secrets_of

pytestmark = IN_A_CONTAINER

# Ansible finds them beside a playbook, and here there is none.
PLUGINS = {"ANSIBLE_CONNECTION_PLUGINS": str(PROVISION / "connection_plugins")}


@pytest.fixture(scope="module")
def secrets(made: Box) -> dict[str, bytes]:
    return secrets_of(made.newsroom)


def test_the_search_finds_what_is_there(secrets: dict[str, bytes]) -> None:
    assert len(secrets) == len(ONIONS) + len(("ada", "bo", "operator")) + 2
    assert len(set(secrets.values())) == len(secrets) - 1  # these two passphrases are one
    for name, secret in secrets.items():
        for form in forms(secret):
            assert name in said_in(f"x{form.decode(errors='surrogateescape')}y", secrets)
    assert said_in("descriptor:x25519:", secrets) == []


def test_a_run_that_tells_all_it_does_says_none(made: Box, secrets: dict[str, bytes]) -> None:
    keys = made.said.partition("TASK [onion : Bring the keys back]")[2].partition("TASK [")[0]
    assert "censored" in keys
    assert "+++ after: " in made.said
    assert "invocation:" in made.said
    assert said_in(made.said, secrets) == []


def test_a_run_that_fails_on_the_keys_says_none(box: Box, secrets: dict[str, bytes]) -> None:
    key = "/var/lib/tor/desk-onion/hs_ed25519_secret_key"
    harm = f"cp -a {key} /root/kept; echo >{key}; mount --bind {key} {key}; mount -o remount,bind,ro {key}"
    box.machine.shell(harm)
    try:
        done = box.play("playbook.yml", *TELLS_ALL, "--start-at-task", "Bring the keys back")
    finally:
        box.machine.shell(f"umount {key}; mv /root/kept {key}")
    assert done.returncode == 2
    assert "censored" in done.stdout.partition("TASK [onion : Bring the keys back]")[2]
    assert said_in(box.said, secrets) == []


def test_the_boxs_facts_hold_none(box: Box, secrets: dict[str, bytes]) -> None:
    box.play("playbook.yml", "--list-hosts")  # writes down where the machine is
    inventories = ["-i", PROVISION / "inventory.py", "-i", box.newsroom.with_name("machine.json")]
    for module in (["setup"], ["debug", "-a", "var=hostvars"]):
        done = ansible("ansible", *inventories, "box", "-m", *module, newsroom=box.newsroom, **PLUGINS)
        assert done.returncode == 0, done.stderr
        assert "ansible_" in done.stdout
        assert said_in(done.stdout, secrets) == []
    assert box.machine.shell("ls -A /etc/ansible /root/.ansible/tmp 2>/dev/null || true") in (
        "",
        "/root/.ansible/tmp:",
    )


def test_on_the_box_only_tor_has_them(box: Box, secrets: dict[str, bytes]) -> None:
    files = found_in(box, secrets)
    assert files == sorted((f"/var/lib/tor/{onion}/hs_ed25519_secret_key", onion) for onion in ONIONS)
    for path, _ in files:
        assert box.machine.shell(f"stat -c '%a %U:%G' {path}") == "600 debian-tor:debian-tor"
    assert said_in(box.machine.shell("journalctl --no-pager -o verbose"), secrets) == []


def test_on_this_side_they_stay_locked(made: Box, secrets: dict[str, bytes]) -> None:
    keys = {name: secrets[name] for name in ONIONS}
    places = (made.newsroom.parent, PROVISION / ".cache")
    files = [path for place in places for path in Path(place).rglob("*") if path.is_file()]
    assert len(files) > 20
    for path in files:
        assert said_in(path.read_bytes().decode(errors="surrogateescape"), keys) == [], path
    for onion in ONIONS:
        mode = (made.newsroom.parent / onion / "hs_ed25519_secret_key").stat().st_mode
        assert stat.S_IMODE(mode) & 0o077 == 0
