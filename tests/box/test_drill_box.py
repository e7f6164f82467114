"""What moves or leaves, as provision/README.md has it: each drill played on a box in a container.

A run takes its time, so one serves several drills; an operator plays them one by one."""

import json
import re
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from support.box_machine import IN_A_CONTAINER, Box
from support.box_room import PROVISION, ansible, copied
from support.builds import KEY, build
from support.relay_process import new_id
from support.small_edition import some_drop

from keys.age import HybridIdentity
from keys.edition import Manifest
from keys.identity import Journalist

pytestmark = IN_A_CONTAINER

CLIENTS = "/var/lib/tor/desk-onion/authorized_clients"
OPERATORS = CLIENTS.replace("desk", "ssh")
STARTED = "systemctl show -p ActiveEnterTimestampMonotonic --value tor@default"


class Newsroom:
    """A newsroom whose operator does what the guide says."""

    def __init__(self, box: Box) -> None:
        self.box, self.yaml, self.folder = box, box.newsroom, box.newsroom.parent

    def rotate(self, *words: str) -> None:
        """`make rotate`, and what it has made is handed over."""
        vault = ("--vault", self.folder / "vault")
        done = ansible(sys.executable, PROVISION / "rotate.py", self.yaml, *words, *vault)
        assert done.returncode == 0, done.stderr
        shutil.rmtree(self.folder / "invitations", ignore_errors=True)

    def say(self, old: str, new: str) -> None:
        """newsroom.yaml says something new."""
        text = self.yaml.read_text()
        assert text.count(old) == 1
        self.yaml.write_text(text.replace(old, new))

    def publish(self) -> None:
        """The next edition, and `make box`."""
        number = re.compile(r"(?<=^edition: )\d+", re.M)
        self.yaml.write_text(number.sub(lambda found: str(int(found[0]) + 1), self.yaml.read_text()))
        done = build(self.yaml, "-o", self.folder / "out", "--sign", self.folder / "masthead.key")
        assert done.returncode == 0, done.stderr
        self.box.converge()

    def served(self) -> dict[str, Any]:
        """newsroom.json, as the box serves it."""
        status, body = self.box.request("source", "GET /newsroom.json")
        assert status == 200
        said: dict[str, Any] = json.loads(body)
        return said

    def address(self, onion: str) -> str:
        return (self.folder / onion / "hostname").read_text().strip()

    def takes(self, stanzas: int) -> bool:
        """Whether the box takes a drop that is sealed to so many."""
        put = f"PUT /drops/{new_id()}/0?commit"
        return self.box.request("source", put, some_drop(20_000, stanzas))[0] == 201

    def recipients(self) -> dict[str, str]:
        return {one["name"]: one["recipient"] for one in self.served()["recipients"]}


@pytest.fixture(scope="module")
def newsroom(made: Box, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsroom]:
    folder = tmp_path_factory.mktemp("drills")
    path = copied(made.newsroom, folder / "newsroom")
    with made.machine.another(folder / "drills") as machine:
        yield Newsroom(Box(machine, path))


@dataclass(frozen=True)
class Before:
    """What there was before a run."""

    edition: dict[str, Any]
    clients: list[str]
    started: str
    source: str
    desk: str
    ssh: str

    @staticmethod
    def of(newsroom: Newsroom) -> "Before":
        shell = newsroom.box.machine.shell
        clients = shell(f"cat {CLIENTS}/*").split()
        addresses = (newsroom.address(onion) for onion in ("source-onion", "desk-onion", "ssh-onion"))
        return Before(newsroom.served(), clients, shell(STARTED), *addresses)

    def recipient(self, name: str) -> str:
        (key,) = (one["recipient"] for one in self.edition["recipients"] if one["name"] == name)
        return str(key)


CLEO = Journalist("cleo", HybridIdentity(b"c" * 32))
ADA = Journalist("ada", HybridIdentity(b"n" * 32))


@pytest.fixture(scope="module")
def joined(newsroom: Newsroom) -> Before:
    """New keys for all; ada, whose laptop is lost, has a new identity; cleo joins; a new edition."""
    before = Before.of(newsroom)
    for one in (ADA, CLEO):
        (newsroom.folder / f"{one.name}.pub").write_text(one.public_file())
    newsroom.rotate("clients")
    newsroom.rotate("clients", "cleo")
    newsroom.rotate("operators", "operator", "olga")
    newsroom.say("recipients: [ada.pub, bo.pub]", "recipients: [ada.pub, bo.pub, cleo.pub]")
    newsroom.say("name: The Lantern", "name: The Lamp")
    newsroom.publish()
    return before


def test_new_keys_to_the_desk_onion_take_the_place_of_the_old(newsroom: Newsroom, joined: Before) -> None:
    shell = newsroom.box.machine.shell
    here = newsroom.folder / "desk-onion/authorized_clients"
    for name in ("ada", "bo"):
        assert shell(f"cat {CLIENTS}/{name}.auth") == (here / f"{name}.auth").read_text().strip()
    assert shell(f"ls {CLIENTS}").split() == ["ada.auth", "bo.auth", "cleo.auth", "nobody.auth"]
    assert len(set(joined.clients) & set(shell(f"cat {CLIENTS}/*").split())) == 1  # nobody's
    # A reload would leave them the way that they had read before.
    assert shell(STARTED) != joined.started


