"""What is wrong with a machine is told in full before anything on it is changed: in a container."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from support.box_machine import IN_A_CONTAINER, Box
from support.container import Container
from support.relay_process import new_id
from support.small_edition import some_drop

pytestmark = IN_A_CONTAINER


@pytest.fixture(scope="module")
def bare(debian: Path, furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Box]:
    with Container(debian, folder=tmp_path_factory.mktemp("bare") / "bare") as machine:
        yield Box(machine, furnished)


HARM = """\
cp -a /etc/debian_version /root/.ssh/authorized_keys /root
echo 11.9 >/etc/debian_version
rm /root/.ssh/authorized_keys
# It takes itself for a machine with a kernel of its own, and that for one without AppArmor, as some are.
ln -s /bin/false /usr/local/bin/systemd-detect-virt
confines=/sys/module/apparmor/parameters/enabled
echo N >/root/confines
[ ! -e $confines ] || mount --bind /root/confines $confines
sed 's/^MemTotal:.*/MemTotal: 262144 kB/' /proc/meminfo >/root/meminfo
mount --bind /root/meminfo /proc/meminfo
for python in /usr/local/lib/python3*/dist-packages; do
    echo 'import time; time.time = lambda now=time.time: now() - 3600' >$python/slow.pth
done
touch /root/since
"""
MENDED = """\
rm /usr/local/bin/systemd-detect-virt /usr/local/lib/python3*/dist-packages/slow.pth
umount --quiet /proc/meminfo /sys/module/apparmor/parameters/enabled || true
mv /root/debian_version /etc
mv /root/authorized_keys /root/.ssh
"""


def test_all_that_is_wrong_is_told_at_once_and_nothing_is_changed(bare: Box) -> None:
    bare.machine.shell(HARM)
    said = bare.preflight("-e", "newsroom_reserve=1000000000000000", "-e", "newsroom_python=/bin/false")
    changed = bare.machine.shell(
        "find /etc /usr /opt /var/lib -xdev -newer /root/since -not -path '/var/lib/systemd*'"
    )
    bare.machine.shell(MENDED)
    for sentence in (
        "- the box runs no Debian 12 or 13: install one afresh",
        "- the kernel of the box has no AppArmor: take Debian's own kernel, started without `apparmor=0`",
        "- what the box installs cannot be gathered",
        "- the box has less than 384 MiB of memory: take a larger one",
        "- the disk has no room for the reserve and 1 GiB beside it: take a larger one",
        "- the clock of the box is more than half an hour off, and tor needs the time: set it with `date -s`",
        "- nobody has a key to log in with, and passwords will be refused: run `ssh-copy-id` first",
    ):
        assert sentence in said
    assert changed == ""


def test_a_console_nobody_can_use_is_told_before_port_22_closes(bare: Box) -> None:
    assert "root has no password, and the console is the only other way in" in bare.preflight(
        "-e", "newsroom_ssh=onion"
    )


def test_a_disk_that_is_not_there_is_told_and_one_that_has_the_drops_is_not_forgotten(bare: Box) -> None:
    asked, other = (f"/dev/disk/by-id/{name}" for name in ("asked", "other"))
    assert f"- the box has no disk {asked}" in bare.preflight("-e", f"newsroom_disk={asked}")
    bare.machine.shell(f"echo 'knothole {other} /etc/cryptsetup-keys.d/knothole.key luks' >/etc/crypttab")
    try:
        for disk in ("", asked):
            assert f"- the drops are on {other}, which `box: disk` does not name" in bare.preflight(
                "-e", f"newsroom_disk={disk}"
            )
    finally:
        bare.machine.shell("rm /etc/crypttab")


def test_a_machine_without_python_is_told(bare: Box) -> None:
    bare.machine.shell("mv /usr/bin/python3 /usr/bin/kept")
    try:
        assert "the box has no python3: run `apt-get install python3` there" in bare.preflight()
    finally:
        bare.machine.shell("mv /usr/bin/kept /usr/bin/python3")


@pytest.mark.parametrize("number", [3, 4])
def test_what_is_wrong_with_a_box_in_use_is_told_at_once(box: Box, tmp_path: Path, number: int) -> None:
    """It is another newsroom's, serves an edition that is as new or newer, and has drops of its own."""
    shell = box.machine.shell
    assert box.request("source", f"PUT /drops/{new_id()}/0?commit", some_drop(20_000, 2))[0] == 201
    copy = tmp_path / "drops.tar"
    copy.write_bytes(b"")
    true = shell("readlink /opt/knothole/edition")
    shell(f"ln -sfn editions/{number}-0123456789abcdef /opt/knothole/edition")
    shell("cp -a /etc/knothole/masthead.pub /root; sed -i 's/RW./RWx/' /etc/knothole/masthead.pub")
    try:
        said = box.preflight("-e", f"backup_restore={copy}")
    finally:
        shell(f"ln -sfn {true} /opt/knothole/edition; mv /root/masthead.pub /etc/knothole/")
    for sentence in (
        "- the box is another newsroom's, or of another masthead",
        f"- the box serves edition {number} already, and desks refuse one that is not newer",
        "- the box has drops of its own, among which those of a copy find no place",
    ):
        assert sentence in said
