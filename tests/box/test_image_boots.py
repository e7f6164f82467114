"""An image of a throwaway newsroom, started by qemu: it has a kernel of its own, as a flashed disk has.

By hand: `make test-vps-image`, `make test-pi-image`.
"""

import shutil
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from image import disk
from image.boards import PI, VPS, Board
from support.box_machine import FAILED
from support.guest import Guest, flash
from support.pi3 import Pi3

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
def guest(board: Board, image: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Guest]:
    """The box on its first start."""
    folder = tmp_path_factory.mktemp("guest")
    with Guest(board, flash(image, folder, GROWN), folder) as guest:
        guest.settle()
        yield guest
    shutil.rmtree(folder)


def test_nobody_else_on_this_computer_can_read_it(image: Path) -> None:
    assert stat.S_IMODE(image.stat().st_mode) == 0o600


def test_nothing_failed(guest: Guest) -> None:
    assert guest.shell(FAILED) == ""
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


def test_it_has_the_whole_disk(board: Board, guest: Guest, image: Path) -> None:
    size = int(guest.shell("df --output=size -B1 / | tail -1"))
    *_, root = disk.places(board, 0)
    assert size > (image.stat().st_size + GROWN - root.start) * 8 // 10
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


def test_tor_relay_and_sealer_are_confined_and_miss_nothing(guest: Guest) -> None:
    units = {
        "tor@default": "system_tor",
        "knothole-relay": "knothole-relay",
        "knothole-sealer": "knothole-sealer",
    }
    for unit, profile in units.items():
        pid = guest.shell(f"systemctl show --value -p MainPID {unit}")
        assert guest.shell(f"cat /proc/{pid}/attr/current") == f"{profile} (enforce)"
    assert guest.shell("journalctl -k --no-pager | grep 'apparmor=\"DENIED\"' || true") == ""


def test_no_module_that_is_refused_is_loaded(guest: Guest) -> None:
    refused = "sed -n 's/^install \\([a-z0-9_]*\\) .*/\\1/p' /etc/modprobe.d/knothole.conf"
    assert guest.shell(f"lsmod | cut -d' ' -f1 | grep -xF \"$({refused})\" || true") == ""
    assert guest.shell("modprobe sctp 2>&1 && echo loaded || echo refused").endswith("refused")


def test_nothing_is_swapped_and_no_log_is_kept(guest: Guest) -> None:
    assert guest.shell("tail -n +2 /proc/swaps; ls -d /var/log/journal 2>/dev/null || true") == ""


def test_what_starts_it_is_mounted_where_nothing_runs(board: Board, guest: Guest) -> None:
    for part in board.parts:
        if part.mount:
            options = guest.shell(f"findmnt --noheadings --output OPTIONS {part.mount}")
            assert {"nodev", "nosuid", "noexec"} <= set(options.split(","))
            assert guest.shell(f"stat --format=%a {part.mount}") == "700"


def test_its_disk_was_checked_before_it_was_written_to(board: Board, guest: Guest) -> None:
    if board is PI:
        assert "fsck.ext4" in guest.shell("cat /run/initramfs/fsck.log")
        assert ": clean" in guest.shell("cat /run/initramfs/fsck.log")
    else:
        assert guest.shell("systemctl show --value -p Result systemd-fsck-root") == "success"
        assert guest.shell("systemctl show --value -p ConditionResult systemd-fsck-root") == "yes"


def test_a_new_kernel_is_told_the_same(board: Board, guest: Guest) -> None:
    """Debian's hook, run again on the box itself, changes nothing of what a Pi's firmware reads."""
    if board is not PI:
        pytest.skip("a server's menu is never made anew")
    read = "cat /boot/firmware/cmdline.txt /boot/firmware/config.txt"
    told = guest.shell(read)
    assert " init_on_free=1" in told
    assert "dtoverlay=disable-wifi" in told
    guest.shell("DEB_MAINT_PARAMS=configure /etc/kernel/postinst.d/z50-raspi-firmware")
    assert guest.shell(read) == told


def test_it_is_the_same_after_a_restart_and_no_other_is(
    board: Board, image: Path, guest: Guest, tmp_path: Path
) -> None:
    own = guest.shell(OWN).splitlines()
    guest.off()
    folder = tmp_path / "again"
    folder.mkdir()
    with Guest(board, guest.disk, folder) as again:
        again.settle()
        test_nothing_failed(again)
        # The seed is made anew at each start, as it should be.
        assert again.shell(OWN).splitlines()[:-2] == own[:-2]
        assert again.shell(OWN).splitlines()[-1] == own[-1]
        again.off()
    # The second card of a rented server starts by the newer kind of firmware.
    firmware = ["-bios", OVMF] if board is VPS else []
    folder = tmp_path / "other"
    folder.mkdir()
    with Guest(board, flash(image, folder, GROWN), folder, *firmware) as other:
        other.settle()
        test_nothing_failed(other)
        assert len(own) >= 4
        assert not set(own) & set(other.shell(OWN).splitlines())
        newer = other.shell("test -d /sys/firmware/efi && echo yes || echo no")
        assert newer == ("yes" if board is VPS else "no")
    (folder / "disk").unlink()


@pytest.mark.parametrize("board", [PI], ids=["pi"], indirect=True)
def test_a_pi_3_comes_to_its_login(image: Path, tmp_path: Path) -> None:
    """Its processor, its card reader and its device tree, from the card's own files; it has no network."""
    card = flash(image, tmp_path, GROWN)
    size = 1 << (card.stat().st_size - 1).bit_length()  # the emulated card reader takes no other
    with card.open("r+b") as file:
        file.truncate(size)
    with Pi3(card, tmp_path) as pi:
        pi.wait_for("login:", 1800)