def test_operators_get_new_keys_and_one_more_comes(newsroom: Newsroom, joined: Before) -> None:
    here = newsroom.folder / "ssh-onion/authorized_clients"
    shell = newsroom.box.machine.shell
    assert shell(f"ls {OPERATORS}").split() == ["nobody.auth", "olga.auth", "operator.auth"]
    for name in ("olga", "operator"):
        assert shell(f"cat {OPERATORS}/{name}.auth") == (here / f"{name}.auth").read_text().strip()


def test_who_joins_can_be_written_to(newsroom: Newsroom, joined: Before) -> None:
    assert list(newsroom.recipients()) == ["ada", "bo", "cleo"]
    assert newsroom.recipients()["cleo"] == str(CLEO.identity.recipient())
    assert (newsroom.takes(2), newsroom.takes(3)) == (False, True)


def test_a_lost_laptop_opens_nothing_that_is_sent_from_now_on(newsroom: Newsroom, joined: Before) -> None:
    assert newsroom.recipients()["ada"] == str(ADA.identity.recipient()) != joined.recipient("ada")
    assert newsroom.recipients()["bo"] == joined.recipient("bo")
    assert newsroom.box.machine.shell(f"grep -rlF {joined.recipient('ada')} /opt/knothole || true") == ""


def test_a_new_edition_takes_the_old_ones_place(newsroom: Newsroom, joined: Before) -> None:
    served = newsroom.served()
    assert (served["edition"], served["name"]) == (joined.edition["edition"] + 1, 'The Lamp <& "Co">')
    status, said = newsroom.box.request("desk", "GET /status")
    assert (status, json.loads(said)["edition"]) == (200, served["edition"])
    shell = newsroom.box.machine.shell
    assert shell("ls /opt/knothole/editions") == shell("basename $(readlink /opt/knothole/edition)")


@pytest.fixture(scope="module")
def moved(newsroom: Newsroom, joined: Before) -> Before:
    """cleo leaves, and so does an operator; all addresses move."""
    before = Before.of(newsroom)
    newsroom.say(", cleo.pub]", "]")
    newsroom.rotate("source-onion")
    newsroom.rotate("desk-onion")
    (newsroom.folder / "ssh-onion/authorized_clients/operator.auth").unlink()
    newsroom.rotate("ssh-onion")
    newsroom.publish()
    return before


def test_who_leaves_is_in_no_edition_and_finds_nothing(newsroom: Newsroom, moved: Before) -> None:
    assert list(newsroom.recipients()) == ["ada", "bo"]
    shell = newsroom.box.machine.shell
    assert shell(f"ls {CLIENTS}").split() == ["ada.auth", "bo.auth", "nobody.auth"]
    assert shell(STARTED) != moved.started
    assert shell(f"grep -rlF {moved.recipient('cleo')} /opt/knothole /etc/knothole || true") == ""
    assert (newsroom.takes(3), newsroom.takes(2)) == (False, True)


def test_a_new_desk_onion_has_a_new_address_and_only_new_keys(newsroom: Newsroom, moved: Before) -> None:
    shell = newsroom.box.machine.shell
    address = shell("cat /var/lib/tor/desk-onion/hostname")
    assert address == newsroom.address("desk-onion") != moved.desk
    assert not set(moved.clients) & set(shell(f"cat {CLIENTS}/*").split())
    assert shell(f"grep -rlF {moved.desk} /var/lib/tor /etc || true") == ""


def test_a_new_ssh_onion_is_for_those_who_stayed(newsroom: Newsroom, moved: Before) -> None:
    shell = newsroom.box.machine.shell
    address = shell("cat /var/lib/tor/ssh-onion/hostname")
    assert address == newsroom.address("ssh-onion") != moved.ssh
    assert shell(f"ls {OPERATORS}").split() == ["nobody.auth", "olga.auth"]


def test_the_old_address_says_where_the_new_one_is(newsroom: Newsroom, moved: Before) -> None:
    shell = newsroom.box.machine.shell
    new = shell("cat /var/lib/tor/source-onion/hostname")
    assert new == newsroom.address("source-onion") == newsroom.served()["onion"] != moved.source
    assert shell("cat /var/lib/tor/former-source-onion/hostname") == moved.source
    status, notice = newsroom.box.request("former", "GET /en/send.html")
    assert status == 200
    assert f'href="http://{new}/en/index.html"'.encode() in notice
    # What proves that the masthead signed it comes from the same old address.
    data, signature = (
        newsroom.box.request("former", f"GET /manifest.json{more}")[1] for more in ("", ".minisig")
    )
    manifest = Manifest.open(data, signature.decode(), KEY.public, datetime.now(UTC).date())
    manifest.check("/en/moved.html", notice)


def test_at_the_old_address_nothing_is_taken(newsroom: Newsroom, moved: Before) -> None:
    put = f"PUT /drops/{new_id()}/0?commit"
    assert newsroom.box.request("former", put, some_drop(20_000, 2))[0] == 405
    assert newsroom.takes(2)


def test_an_address_that_is_given_up_is_forgotten(newsroom: Newsroom, moved: Before) -> None:
    shell = newsroom.box.machine.shell
    assert "former" in shell("cat /etc/tor/torrc")
    for onion in ("source", "desk"):
        shutil.rmtree(newsroom.folder / f"former-{onion}-onion")
    newsroom.box.converge()
    assert "former" not in shell("cat /etc/tor/torrc; ls /var/lib/tor")
    assert shell("ls /run/knothole/former") == ""
    assert newsroom.takes(2)
