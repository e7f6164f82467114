"""The loop as journalists live it: fetch, list, show, open, reply; and the source reads the answer."""

import hashlib
import json
import shutil
import subprocess
from datetime import timedelta
from pathlib import Path

import pytest
from support.newsdesk import Newsdesk, Source, run, today
from support.relay_process import ask

from keys import line
from keys.desk import editions
from keys.edition import Terms

ROOT = Path(__file__).parents[2]
TODAY = str(today())


def test_from_a_drop_to_an_answer_that_was_read(house: Newsdesk, tmp_path: Path) -> None:
    source = Source(house)
    drop = source.send("It began in March.\nThere are papers.", {"papers.pdf": b"%PDF" * 1000})

    assert house.desk("ada", "fetch").out == "1 new drop, 0 notes\n"
    (row,) = house.desk("ada", "list").out.splitlines()[1:]
    assert row.split() == [
        "*",
        drop[:8],
        TODAY,
        "source",
        "1",
        "19.1",
        "KiB",
        row.split()[7],
        *["It", "began", "in", "March."],
    ]

    shown = house.desk("ada", "show", drop[:6]).out
    assert "  | It began in March.\n  | There are papers.\n" in shown
    assert "answer to evidence\n  | papers\n" in shown
    assert "3.9 KiB  papers.pdf\n" in shown
    assert "*" not in house.desk("ada", "list").out

    folder = tmp_path / "out"
    opened = house.desk("ada", "open", drop[:6], "-o", folder).out
    assert opened.endswith(f"{folder} holds the message and 1 file\n")
    assert hashlib.sha256(b"%PDF" * 1000).hexdigest() in opened
    assert (folder / "files/papers.pdf").read_bytes() == b"%PDF" * 1000

    assert source.look() == []
    replied = house.desk("ada", "reply", drop, text="Thank you. Who signed them?\n")
    assert (replied.status, replied.out) == (0, "posted; the source can read it now\n")
    (reply,) = source.look()
    assert reply.text == "Thank you. Who signed them?"
    assert reply.signer == house.journalists["ada"].public.signer

    source.send("The minister did.")
    assert house.desk("ada", "fetch").out == "1 new drop, 1 note\n"
    told = house.desk("ada", "show", drop).out.partition("conversation\n")[2]
    assert told == (
        f"{TODAY}  the source: above\n"
        f"{TODAY}  ada, reply (read by the source)\n  | Thank you. Who signed them?\n"
        f"{TODAY}  the source\n  | The minister did.\n"
    )


def test_a_colleague_sees_the_conversation_and_answers_too(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    for name in ("ada", "bea"):
        house.desk(name, "fetch")
    house.desk("ada", "reply", drop, text="from ada")
    assert house.desk("bea", "fetch").out == "0 new drops, 1 note\n"
    assert house.desk("bea", "reply", drop, text="from bea").status == 0
    assert "ada, reply (posted, not read yet)\n  | from ada\n" in house.desk("bea", "show", drop).out
    names = {one.public.signer: name for name, one in house.journalists.items()}
    assert {(names[reply.signer], reply.text) for reply in source.look()} == {
        ("ada", "from ada"),
        ("bea", "from bea"),
    }


def test_who_was_not_chosen_learns_nothing(house: Newsdesk) -> None:
    source = Source(house, to=["bea"])
    drop = source.send("only for bea")
    house.desk("bea", "fetch")
    house.desk("bea", "reply", drop, text="hello")
    said = house.desk("ada", "fetch", "--json").json
    assert {key: said[key] for key in ("drops", "notes", "problems", "others")} == {
        "drops": 0,
        "notes": 0,
        "problems": 0,
        "others": 3,
    }
    assert house.desk("ada", "list").out == "no drops\n"
    assert list((house.home("ada") / "drops").iterdir()) == []
    assert house.desk("ada", "fetch", "--json").json["others"] == 1, "its own cover note; nothing again"


def test_a_new_laptop_knows_the_conversation_and_the_next_n(house: Newsdesk, tmp_path: Path) -> None:
    source = Source(house)
    drop = source.send("hello")
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop, text="x" * (line.TEXT + 1))
    house.desk("ada", "reply", drop, text="second")
    shutil.rmtree(house.home("ada"))

    assert house.join("ada").status == 0
    assert house.desk("ada", "fetch").out == "1 new drop, 2 notes\n"
    assert house.desk("ada", "reply", drop, text="third").status == 0
    assert [reply.lines for reply in source.look()] == [(0, 1), (2,), (3,)]
    told = house.desk("ada", "show", drop).out
    assert all(f"  | {text}\n" in told for text in ("x" * (line.TEXT + 1), "second", "third"))


