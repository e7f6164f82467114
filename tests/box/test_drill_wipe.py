"""A box that is wiped holds nothing of the newsroom, and is off."""

import time
from contextlib import suppress
from pathlib import Path

from support.box_machine import IN_A_CONTAINER, Box
from support.box_secrets import found_in, secrets_of
from support.relay_process import new_id
from support.small_edition import some_drop

pytestmark = IN_A_CONTAINER

AWAY = "/dev/disk/by-id/away"
OFF = 300  # seconds, on a busy computer


def test_another_newsrooms_box_is_not_wiped(box: Box) -> None:
    box.machine.shell(
        "cp -a /etc/knothole/masthead.pub /root; sed -i 's/RW./RWx/' /etc/knothole/masthead.pub"
    )
    done = box.play("wipe.yml", "-e", "wipe_host=192.0.2.7")
    box.machine.shell("mv /root/masthead.pub /etc/knothole/")
    assert done.returncode == 2
    assert "the box is another newsroom's" in done.stdout
    assert box.request("source", "GET /en/send.html")[0] == 200


def test_what_was_there_is_gone_and_the_box_is_off(box: Box) -> None:
    drop = some_drop(200_000, 2)
    assert box.request("source", f"PUT /drops/{new_id()}/0?commit", drop)[0] == 201
    page = (box.newsroom.parent / "out/edition/en/index.html").read_bytes()
    secrets = secrets_of(box.newsroom) | {"the drop": drop[-500:], "the page": page[:500]}
    assert {"the drop", "the page", "source-onion"} <= {one for _, one in found_in(box, secrets)}
    # The key of a disk that is away, and what a copy that was cut short leaves.
    box.machine.shell(
        f"echo 'knothole {AWAY} /root/disk.key luks,nofail' >/etc/crypttab; "
        "echo 0123456789abcdef | tee /root/disk.key /root/knothole-drops.tar"
    )

    done = box.play("wipe.yml", "-e", "wipe_host=192.0.2.7")
    assert done.returncode == 0, box.said
    assert f"{AWAY} was not reached" in " ".join(done.stdout.split())
    went_off(box)

    box.machine.boot()
    assert found_in(box, secrets) == []
    assert box.machine.shell("find /var/lib/knothole /opt/knothole /etc/knothole /var/lib/tor -type f") == ""
    assert box.machine.shell("ls /root/.ssh /etc/ssh/ssh_host_* 2>/dev/null || true") == "/root/.ssh:"
    assert box.machine.shell("ls /root") == ""
    units = ("knothole-relay", "knothole-sealer", "knothole-health.timer", "tor@default")
    assert box.machine.run("systemctl", "is-active", *units).stdout.split() == ["inactive"] * len(units)


def went_off(box: Box) -> None:
    """Returns once it has switched itself off."""
    for _ in range(OFF * 5):
        time.sleep(0.2)
        if not Path(f"/proc/{box.machine.pid}").exists():
            with suppress(ProcessLookupError):  # its container is about to notice
                box.machine.power_off()
                return
    raise AssertionError(f"after {OFF} seconds it is still on")
