"""What the box is for, through its own sockets and in its own sandboxes: drops, answers, a full disk."""

import io
import json
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from support.box_machine import IN_A_CONTAINER, Box
from support.builds import JOURNALISTS
from support.relay_process import PART, Reply, new_id
from support.sealer_process import Visitor
from support.small_edition import some_drop
from support.tornet import until

from keys import codename, line
from keys.drop import DropReader
from keys.identity import Journalist
from keys.newsroom import load

pytestmark = IN_A_CONTAINER

SERVICES = ("relay", "sealer")
STATUS = "/opt/knothole/relay/current/bin/python -I -m relay status --json /etc/knothole/relay.yaml"
ADA, BO = JOURNALISTS.values()


def listed(box: Box) -> list[str]:
    return [drop["id"] for drop in box.ask("desk", "GET", "/drops").said["drops"]]


def opened(box: Box, id_: str, journalist: Journalist) -> tuple[DropReader, dict[str, bytes]]:
    sealed = box.ask("desk", "GET", f"/drops/{id_}").body
    reader = DropReader(io.BytesIO(sealed), [journalist.identity])
    return reader, {file.name: file.read(1 << 30) for file in reader.files()}


def test_the_edition_is_served_and_the_status_told(box: Box) -> None:
    page = (box.newsroom.parent / "out/edition/en/send.html").read_bytes()
    assert box.ask("source", "GET", "/en/send.html").body == page
    assert box.ask("sealer", "GET", "/en/send.html").status == 200
    assert box.ask("desk", "GET", "/status").said["edition"] == 3


def test_a_drop_is_kept_and_given_to_desks_alone(box: Box) -> None:
    id_, drop = new_id(), some_drop(20_000, 2)
    assert box.ask("source", "PUT", f"/drops/{id_}/0?commit", drop).status == 201
    assert box.ask("source", "GET", f"/drops/{id_}").status == 405
    assert box.ask("source", "GET", "/drops").status == 404
    assert box.ask("source", "GET", "/status").status == 404
    box.machine.shell("systemctl restart knothole-relay")
    assert box.ask("desk", "GET", f"/drops/{id_}").body == drop
    assert box.ask("desk", "DELETE", f"/drops/{id_}").status == 204
    assert id_ not in listed(box)


def test_a_source_without_javascript_writes_and_is_answered(box: Box) -> None:
    """All of the sealer's ciphers, in its sandbox."""
    minutes = os.urandom(2 * PART + 17)
    with box.wire("sealer") as sealer:
        visitor = Visitor(sealer)
        words = visitor.begin()
        visitor.send("Through the box.", [("minutes.pdf", minutes)], ["ada"], {"evidence": "The minutes."})
        assert "It has arrived" in visitor.text
        (id_,) = listed(box)
        reader, files = opened(box, id_, ADA)
        assert (reader.text, files) == ("Through the box.", {"minutes.pdf": minutes})
        newsroom = load(box.newsroom)
        thread = codename.thread_key(codename.parse(words, "en"), newsroom.id)
        assert reader.letter.thread == thread
        reply = line.seal_reply(
            thread, newsroom.id, ADA.signing_key, [0], secrets.token_bytes(8), "Thank you."
        )
        covers = [line.cover() for _ in range(newsroom.board.post - 1)]
        assert box.ask("desk", "POST", "/board", b"".join([*reply, *covers])).status == 204
        visitor.read(words)
        assert "Thank you." in visitor.text
    assert box.ask("desk", "DELETE", f"/drops/{id_}").status == 204


@pytest.mark.parametrize("unit", SERVICES)
def test_once_it_has_started_it_listens_and_tor_starts_after_it(box: Box, unit: str) -> None:
    path = f"/run/knothole/{'source' if unit == 'relay' else unit}/socket"
    connect = f"import socket; socket.socket(socket.AF_UNIX).connect('{path}')"
    box.machine.shell(f'systemctl restart knothole-{unit}; python3 -c "{connect}"')
    after = box.machine.shell("systemctl show -p After --value tor@default").split()
    assert f"knothole-{unit}.service" in after


@pytest.mark.parametrize("unit", SERVICES)
def test_what_is_killed_comes_back(box: Box, unit: str) -> None:
    old = box.machine.shell(f"systemctl show -p MainPID --value knothole-{unit}")
    box.machine.shell(f"systemctl kill -s KILL knothole-{unit}")
    box.machine.shell(
        f"for i in $(seq 150); do new=$(systemctl show -p MainPID --value knothole-{unit}); "
        f'[ "$new" != 0 ] && [ "$new" != {old} ] && exit 0; sleep 0.2; done; exit 1'
    )
    assert box.ask("source" if unit == "relay" else unit, "GET", "/en/send.html").status == 200