def test_a_reply_stays_until_it_is_read(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop, text="x" * (line.TEXT + 1))
    syncs = house.newsroom.board.lines // house.newsroom.board.post
    seen: set[bytes] = set()
    replies = []
    for _ in range(syncs + 1):
        board = ask(house.relay.source, "GET", "/board").body
        seen |= {board[at : at + line.LINE] for at in range(0, len(board), line.LINE)}
        replies.append([reply.lines for reply in source.look()])
        house.desk("ada", "fetch")
    assert [] not in replies, "on the board whenever the source comes"
    assert source.look()[0].lines == (2, 3), "fresh n before it left the board"
    labels = [sealed[:16] for sealed in seen]
    assert len(labels) == len(set(labels)), "no label twice, ever"

    source.send("read it, thanks")
    for _ in range(syncs + 1):
        house.desk("ada", "fetch")
    assert source.look() == [], "not posted again once it was read"


def test_what_one_sync_could_not_post_the_next_one_does(house: Newsdesk) -> None:
    source = Source(house)
    drop = source.send("hello")
    house.desk("ada", "fetch")
    house.stop()
    failed = house.desk("ada", "reply", drop, text="patience")
    assert failed.status == 1
    assert failed.err == (
        "desk: error: the relay does not answer: connection refused\n"
        "desk: hint: the reply is kept; `desk fetch` posts it\n"
    )
    assert "(waits to be posted)\n  | patience" in house.desk("ada", "show", drop).out
    house.relay.start()
    house.join("ada")
    assert house.desk("ada", "fetch").status == 0
    assert [reply.text for reply in source.look()] == ["patience"]


def test_machines_read_the_same(house: Newsdesk, tmp_path: Path) -> None:
    source = Source(house, to=["ada"])
    drop = source.send("hello", {"a.txt": b"abc"})
    house.desk("ada", "fetch")
    (listed,) = house.desk("ada", "list", "--json").json
    assert listed["id"] == drop
    assert (listed["kind"], listed["files"], listed["shown"], listed["to"]) == ("drop", 1, False, ["ada"])
    shown = house.desk("ada", "show", drop, "--json").json
    assert shown["message"] == "hello"
    sha = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    assert shown["files"] == [{"name": "a.txt", "size": 3, "sha256": sha}]
    assert house.desk("ada", "open", drop, "-o", tmp_path / "out", "--json").json["files"] == 1
    posted = house.desk("ada", "reply", drop, "--json", text="hi").json
    assert posted["condition"] == "posted"
    turns = house.desk("ada", "show", drop, "--json").json["conversation"]
    assert [(turn["who"], turn["text"]) for turn in turns] == [(None, "hello"), ("ada", "hi")]
    thread = source.thread.hex()
    for command in (["list"], ["show", drop]):
        assert thread not in house.desk("ada", *command, "--json").out, "the thread key is nobody's to see"


