"""The tree of a machine that ran becomes one from which no machine has run yet."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest
from image import debian, disk, finish, raspi, start
from image.boards import MIB, PI, VPS
from image.errors import NoImage

NAME = disk.names(VPS, "3-abc")
STAYS = {
    "etc/passwd": "root",
    "etc/ssh/sshd_config": "Include",
    "var/lib/tor/source-onion/hs_ed25519_secret_key": "key",
    "var/lib/tor/desk-onion/authorized_clients/ada.auth": "descriptor",
    "var/lib/tor/desk-onion/hostname": "x.onion",
    "var/log/README": "",
}
GOES = (
    "etc/ssh/ssh_host_ed25519_key",
    "etc/shadow-",
    "var/lib/systemd/random-seed",
    "var/lib/systemd/timers/stamp",
    "var/lib/knothole/board",
    "var/lib/knothole/drops/1",
    "var/lib/tor/state",
    "var/lib/tor/keys/ed25519_master_id_secret_key",
    "var/lib/tor/desk-onion/hs_pow",
    "var/lib/apt/lists/mirror_Packages",
    "var/cache/apt/archives/tor.deb",
    "var/log/dpkg.log",
    "var/log/tor/log",
    "root/.ansible/tmp/x",
    "run/secret",
    "tmp/left",
)


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for path, text in (STAYS | dict.fromkeys(GOES, "made")).items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_text(text)
    (root / "etc/machine-id").write_text("0123456789abcdef0123456789abcdef\n")
    (root / "etc/machine-id").chmod(0o444)
    (root / "var/log/README").unlink()
    (root / "var/log/README").symlink_to("../../usr/share/doc/README")
    return root


def test_what_is_of_one_machine_goes_and_what_is_the_newsrooms_stays(tree: Path) -> None:
    finish.clean(tree)
    files = {str(one.relative_to(tree)) for one in finish.every(tree) if not one.is_dir()}
    assert files == {*STAYS, "etc/machine-id"}
    assert (tree / "etc/machine-id").read_bytes() == b""
    assert (tree / "var/lib/knothole").is_dir()
    assert (tree / "var/log/tor").is_dir()


def test_nothing_outside_the_tree_is_touched(tree: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "file").write_text("ours")
    os.utime(outside / "file", (2_000_000_000, 2_000_000_000))
    for place in ("var/tmp", "var/log/journal", "var/lib/apt/lists/partial", "var/lib/tor/else"):
        (tree / place).parent.mkdir(parents=True, exist_ok=True)
        (tree / place).symlink_to(outside)
    finish.clean(tree)
    finish.clamp(tree, 1_700_000_000)
    assert (outside / "file").read_text() == "ours"
    assert (outside / "file").stat().st_mtime == 2_000_000_000
    assert finish.size(tree) < 1 << 20


def test_no_file_is_younger_than_the_release(tree: Path) -> None:
    os.utime(tree / "etc/passwd", (1_800_000_000, 1_600_000_000))
    finish.clamp(tree, 1_700_000_000)
    assert {one.lstat().st_mtime for one in finish.every(tree)} == {1_600_000_000, 1_700_000_000}


def test_no_user_is_younger_than_the_release(tree: Path) -> None:
    shadow = tree / "etc/shadow"
    shadow.write_text("root:*:19000:0:99999:7:::\nrelay:!:20779::::::\nnew:!:::::::\n")
    shadow.chmod(0o640)
    finish.redate(tree, 20_000 * 86400 + 1)
    assert shadow.read_text() == "root:*:19000:0:99999:7:::\nrelay:!:20000::::::\nnew:!:::::::\n"
    assert shadow.stat().st_mode & 0o777 == 0o640


def test_a_tree_knows_its_root_by_the_disks_name(tree: Path) -> None:
    for folder in ("etc/knothole", "boot"):
        (tree / folder).mkdir()
    start.tell(VPS, tree, NAME)
    start.settle(VPS, tree, NAME)
    assert (tree / "etc/knothole/first-start").exists()
    root = str(disk.part_name(NAME, "ROOT"))
    (line,) = (tree / "etc/fstab").read_text().splitlines()
    assert line.startswith(f"UUID={root} / ext4 ")
    menu = (tree / "boot/grub/grub.cfg").read_text()
    assert menu.count(f"root=UUID={root} ro") == 2
    assert "{" not in menu.replace("' {\n", "")


@pytest.fixture
def pi(tree: Path) -> Path:
    """The tree of a Raspberry Pi, after the hook of its kernel ran."""
    for folder in ("etc/knothole", "etc/default", "boot/firmware/overlays"):
        (tree / folder).mkdir(parents=True)
    for pattern in raspi.WANTED:
        (tree / "boot/firmware" / pattern.replace("*", "6.12-arm64")).write_text("firmware")
    start.tell(PI, tree, NAME)
    told = (tree / "etc/default/raspi-firmware").read_text()
    line = 'printf "%s root=%s cma=%s" "$CONSOLES" "$ROOTPART" "$CMA"'
    said = subprocess.run(["sh", "-euc", f"{told}\n{line}"], capture_output=True, text=True, check=True)
    (tree / "boot/firmware/cmdline.txt").write_text(said.stdout)
    return tree


def test_a_pi_is_told_of_its_root_and_reads_its_firmware_where_nothing_runs(pi: Path) -> None:
    root = str(disk.part_name(NAME, "ROOT"))
    told = (pi / "boot/firmware/cmdline.txt").read_text()
    assert told == f"tty0 ttyS1,115200 root=UUID={root} cma=0"
    start.settle(PI, pi, NAME)
    first, second = (line.split() for line in (pi / "etc/fstab").read_text().splitlines())
    assert first[:3] == [f"UUID={root}", "/", "ext4"]
    number = disk.fat_number(disk.part_name(NAME, "FIRMWARE")).upper()
    assert second[:3] == [f"UUID={number[:4]}-{number[4:]}", "/boot/firmware", "vfat"]
    assert {"nodev", "nosuid", "noexec"} <= set(second[3].split(","))


@pytest.mark.skipif(not shutil.which("mcopy"), reason="mtools is not installed")
def test_a_pis_firmware_moves_to_its_own_partition(pi: Path, tmp_path: Path) -> None:
    pi.rename(tmp_path / "root")
    (file,) = start.firmware(PI, tmp_path, NAME, 1_700_000_000)
    assert file.stat().st_size == PI.parts[0].mib * MIB
    listed = subprocess.run(
        ["mdir", "-b", "-i", file, "::"], capture_output=True, text=True, check=True
    ).stdout
    assert "::/config.txt" in listed.splitlines()
    assert "::/vmlinuz-6.12-arm64" in listed.splitlines()
    assert list((tmp_path / "root/boot/firmware").iterdir()) == []


@pytest.mark.parametrize("lost", ["initrd.img-6.12-arm64", "start4.elf", "cmdline.txt"])
def test_a_pi_that_could_not_start_is_no_image(pi: Path, tmp_path: Path, lost: str) -> None:
    pi.rename(tmp_path / "root")
    (tmp_path / "root/boot/firmware" / lost).unlink()
    with pytest.raises(NoImage, match=r"the box has no .* in /boot/firmware"):
        start.firmware(PI, tmp_path, NAME, 1_700_000_000)


def test_a_pi_that_would_look_for_another_root_is_no_image(pi: Path, tmp_path: Path) -> None:
    pi.rename(tmp_path / "root")
    (tmp_path / "root/boot/firmware/cmdline.txt").write_text("root=/dev/vda rw")
    with pytest.raises(NoImage, match="the box has no root=UUID="):
        start.firmware(PI, tmp_path, NAME, 1_700_000_000)


def test_who_may_log_in_is_all_who_may(tree: Path) -> None:
    (tree / "root").mkdir(exist_ok=True)
    debian.let_in(tree, "ssh-ed25519 AAAA operator", "ssh-ed25519 BBBB workshop")
    debian.let_in(tree, "ssh-ed25519 AAAA operator")
    file = tree / "root/.ssh/authorized_keys"
    assert file.read_text() == "ssh-ed25519 AAAA operator\n"
    assert file.stat().st_mode & 0o777 == 0o600


def test_the_shell_accepts_the_first_start() -> None:
    file = debian.FILES / "usr/local/sbin/knothole-first-start"
    subprocess.run(["sh", "-n", file], check=True)
    assert os.access(file, os.X_OK)


def test_systemd_accepts_its_unit(tmp_path: Path) -> None:
    unit = debian.FILES / "etc/systemd/system/knothole-first-start.service"
    text = unit.read_text()
    (tmp_path / unit.name).write_text(text.replace("/usr/local/sbin/knothole-first-start", "/bin/true"))
    check = ["systemd-analyze", "verify", "--man=no", tmp_path / unit.name]
    done = subprocess.run(check, capture_output=True, text=True, check=True)
    assert "first-start" not in done.stderr


def test_a_bridges_transport_is_at_hand_and_no_other() -> None:
    plain, hidden = "192.0.2.1:443 AB", "obfs4 192.0.2.1:443 AB cert=x iat-mode=0"
    assert debian.transports([]) == debian.transports([plain]) == []
    assert debian.transports([plain, hidden, hidden]) == ["obfs4proxy"]


def test_what_the_roles_install_is_at_hand() -> None:
    """Nothing can be fetched once the machine is in its container."""
    roles = debian.FILES.parent.parent / "roles"
    named = "".join(file.read_text() for kind in ("tasks", "vars") for file in roles.rglob(f"{kind}/*.yml"))
    assert all(package in named for package in debian.ROLES)
