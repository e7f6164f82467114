"""A box with a second disk, which it locks and keeps the drops on: emulated, for not every kernel that runs a
container can lock one. By hand: `make test-vps-image`."""

import base64
import hashlib
import io
import json
import mmap
import re
import shutil
import socket
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from image.boards import VPS
from image.foreign import free_port
from support.box_machine import CIRCUIT, FAILED, play
from support.box_room import copied
from support.guest import Guest, flash
from support.relay_process import new_id
from support.small_edition import some_drop

pytestmark = [
    pytest.mark.box,
    pytest.mark.image,
    pytest.mark.parametrize("board", [VPS], ids=["vps"], indirect=True, scope="session"),
]
SIZE = 2 << 30
NAME = "/dev/disk/by-id/virtio-drops"
DISK = "virtio-blk-pci,drive=drops,serial=drops,bus=bay"
WHERE = "findmnt --noheadings --output SOURCE,FSTYPE,OPTIONS /var/lib/knothole"
# What it is asked and what it answers stand in the words of the shell.
ASK = """\
import base64, hashlib, socket
wire = socket.socket(socket.AF_UNIX)
wire.connect("/run/knothole/{which}/socket")
wire.sendall(base64.b64decode("{asked}"))
answer = b""
while piece := wire.recv(65536):
    answer += piece
top, _, body = answer.partition(b"\\r\\n\\r\\n")
print(top.split()[1].decode(), hashlib.sha256(body).hexdigest())
"""


@dataclass
class Served:
    """The machine, however often it starts, and its two disks."""

    folder: Path
    card: Path
    drops: Path
    key: Path
    newsroom: Path
    starts: int = 0

    def start(self, *, whole: bool = True) -> Guest:
        """The machine switched on, with the disk of the drops or without it."""
        self.starts += 1
        wires = (
            *("-drive", f"id=drops,file={self.drops},format=raw,if=none,cache=unsafe"),
            *("-device", "pcie-root-port,id=bay", "-monitor", f"unix:{self.folder}/monitor,server,nowait"),
            *(("-device", DISK) if whole else ()),
        )
        self.port = free_port()
        return Guest(VPS, self.card, self.folder / f"start-{self.starts}", *wires, port=self.port)

    def plug(self, guest: Guest) -> None:
        """Puts the disk of the drops into a machine that was switched on without it."""
        with socket.socket(socket.AF_UNIX) as wire:
            wire.connect(f"{self.folder}/monitor")
            wire.sendall(f"device_add {DISK}\n".encode())
            guest.shell(f"udevadm wait --timeout=120 {NAME}")

    def ssh(self, *words: str, given: bytes = b"") -> None:
        way = ["ssh", "-i", self.key, "-p", str(self.port), *self._options(), "root@127.0.0.1", *words]
        subprocess.run(way, input=given, check=True)

    def _options(self) -> list[str]:
        known = f"UserKnownHostsFile={self.folder}/known"
        return ["-F", "none", "-o", "IdentitiesOnly=yes", "-o", "StrictHostKeyChecking=no", "-o", known]

    def play(self, playbook: str, *words: str) -> str:
        """What Ansible says."""
        way: dict[str, object] = {
            "ansible_connection": "ssh",
            "ansible_host": "127.0.0.1",
            "ansible_port": self.port,
            "ansible_user": "root",
            "ansible_ssh_private_key_file": str(self.key),
            "ansible_ssh_common_args": " ".join(self._options()),
        }
        done = play(self.newsroom, way, playbook, *words)
        self.failed = done.returncode != 0
        return done.stdout + done.stderr


def ask(guest: Guest, which: str, head: str, body: bytes = b"") -> tuple[str, str]:
    """The status of an answer, and the hash of its body."""
    length = f"Content-Length: {len(body)}\r\n" if body else ""
    asked = f"{head} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n{length}\r\n".encode()
    program = ASK.format(which=which, asked=base64.b64encode(CIRCUIT + asked + body).decode())
    status, digest = guest.shell(f"python3 - <<'end'\n{program}end").split()
    return status, digest


