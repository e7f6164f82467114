"""An image of a throwaway newsroom, started by qemu: it has a kernel of its own, as a flashed disk has.

By hand: `make test-vps-image`.
"""

import shutil
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from image.boards import VPS
from support.box_room import PROVISION
from support.guest import Guest

pytestmark = [pytest.mark.box, pytest.mark.image]
GROWN = 2 << 30  # bytes by which the disk is larger than the image
OVMF = "/usr/share/ovmf/OVMF.fd"
SERVICES = "knothole-relay knothole-sealer tor@default nftables ssh systemd-networkd knothole-health.timer"
HOSTS = "cat /var/lib/tor/source-onion/hostname /var/lib/tor/desk-onion/hostname"
OWN = (
    "cat /etc/machine-id /etc/ssh/ssh_host_*_key.pub; "
    "sha256sum /var/lib/systemd/random-seed /var/lib/knothole/board | cut -d' ' -f1"
)


@pytest.fixture(scope="module")
def image(furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("image")
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "operator"], check=True)
    made = folder / "box.img"
    words = ["--board", VPS.name, "--key", folder / "operator.pub", "--vault", furnished.with_name("vault")]
    subprocess.run([sys.executable, "-m", "image", *words, "-o", made, furnished], cwd=PROVISION, check=True)
    assert sorted(one.name for one in folder.iterdir()) == ["box.img", "operator", "operator.pub"]
    return made


def flash(image: Path, folder: Path) -> Path:
    """A disk with the image on it, larger than that."""
    disk = folder / "disk"
    subprocess.run(["cp", "--sparse=always", image, disk], check=True)
    with disk.open("r+b") as file:
        file.truncate(image.stat().st_size + GROWN)
    return disk


@pytest.fixture(scope="module")
def guest(image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """The box on its first start."""
    folder = tmp_path_factory.mktemp("guest")
    with Guest(VPS, flash(image, folder), folder) as guest:
        guest.shell("systemctl is-system-running --wait || true", 900)
        yield guest
    shutil.rmtree(folder)


def test_nobody_else_on_this_computer_can_read_it(image: Path) -> None:
    assert stat.S_IMODE(image.stat().st_mode) == 0o600


def test_nothing_failed(guest: Guest) -> None:
    assert guest.shell("systemctl --failed --no-legend --plain | cut -d' ' -f1") == ""
    assert guest.shell("systemctl is-system-running") == "running"
    assert set(guest.shell(f"systemctl is-active {SERVICES}").split()) == {"active"}


def test_the_box_answers(guest: Guest) -> None:
    program = (
        "import socket; s = socket.socket(socket.AF_UNIX); s.connect('/run/knothole/source/socket'); "
        r"s.sendall(b'PROXY TCP6 fc00:dead:beef:4dad::1:2 ::1 80 80\r\n"
        r"GET /en/send.html HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n'); print(s.recv(15))"
    )
    assert "200" in guest.shell(f'python3 -c "{program}"')
    when = "systemctl show --value -p ActiveEnterTimestampMonotonic knothole-relay"
    seconds = int(guest.shell(when)) / 1e6
    memory = guest.shell("free -m | awk '/^Mem:/ {print $3}'")
    print(f"\nfrom the kernel's start to the relay: {seconds:.0f} s, emulated; memory in use: {memory} MiB")


def test_it_is_the_newsrooms(guest: Guest, furnished: Path) -> None:
    told = [(furnished.parent / f"{name}-onion/hostname").read_text().strip() for name in ("source", "desk")]
    assert guest.shell(HOSTS).split() == told


def test_it_has_the_whole_disk(guest: Guest, image: Path) -> None:
    free = int(guest.shell("df --output=size -B1 / | tail -1"))
    assert free > (image.stat().st_size + GROWN) * 8 // 10
    assert guest.shell("ls /etc/knothole/first-start 2>/dev/null || true") == ""


def test_the_kernel_keeps_what_it_was_told(guest: Guest) -> None:
    """In a container neither these nor the next can be seen: the kernel there is another's."""
    script = (
        "grep -hE '^-?[a-z]' /etc/sysctl.d/90-knothole.conf | while IFS=' =' read -r key value; do "
        'now=$(sysctl -n "${key#-}" 2>/dev/null) || continue; '
        '[ "$now" = "$value" ] || echo "$key is $now and not $value"; done'
    )
    assert guest.shell(script) == ""


def test_memory_that_is_given_back_is_emptied(guest: Guest) -> None:
    assert "heap free:on" in guest.shell("journalctl -k --no-pager | grep 'mem auto-init'")


def test_tor_is_confined(guest: Guest) -> None:
    pid = guest.shell("systemctl show --value -p MainPID tor@default")
    assert guest.shell(f"cat /proc/{pid}/attr/current") == "system_tor (enforce)"
    assert guest.shell("journalctl -k --no-pager | grep 'apparmor=\"DENIED\"' || true") == ""


def test_no_module_that_is_refused_is_loaded(guest: Guest) -> None:
    refused = "sed -n 's/^install \\([a-z0-9_]*\\) .*/\\1/p' /etc/modprobe.d/knothole.conf"
    assert guest.shell(f"lsmod | cut -d' ' -f1 | grep -xF \"$({refused})\" || true") == ""
    assert guest.shell("modprobe sctp 2>&1 && echo loaded || echo refused").endswith("refused")


def test_nothing_is_swapped_and_no_log_is_kept(guest: Guest) -> None:
    assert guest.shell("tail -n +2 /proc/swaps; ls -d /var/log/journal 2>/dev/null || true") == ""


def test_it_is_the_same_after_a_restart_and_no_other_is(image: Path, guest: Guest, tmp_path: Path) -> None:
    own = guest.shell(OWN).splitlines()
    guest.off()
    folder = tmp_path / "again"
    folder.mkdir()
    with Guest(VPS, guest.disk, folder) as again:
        again.shell("systemctl is-system-running --wait || true", 900)
        test_nothing_failed(again)
        # The seed is made anew at each start, as it should be.
        assert again.shell(OWN).splitlines()[:-2] == own[:-2]
        assert again.shell(OWN).splitlines()[-1] == own[-1]
        again.off()
    folder = tmp_path / "other"
    folder.mkdir()
    with Guest(VPS, flash(image, folder), folder, "-bios", OVMF) as other:
        other.shell("systemctl is-system-running --wait || true", 900)
        test_nothing_failed(other)
        assert len(own) >= 4
        assert not set(own) & set(other.shell(OWN).splitlines())
        other.shell("test -d /sys/firmware/efi")
    (folder / "disk").unlink()
