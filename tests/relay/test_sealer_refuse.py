"""Where the newsroom refuses: only files that are sealed already, and not a word that is not."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.front import loses_commits
from support.held import held
from support.lane import Lane, impatient
from support.relay_process import PART, ask
from support.sealer_process import Visitor, encode

from keys.age import HybridIdentity, X25519Identity, open_bytes, parse_recipient, seal_bytes


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    with Lane(tmp_path_factory.mktemp("refusing") / "house", "refuse", "limits: {drop: 4 MiB}") as running:
        yield running
    assert running.sealer.process.returncode == 0
    assert (running.sealer.said, running.sealer.errors) == ("", "")


def sealed(lane: Lane, content: bytes) -> bytes:
    """What `age -R recipients.txt` makes of it, from the file that the page links to."""
    listed = ask(lane.sealer.address, "GET", "/recipients.txt")
    assert listed.headers["content-type"] == "text/plain; charset=utf-8"
    lines = [line for line in listed.body.decode().splitlines() if not line.startswith("#")]
    return seal_bytes(content, [parse_recipient(line) for line in lines])


@pytest.mark.parametrize("size", [0, 100, PART - 4000, 3 * PART + 1])
def test_a_sealed_file_is_passed_on_as_it_is(refusing: Lane, size: int) -> None:
    house, visitor = refusing.house, refusing.visitor()
    before = set(house.drops())
    content = os.urandom(size)
    file = sealed(refusing, content)
    assert visitor.post("sealed", [], [("report.age", file)]).status == 200
    assert "The box has stored your locked file" in visitor.text
    [drop] = set(house.drops()) - before
    kept = ask(house.relay.desk, "GET", f"/drops/{drop}").body
    assert kept == file
    for journalist in house.journalists.values():
        assert open_bytes(kept, [journalist.identity]) == content


def test_a_desk_opens_it(refusing: Lane, tmp_path: Path) -> None:
    house = refusing.house
    before = set(house.drops())
    refusing.visitor().post("sealed", [], [("report.age", sealed(refusing, b"What I saw"))])
    [drop] = set(house.drops()) - before
    house.desk("ada", "fetch")
    house.desk("ada", "open", drop, "-o", tmp_path / "out")
    assert (tmp_path / "out/files/content").read_bytes() == b"What I saw"


def _of_another_kind() -> bytes:
    return seal_bytes(b"x" * 9000, [X25519Identity.generate().recipient() for _ in range(2)])


def _for_one() -> bytes:
    return seal_bytes(b"x" * 9000, [HybridIdentity.generate().recipient()])


@pytest.mark.parametrize(
    "file",
    [
        b"",
        b"not sealed",
        b"not sealed at all " * 1000,
        b"age-encryption.org/v1\n" + b"x" * 9000,
        b"-----BEGIN AGE ENCRYPTED FILE-----\n" * 300,
        _of_another_kind(),
        _for_one(),
    ],
    ids=["empty", "short", "long", "only a first line", "armored", "of another kind", "for one of them"],
)
def test_anything_else_is_refused_and_nothing_of_it_kept(refusing: Lane, file: bytes) -> None:
    house, visitor = refusing.house, refusing.visitor()
    before = house.drops()
    assert visitor.post("sealed", [], [("report.pdf", file)]).status == 400
    assert "not locked with all the keys" in visitor.text
    assert house.drops() == before
    assert int(ask(house.relay.desk, "GET", "/status").said["unfinished"]) == 0


def test_a_file_that_the_relay_may_have_is_not_called_lost(refusing: Lane, tmp_path: Path) -> None:
    house = refusing.house
    before = house.drops()
    with impatient(house, loses_commits, tmp_path) as visitor:
        assert visitor.post("sealed", [], [("report.age", sealed(refusing, b"x"))]).status == 400
    assert "It may have arrived all the same" in visitor.text
    assert len(house.drops()) == len(before) + 1


def test_a_file_that_comes_byte_by_byte_takes_little_memory(refusing: Lane) -> None:
    house = refusing.house
    file = sealed(refusing, bytes(10_000))
    body, kind = encode([], [("report.age", file)])
    end = body.index(file) + len(file)
    found = held(house.edition, house.relay.source, "sealed", kind, body, end - 3000, end)
    assert found.answer.startswith(b"HTTP/1.1 200 ")
    assert found.size < 300_000


def test_no_file_and_too_large_a_file_are_said(refusing: Lane) -> None:
    visitor = refusing.visitor()
    before = refusing.house.drops()
    visitor.post("sealed", [], [("", b"")])
    assert "Choose the locked file" in visitor.text
    visitor.post("sealed", [], [("large.age", sealed(refusing, bytes(4 * PART)))])
    assert "That is too much at once: at most ⁨4.2 MB⁩ fit" in visitor.text.replace("\xa0", " ")
    assert refusing.house.drops() == before


@pytest.mark.parametrize("step", ["words", "confirm", "write", "send", "answers"])
def test_no_form_takes_a_word(refusing: Lane, step: str) -> None:
    visitor = refusing.visitor()
    before = refusing.house.drops()
    fields = [("codename", "00" * 16), ("typed", "abandon"), ("message", "m"), ("to", "ada")]
    assert visitor.post(step, fields).status == 400
    assert refusing.house.drops() == before


@pytest.mark.parametrize("page", ["send.html", "answers.html", "words"])
def test_every_way_leads_to_the_page_that_says_how(refusing: Lane, page: str) -> None:
    visitor: Visitor = refusing.visitor()
    visitor.open(page)
    assert "There are no answers this way" in visitor.text
    assert "age -R recipients.txt -o report.age report.pdf" in visitor.text
    assert "age, version 1.3 or newer" in visitor.text