def test_the_page_and_the_desk_understand_each_other(house: Newsdesk, tmp_path: Path) -> None:
    """A source with the page's own JavaScript: sends to ada, and reads ada's answer."""
    (tmp_path / "Ünïcode name.txt").write_bytes(b"content")
    job = {
        "edition": {
            "newsroom": house.newsroom.id,
            "language": "en",
            "terms": vars(Terms.of(house.newsroom)),
            "recipients": [vars(one) for one in house.newsroom.recipients],
        },
        "base_url": house.relay.source_url,
    }
    sent = source_mjs(
        job | {"message": "déjà vu", "to": ["ada"], "files": [str(tmp_path / "Ünïcode name.txt")]}
    )
    assert house.desk("ada", "fetch").out == "1 new drop, 0 notes\n"
    shown = house.desk("ada", "show", sent["id"], "--json").json
    assert (shown["message"], shown["thread"]) == ("déjà vu", sent["thread"])
    assert [file["name"] for file in shown["files"]] == ["Ünïcode name.txt"]
    answer = "Grüße! " * 400
    house.desk("ada", "reply", sent["id"], text=answer)
    looked = source_mjs(job | {"look": sent["codename"]})
    assert [(one["author"], one["state"], one["text"]) for one in looked["replies"]] == [
        ("ada", "whole", answer)
    ]


def source_mjs(job: dict[str, object]) -> dict[str, object]:
    node = [ROOT / ".venv/bin/node", ROOT / "tests/support/source.mjs"]
    done = subprocess.run(
        node, input=json.dumps(job), capture_output=True, text=True, check=True, cwd=ROOT / "site"
    )
    said: dict[str, object] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize(
    "arguments", [["list"], ["fetch"], ["show", "ab"], ["reply", "ab"], ["open", "ab", "-o", "x"]]
)
def test_without_a_newsroom_every_command_says_so(arguments: list[str], tmp_path: Path) -> None:
    done = run("--home", tmp_path / "nothing", *arguments, text="hello")
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith("desk: error: no desk has joined a newsroom in ")
    assert done.err.endswith("desk: hint: begin with `desk join`\n")
    assert not (tmp_path / "nothing").exists()


def test_a_drop_that_is_deleted_is_gone_for_who_did_not_fetch_it(house: Newsdesk, tmp_path: Path) -> None:
    source = Source(house)
    drop, other = source.send("to be deleted", {"a.txt": b"x"}), source.send("to stay")
    house.desk("ada", "fetch")
    assert (
        house.desk("ada", "delete", drop).out
        == f"{drop[:8]} is gone from the box; this desk keeps its copy\n"
    )
    listed = [one["id"] for one in ask(house.relay.desk, "GET", "/drops").said["drops"]]
    assert drop not in listed
    assert other in listed
    said = json.loads(house.desk("ada", "delete", drop, "--json").out)  # also when it is gone already
    assert said == {"id": drop, "deleted": True}
    assert house.desk("ada", "open", drop, "-o", tmp_path / "kept").status == 0

    house.desk("bea", "fetch")
    unknown = house.desk("bea", "delete", drop)
    assert (unknown.status, unknown.out) == (1, "")
    assert unknown.err.startswith(f"desk: error: no drop has an id that begins with {drop}")
    assert other[:8] in house.desk("bea", "list").out


def test_what_expires_is_told_beforehand(house: Newsdesk, monkeypatch: pytest.MonkeyPatch) -> None:
    drop = Source(house).send("hello")
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop, text="are you there?")
    assert "posted no longer" not in house.desk("ada", "fetch").err
    last = today() + timedelta(days=house.newsroom.retention.days)
    monkeypatch.setattr(editions, "today", lambda: last - timedelta(days=3))
    said = house.desk("ada", "fetch").err
    assert f"desk: warning: 1 of your replies: still unread, and posted no longer after {last}\n" in said
    monkeypatch.setattr(editions, "today", lambda: house.newsroom.expires - timedelta(days=14))
    until = house.newsroom.expires
    says = f"desk: warning: the edition expires on {until}; the newsroom owes you the next one\n"
    for told in (house.join("ada"), house.desk("ada", "list")):
        assert says in told.err
