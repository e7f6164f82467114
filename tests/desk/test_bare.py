"""A file that a source sealed by hand, as where the newsroom seals nothing for them: it is not lost."""

from __future__ import annotations

import hashlib
import io
import os
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.newsdesk import Newsdesk, Result, run
from support.relay_process import new_id, send

from keys.age import seal_bytes

CONTENTS = {
    "a text": b"This is what I saw.\n",
    "nothing": b"",
    "a large file": os.urandom(3_000_000),
    "zeros": bytes(100_000 + 1),
    "a tar": b"",
}


def _tar() -> bytes:
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archive:
        member = tarfile.TarInfo("../report.pdf")
        member.size = 5
        archive.addfile(member, io.BytesIO(b"%PDF-"))
    return out.getvalue()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Newsdesk]:
    newsdesk = Newsdesk(tmp_path_factory.mktemp("bare"))
    newsdesk.start()
    for name in ("ada", "bea"):
        assert newsdesk.join(name).status == 0
    yield newsdesk
    newsdesk.stop()


def put(house: Newsdesk, content: bytes) -> tuple[str, bytes]:
    """Seals as `age -R recipients.txt` does, and gives the drop's id and the sealed file."""
    sealed = seal_bytes(content, [one.identity.recipient() for one in house.journalists.values()])
    id_ = new_id()
    assert send(house.relay.source, sealed, id_).status == 201
    return id_, sealed


def content_of(folder: Path) -> bytes:
    assert [path.name for path in folder.iterdir()] == ["files"]
    assert [path.name for path in (folder / "files").iterdir()] == ["content"]
    return (folder / "files/content").read_bytes()


@pytest.mark.parametrize("what", [name for name in CONTENTS if name != "zeros"])
def test_it_is_fetched_listed_shown_and_opened(house: Newsdesk, tmp_path: Path, what: str) -> None:
    content = CONTENTS[what] or (_tar() if what == "a tar" else b"")
    id_, sealed = put(house, content)
    assert house.desk("ada", "fetch").out == "1 new drop, 0 notes\n"
    row = next(line for line in house.desk("ada", "list").out.splitlines() if id_[:8] in line)
    assert "a file sealed by hand" in row
    assert row.startswith("*")
    [listed] = [one for one in house.desk("ada", "list", "--json").json if one["id"] == id_]
    assert (listed["kind"], listed["problem"], listed["files"]) == ("bare", "", 1)

    digest = hashlib.sha256(content).hexdigest()
    shown = house.desk("ada", "show", id_)
    assert digest in shown.out
    assert "the source, who sealed it by hand" in shown.out
    [file] = house.desk("ada", "show", id_, "--json").json["files"]
    assert file == {"name": "content", "size": len(content), "sha256": digest}

    assert house.desk("ada", "open", id_, "-o", tmp_path / "out").out.endswith("out holds 1 file\n")
    assert content_of(tmp_path / "out") == content
    lone = tmp_path / "lone.age"
    lone.write_bytes(sealed)
    opened = run("open", lone, "--identity", house.folder / "bea.key", "-o", tmp_path / "lone")
    assert opened.status == 0, opened.err
    assert content_of(tmp_path / "lone") == content


def test_it_cannot_be_answered_and_says_why(house: Newsdesk) -> None:
    id_, _ = put(house, b"Please answer")
    house.desk("ada", "fetch")
    done: Result = house.desk("ada", "reply", id_, text="hello")
    assert (done.status, done.out) == (1, "")
    assert "a file that was sealed by hand cannot be answered" in done.err


def test_one_that_is_cut_short_is_a_problem_and_writes_nothing(house: Newsdesk, tmp_path: Path) -> None:
    sealed = seal_bytes(
        CONTENTS["a large file"], [one.identity.recipient() for one in house.journalists.values()]
    )
    id_ = new_id()
    assert send(house.relay.source, sealed[:-1], id_).status == 201
    assert "1 that could not be read" in house.desk("ada", "fetch").out
    assert house.desk("ada", "open", id_, "-o", tmp_path / "out").status == 1
    assert list(tmp_path.iterdir()) == []
    lone = tmp_path / "lone.age"
    lone.write_bytes(sealed[:-1])
    assert run("open", lone, "--identity", house.folder / "ada.key", "-o", tmp_path / "lone").status == 1
    assert list(tmp_path.iterdir()) == [lone]


def test_what_begins_as_a_drop_and_is_none_stays_a_broken_drop(house: Newsdesk) -> None:
    for content in (b"drop.json\0" + b"x" * 1000, CONTENTS["zeros"]):
        put(house, content)
        assert "1 that could not be read" in house.desk("ada", "fetch").out