def test_what_a_source_sends_by_the_sealer_outlives_the_relay(box: Box) -> None:
    with box.wire("sealer", circuit=3) as sealer:
        visitor = Visitor(sealer)
        visitor.begin()
        box.machine.shell("systemctl kill -s KILL knothole-relay")
        visitor.send("Still there?", to=["bo"], answers={"evidence": "None."})
        assert "It has arrived" in visitor.text
    (id_,) = listed(box)
    assert opened(box, id_, BO)[0].text == "Still there?"
    assert box.ask("desk", "DELETE", f"/drops/{id_}").status == 204


@contextmanager
def small_disk(box: Box) -> Iterator[None]:
    """The data on a disk of its own, with 24 MiB above the reserve."""
    owner = "uid=$(id -u relay),gid=$(id -g relay),mode=700"
    mount = f"mount -t tmpfs -o size=536m,{owner} data /var/lib/knothole"
    box.machine.shell(f"systemctl stop knothole-relay; {mount}; systemctl start knothole-relay")
    try:
        yield
    finally:
        box.machine.shell(
            "systemctl stop knothole-relay; umount /var/lib/knothole; systemctl start knothole-relay"
        )


def test_a_full_disk_takes_no_more_and_keeps_what_it_has(box: Box) -> None:
    first, second = new_id(), new_id()
    kept, rest = some_drop(9 * PART, 2), some_drop(20 * PART, 2)

    def put(id_: str, drop: bytes, n: int) -> Reply:
        return box.ask("source", "PUT", f"/drops/{id_}/{n}", drop[n * PART :][:PART], circuit=4)

    def commit(id_: str, parts: int) -> int:
        said = json.dumps({"parts": parts, "size": parts * PART}).encode()
        return box.ask("source", "POST", f"/drops/{id_}", said, circuit=4).status

    with small_disk(box):
        assert {put(first, kept, n).status for n in range(9)} == {204}
        assert commit(first, 9) == 201
        taken = 0
        while (said := put(second, rest, taken)).status == 204:
            taken += 1
        assert (said.status, said.said) == (507, {"error": "the disk is full; nothing was stored"})
        assert 8 < taken < 16
        assert commit(second, taken + 1) != 201

        assert box.ask("source", "GET", "/en/send.html").status == 200
        assert len(box.ask("source", "GET", "/board").body) == 512 * line.LINE
        assert box.ask("desk", "POST", "/board", b"".join(line.cover() for _ in range(4))).status == 204
        assert box.ask("desk", "GET", f"/drops/{first}").body == kept

        # Whatever else fills the disk to its end takes nothing away either.
        box.machine.shell("head -c 600M /dev/zero >/var/lib/knothole/else 2>/dev/null || true")
        assert put(second, rest, taken).status == 507
        assert box.ask("desk", "GET", f"/drops/{first}").body == kept
        said = json.loads(box.machine.run(*STATUS.split()).stdout)
        assert any("the disk has room for only" in one["sentence"] for one in said["problems"]), said
        box.machine.shell("rm /var/lib/knothole/else")

        assert box.ask("desk", "DELETE", f"/drops/{first}").status == 204
        until("what was deleted still takes room", lambda: put(second, rest, taken).status == 204)
        assert commit(second, taken + 1) == 201
        assert box.ask("desk", "GET", f"/drops/{second}").body == rest[: (taken + 1) * PART]


def test_the_box_too_refuses_what_the_masthead_did_not_sign(box: Box) -> None:
    manifest = box.machine.shell("readlink -f /opt/knothole/edition") + "/manifest.json"
    check = ("minisign", "-Vq", "-p", "/etc/knothole/masthead.pub", "-m", manifest)
    assert box.machine.run(*check).returncode == 0
    box.machine.shell(f"cp -a {manifest} /root/kept; echo >>{manifest}")
    try:
        assert box.machine.run(*check).returncode != 0
        for unit in SERVICES:
            assert box.machine.run("systemctl", "restart", f"knothole-{unit}").returncode != 0
    finally:
        box.machine.shell(f"mv /root/kept {manifest}; systemctl restart knothole-relay knothole-sealer")