@pytest.fixture(scope="module")
def served(image: Path, furnished: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("locked")
    newsroom = copied(furnished, folder / "newsroom")
    drops = folder / "drops"
    with drops.open("wb") as file:
        file.truncate(SIZE)
    yield Served(folder, flash(image, folder, 2 << 30), drops, image.with_name("operator"), newsroom)
    shutil.rmtree(folder)


def packages(debian: Path) -> bytes:
    """A tar of what apt at a bare Debian has fetched and knows: the machine has no network."""
    told = io.BytesIO()
    with tarfile.open(fileobj=told, mode="w") as tar:
        for place in ("var/lib/apt/lists", "var/cache/apt/archives"):
            tar.add(debian / place, place)
    return told.getvalue()


def test_the_drops_move_to_a_locked_disk_and_stay(served: Served, debian: Path) -> None:
    """One long test: each start of the machine takes a minute or more."""
    drop, before, after = some_drop(20_000, 2), new_id(), new_id()
    kept = ("200", hashlib.sha256(drop).hexdigest())
    with served.start() as guest:
        guest.settle()
        served.ssh("tar --extract --directory=/", given=packages(debian))
        assert ask(guest, "source", f"PUT /drops/{before}/0?commit", drop)[0] == "201"

        own = guest.shell(
            "for one in /dev/disk/by-path/*; do [ $one -ef /dev/vda ] && echo $one && break; done"
        )
        said = served.play("playbook.yml", "-e", f"newsroom_disk={own}")
        assert served.failed
        assert f"- {own} is not empty: name another disk" in " ".join(said.split())

        text = served.newsroom.read_text()
        served.newsroom.write_text(text.replace("{host: 192.0.2.7}", f"{{host: 192.0.2.7, disk: {NAME}}}"))
        said = served.play("playbook.yml")
        assert " failed=0 " in said, said[-6000:]
        assert " changed=0 " in served.play("playbook.yml")
        holds(guest)
        assert ask(guest, "desk", f"GET /drops/{before}") == kept
        assert ask(guest, "source", f"PUT /drops/{after}/0?commit", drop)[0] == "201"
        assert guest.shell("mount --bind /var/lib /mnt; ls -A /mnt/knothole; umount /mnt") == ""
        guest.off()

    with served.drops.open("rb") as file, mmap.mmap(file.fileno(), 0, prot=mmap.PROT_READ) as locked:
        for told in (drop[-500:], before.encode(), after.encode()):
            assert locked.find(told) == -1

    with served.start() as guest:
        guest.settle()
        holds(guest)
        assert [ask(guest, "desk", f"GET /drops/{one}") for one in (before, after)] == [kept, kept]
        guest.off()

    with served.start(whole=False) as guest:
        guest.settle()
        assert guest.shell("systemctl is-active knothole-relay ssh tor@default || true").split() == [
            "inactive",
            "active",
            "active",
        ]
        assert guest.shell("ls -A /var/lib/knothole") == ""
        served.plug(guest)
        said = served.play("playbook.yml")
        assert " failed=0 " in said, said[-6000:]
        holds(guest)
        assert [ask(guest, "desk", f"GET /drops/{one}") for one in (before, after)] == [kept, kept]
        assert len(slots(served.drops)) == 1
        said = served.play("wipe.yml", "-e", "wipe_host=192.0.2.7")
        assert not served.failed, said[-6000:]
        guest.emulator.wait_until_off(300)
    assert slots(served.drops) == {}


def holds(guest: Guest) -> None:
    source, kind, options = guest.shell(WHERE).split()
    assert (source, kind) == ("/dev/mapper/knothole", "ext4")
    assert {"nodev", "nosuid", "noexec"} <= set(options.split(","))
    assert guest.shell("stat --format='%a %U' /etc/cryptsetup-keys.d/knothole.key") == "400 root"
    assert guest.shell(FAILED) == ""
    assert guest.shell("systemctl is-active knothole-relay") == "active"


def slots(disk: Path) -> dict[str, object]:
    """The places of a LUKS2 header that hold its key locked by another (its JSON, after the binary part)."""
    with disk.open("rb") as file:
        head = file.read(16 << 10)
    assert head.startswith(b"LUKS\xba\xbe\0\2")
    found = re.match(rb"[^\0]+", head[4096:])
    assert found
    said: dict[str, object] = json.loads(found[0])["keyslots"]
    return said
