"""The disk that a tree becomes: where its partitions lie, what is in them, and that it is the same again."""

import filecmp
import json
import os
import shutil
import subprocess
import uuid
from dataclasses import replace
from pathlib import Path

import pytest
from image import disk, finish, grub, start
from image.boards import MIB, PI, VPS, Board
from image.errors import NoImage

SEARCHED = f"{os.environ['PATH']}:/usr/sbin:/sbin"
NEEDS = ("sfdisk", "mke2fs", "debugfs", "mkfs.vfat", "mcopy")
LACKING = [one for one in NEEDS if shutil.which(one, path=SEARCHED) is None]
EPOCH = 1_700_000_000
NAME = uuid.UUID("00112233-4455-6677-8899-aabbccddeeff")

pytestmark = pytest.mark.skipif(bool(LACKING), reason=f"not installed: {LACKING}")
both = pytest.mark.parametrize("board", [VPS, PI], ids=lambda board: board.name)


def said(*words: str | Path) -> str:
    program = shutil.which(words[0], path=SEARCHED) or words[0]
    return subprocess.run([program, *words[1:]], capture_output=True, text=True, check=True).stdout


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    root = tmp_path / "tree"
    for folder in ("etc", "boot/firmware/overlays", "usr"):
        (root / folder).mkdir(parents=True)
    (root / "etc/hello").write_text("from the root\n")
    (root / "etc/secret").touch(0o600)
    (root / "boot/firmware/config.txt").write_text("from the firmware\n")
    (root / "usr/link").symlink_to("/etc/hello")
    return root


def made(tree: Path, folder: Path, board: Board) -> Path:
    """An image of the tree, with its /boot/firmware before the root; a first of three has a line of text."""
    folder.mkdir()
    finish.clamp(tree, EPOCH)
    system = folder / "system"
    disk.ext4(tree, system, 32 * MIB, label="ROOT", name=disk.part_name(NAME, "ROOT"), epoch=EPOCH)
    *before, part, _ = board.parts
    core = folder / "core"
    core.write_text("from the core\n")
    fat = folder / "fat"
    disk.fat(tree / "boot/firmware", fat, part.mib * MIB, label=part.label, name=NAME, epoch=EPOCH)
    disk.write(folder / "image", board, NAME, [*(core for _ in before), fat, system])
    return folder / "image"


@both
def test_the_partitions_lie_where_they_were_said_to(board: Board, tree: Path, tmp_path: Path) -> None:
    image = made(tree, tmp_path / "made", board)
    table = json.loads(said("sfdisk", "--json", image))["partitiontable"]
    assert table["label"] == board.table
    where = disk.places(board, 32 * MIB)
    found = [(one["start"] * disk.SECTOR, one["size"] * disk.SECTOR) for one in table["partitions"]]
    assert found == [(place.start, place.size) for place in where]
    assert [one["type"].lower() for one in table["partitions"]] == [part.kind.lower() for part in board.parts]
    ends = [start + size for start, size in found]
    assert all(end <= start for end, (start, _) in zip(ends, found[1:], strict=False))
    assert all(start % MIB == 0 for start, _ in found)
    assert ends[-1] < image.stat().st_size
    assert "ROOT: " in said("e2fsck", "-fn", f"{image}?offset={found[-1][0]}"), "and no error is found in it"


@both
def test_the_files_are_in_them(board: Board, tree: Path, tmp_path: Path) -> None:
    image = made(tree, tmp_path / "made", board)
    *_, fat, root = disk.places(board, 32 * MIB)
    assert said("debugfs", "-R", "cat /etc/hello", f"{image}?offset={root.start}") == "from the root\n"
    assert "Mode:  0600" in said("debugfs", "-R", "stat /etc/secret", f"{image}?offset={root.start}")
    assert said("mtype", "-i", f"{image}@@{fat.start}", "::/config.txt") == "from the firmware\n"
    # What is empty takes no room on this computer's disk.
    assert image.stat().st_blocks * 512 < image.stat().st_size / 2


def test_a_pi_finds_its_files_by_the_older_kind_of_table_and_of_fat(tree: Path, tmp_path: Path) -> None:
    image = made(tree, tmp_path / "made", PI)
    assert sector(image)[510:] == b"\x55\xaa"
    kind, start = sector(image)[446 + 4], int.from_bytes(sector(image)[446 + 8 : 446 + 12], "little")
    assert (kind, start) == (0x0C, disk.places(PI, 0)[0].start // disk.SECTOR)
    with image.open("rb") as file:
        file.seek(start * disk.SECTOR)
        boot = file.read(disk.SECTOR)
    assert boot[82:90] == b"FAT32   "
    assert boot[67:71][::-1].hex() == disk.fat_number(NAME)


@both
def test_the_same_tree_is_the_same_image(board: Board, tree: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    shutil.copytree(tree, other, symlinks=True)
    one = made(tree, tmp_path / "one", board)
    assert filecmp.cmp(one, made(other, tmp_path / "two", board), shallow=False)


def test_there_is_room_for_the_tree(tree: Path, tmp_path: Path) -> None:
    (tree / "usr/large").write_bytes(os.urandom(20 * MIB))
    size = disk.room(tree)
    assert size % (4 * MIB) == 0
    disk.ext4(tree, tmp_path / "system", size, label="ROOT", name=NAME, epoch=EPOCH)
    with pytest.raises(NoImage, match="mke2fs failed"):
        disk.ext4(tree, tmp_path / "small", 16 * MIB, label="ROOT", name=NAME, epoch=EPOCH)


def test_two_newsrooms_and_two_boards_have_disks_of_other_names() -> None:
    names = {
        disk.names(board, edition) for board in (VPS, replace(VPS, name="x")) for edition in ("1-a", "2-b")
    }
    assert len(names | {disk.part_name(name, "ROOT") for name in names}) == 8


@pytest.mark.skipif(not grub.GRUB.is_dir(), reason="GRUB's parts are not installed")
def test_the_first_sector_starts_grub_and_keeps_the_table(tree: Path, tmp_path: Path) -> None:
    image = made(tree, tmp_path / "made", VPS)
    before = sector(image)
    start.begin(image, VPS)
    after = sector(image)
    assert after[440:] == before[440:]
    assert after[:2] == b"\xeb\x63"
    assert int.from_bytes(after[0x5C:0x64], "little") == disk.places(VPS, 0)[0].start // disk.SECTOR


def sector(image: Path) -> bytes:
    with image.open("rb") as file:
        return file.read(disk.SECTOR)
