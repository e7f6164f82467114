"""Drops on their way from a source to a desk, and every way in which they can be malformed."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest
from support.relay_process import PART, RelayProcess, ask, commit, connect, connection, new_id, send
from support.small_edition import STANZAS, TERMS, age_head, some_drop


def listed(relay: RelayProcess) -> dict[str, int]:
    return {drop["id"]: drop["size"] for drop in ask(relay.desk, "GET", "/drops").said["drops"]}


@pytest.mark.parametrize("size", [20_000, PART, PART + 1, 3 * PART, 5 * PART - 1])
def test_what_was_sent_is_fetched(relay: RelayProcess, size: int) -> None:
    id_, drop = new_id(), some_drop(size)
    assert send(relay.source, drop, id_).status == 201
    assert listed(relay)[id_] == size
    assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop


def test_a_short_drop_takes_one_request(relay: RelayProcess) -> None:
    id_, drop = new_id(), some_drop()
    for _ in range(2):  # the second is the retry of one whose answer was lost
        assert ask(relay.source, "PUT", f"/drops/{id_}/0?commit", drop).status == 201
    assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop


def test_parts_come_in_any_order_and_more_than_once(relay: RelayProcess) -> None:
    id_, drop = new_id(), some_drop(3 * PART + 7)
    with connection(relay.source) as kept:
        for n in (3, 1, 0, 1, 2, 3):
            assert ask(kept, "PUT", f"/drops/{id_}/{n}", drop[n * PART : (n + 1) * PART]).status == 204
    assert commit(relay.source, id_, 4, len(drop)).status == 201
    assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop


def test_the_last_put_of_a_part_counts(relay: RelayProcess) -> None:
    id_, drop = new_id(), some_drop(PART + 500)
    for second in (os.urandom(700), drop[PART:]):
        assert ask(relay.source, "PUT", f"/drops/{id_}/1", second).status == 204
    assert ask(relay.source, "PUT", f"/drops/{id_}/0", drop[:PART]).status == 204
    assert commit(relay.source, id_, 2, len(drop)).status == 201
    assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop


def test_nothing_changes_a_committed_drop(relay: RelayProcess) -> None:
    id_, drop = new_id(), some_drop(2 * PART)
    assert send(relay.source, drop, id_).status == 201
    assert ask(relay.source, "PUT", f"/drops/{id_}/0", os.urandom(100)).status == 204
    assert ask(relay.source, "PUT", f"/drops/{id_}/7", os.urandom(100)).status == 204
    assert ask(relay.source, "PUT", f"/drops/{id_}/0?commit", some_drop()).status == 409
    assert commit(relay.source, id_, 1, PART).status == 409
    assert commit(relay.source, id_, 2, 2 * PART).status == 201
    assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop


def test_a_desk_puts_notes_as_a_source_puts_drops(relay: RelayProcess) -> None:
    short, long = new_id(), new_id()
    assert ask(relay.desk, "PUT", f"/drops/{short}/0?commit", some_drop()).status == 201
    assert send(relay.desk, some_drop(PART + 1), long).status == 201
    assert listed(relay).keys() >= {short, long}


def test_drops_are_listed_in_order_of_arrival(relay: RelayProcess) -> None:
    before = ask(relay.desk, "GET", "/drops").said
    ids = [new_id() for _ in range(5)]
    for id_ in ids:
        assert ask(relay.source, "PUT", f"/drops/{id_}/0?commit", some_drop()).status == 201
    after = ask(relay.desk, "GET", f"/drops?after={before['cursor']}").said
    assert [drop["id"] for drop in after["drops"]] == ids
    assert not after["more"]
    assert all(re.fullmatch(r"\d{4}-\d\d-\d\d", drop["day"]) for drop in after["drops"])
    assert ask(relay.desk, "GET", f"/drops?after={after['cursor']}").said["drops"] == []
    # A cursor that this run of the relay did not give out means nothing, so it lists everything.
    assert ask(relay.desk, "GET", "/drops?after=0123456789abcdef-99").said["drops"][-1]["id"] == ids[-1]


@pytest.mark.parametrize(
    "after", ["", "x", "0123456789abcdef", "0123456789abcdef-", "0123456789ABCDEF-1", "-1"]
)
def test_a_cursor_that_is_none(relay: RelayProcess, after: str) -> None:
    assert ask(relay.desk, "GET", f"/drops?after={after}").status == 400


@pytest.mark.parametrize(
    ("range_", "start", "stop"),
    [
        ("bytes=0-9", 0, 10),
        (f"bytes={PART - 5}-{PART + 4}", PART - 5, PART + 5),
        (f"bytes={PART}-", PART, 3 * PART + 7),
        ("bytes=-10", 3 * PART - 3, 3 * PART + 7),
        (f"bytes=5-{2 * PART}", 5, 2 * PART + 1),
    ],
)
def test_a_range_of_a_drop(relay: RelayProcess, range_: str, start: int, stop: int) -> None:
    id_, drop = new_id(), some_drop(3 * PART + 7)
    assert send(relay.source, drop, id_).status == 201
    reply = ask(relay.desk, "GET", f"/drops/{id_}", headers={"Range": range_})
    assert reply.status == 206
    assert reply.body == drop[start:stop]
    assert reply.headers["content-range"] == f"bytes {start}-{stop - 1}/{len(drop)}"
    outside = ask(relay.desk, "GET", f"/drops/{id_}", headers={"Range": f"bytes={len(drop)}-"})
    assert outside.status == 416


def test_a_deleted_drop_is_gone(relay: RelayProcess) -> None:
    for size in (20_000, 2 * PART):
        id_ = new_id()
        assert send(relay.source, some_drop(size), id_).status == 201
        for _ in range(2):
            assert ask(relay.desk, "DELETE", f"/drops/{id_}").status == 204
        assert ask(relay.desk, "GET", f"/drops/{id_}").status == 404
        assert id_ not in listed(relay)
    assert not [path for path in relay.data.rglob("*") if id_ in path.name]
    assert list((relay.data / "gone").iterdir()) == []


@pytest.mark.parametrize("target", ["x/0", f"{new_id()[:-1]}/0", f"{new_id().upper()}A/0", f"{new_id()}/-1"])
def test_an_id_or_a_part_that_is_none(relay: RelayProcess, target: str) -> None:
    assert ask(relay.source, "PUT", f"/drops/{target}", some_drop()).status == 400
    assert ask(relay.source, "POST", f"/drops/{target}", b"{}").status == 400
    assert ask(relay.desk, "GET", f"/drops/{target}").status == 400
    assert ask(relay.desk, "DELETE", f"/drops/{target}").status == 400


NO_DROPS = {
    "nothing": b"x",
    "random": os.urandom(20_000),
    "truncated": age_head()[:-1],
    "cut in a stanza": age_head()[:2000],
    "a stanza short": some_drop(stanzas=STANZAS - 1),
    "a stanza more": some_drop(stanzas=STANZAS + 1),
    "another kind": age_head(kind=b"X25519") + bytes(9000),
    "armored": b"-----BEGIN AGE ENCRYPTED FILE-----\n" + bytes(9000),
}


@pytest.mark.parametrize("start", NO_DROPS.values(), ids=NO_DROPS)
def test_what_does_not_begin_as_a_drop(relay: RelayProcess, start: bytes) -> None:
    id_ = new_id()
    alone = ask(relay.source, "PUT", f"/drops/{id_}/0?commit", start)
    assert alone.status == 400
    assert "recipients" in alone.said["error"]
    assert commit(relay.source, id_, 1, len(start)).status == 404  # nothing of it was kept
    assert send(relay.source, start, id_).status == 400
    assert send(relay.source, start.ljust(PART, b"x") + b"more", id_).status == 400
    assert id_ not in listed(relay)


def test_a_part_can_be_mended_before_the_commit(relay: RelayProcess) -> None:
    id_, drop = new_id(), some_drop()
    assert send(relay.source, os.urandom(20_000), id_).status == 400
    assert send(relay.source, drop, id_).status == 201
    assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop


def test_missing_parts_are_named(relay: RelayProcess) -> None:
    id_, drop = new_id(), some_drop(2 * PART)
    assert ask(relay.source, "PUT", f"/drops/{id_}/0", drop[:PART]).status == 204
    assert ask(relay.source, "PUT", f"/drops/{id_}/3", drop[PART:]).status == 204
    reply = commit(relay.source, id_, 5, 4 * PART + 1)
    assert (reply.status, reply.said["missing"]) == (409, [1, 2, 4])
    assert commit(relay.source, new_id(), 1, 5).status == 404
    most = commit(relay.source, id_, 64, 64 * PART)
    assert (most.status, len(most.said["missing"])) == (409, 62)


LIES = {
    "smaller": (3, 2 * PART + 99),
    "larger": (3, 2 * PART + 101),
    "fewer parts": (2, 2 * PART),
    "numbers apart": (3, PART),
    "no parts": (0, 0),
}


@pytest.mark.parametrize("claim", LIES.values(), ids=LIES)
def test_a_commit_that_lies(relay: RelayProcess, claim: tuple[int, int]) -> None:
    id_, drop = new_id(), some_drop(2 * PART + 100)
    for n in range(3):
        assert ask(relay.source, "PUT", f"/drops/{id_}/{n}", drop[n * PART : (n + 1) * PART]).status == 204
    assert commit(relay.source, id_, *claim).status == 400
    assert id_ not in listed(relay)
    assert commit(relay.source, id_, 3, len(drop)).status == 201


def test_only_the_last_part_is_short(relay: RelayProcess) -> None:
    id_, drop = new_id(), some_drop(2 * PART)
    assert ask(relay.source, "PUT", f"/drops/{id_}/0", drop[: PART - 1]).status == 204
    assert ask(relay.source, "PUT", f"/drops/{id_}/1", drop[PART:]).status == 204
    assert commit(relay.source, id_, 2, 2 * PART - 1).status == 400


def test_a_part_that_is_too_large(relay: RelayProcess) -> None:
    id_ = new_id()
    assert ask(relay.source, "PUT", f"/drops/{id_}/0", bytes(PART + 1)).status == 413
    assert ask(relay.source, "PUT", f"/drops/{id_}/0", b"").status == 400
    assert commit(relay.source, id_, 1, PART + 1).status == 400


def test_a_drop_that_is_too_large(relay: RelayProcess) -> None:
    id_, most = new_id(), TERMS["drop_bytes"]
    beyond = most // PART
    assert ask(relay.source, "PUT", f"/drops/{id_}/{beyond}", b"x").status == 413
    assert ask(relay.source, "PUT", f"/drops/{id_}/{beyond - 1}", b"x").status == 204
    assert commit(relay.source, id_, beyond + 1, most + 1).status == 413


def test_a_body_without_a_length(relay: RelayProcess) -> None:
    request = (
        b"PUT /drops/%b/0 HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n"
    )
    with connect(relay.source) as plugged:
        plugged.sendall(request % new_id().encode())
        assert plugged.recv(1000).startswith(b"HTTP/1.1 411 ")
    with connect(relay.desk) as plugged:
        plugged.sendall(b"POST /board HTTP/1.1\r\nHost: h\r\n\r\n")
        assert plugged.recv(1000).startswith(b"HTTP/1.1 411 ")


@pytest.mark.parametrize("body", [b"", b"x", b"[]", b'{"parts": "1", "size": 5}', b"x" * 5000])
def test_a_commit_that_is_none(relay: RelayProcess, body: bytes) -> None:
    assert ask(relay.source, "POST", f"/drops/{new_id()}", body).status == 400


def test_a_client_that_leaves_midway_leaves_nothing(relay: RelayProcess) -> None:
    id_ = new_id()
    with connect(relay.source) as plugged:
        plugged.sendall(f"PUT /drops/{id_}/0 HTTP/1.1\r\nHost: h\r\nContent-Length: {PART}\r\n\r\n".encode())
        plugged.sendall(some_drop(PART // 2))
    assert commit(relay.source, id_, 1, PART // 2).status == 404
    assert send(relay.source, some_drop(), id_).status == 201


def test_the_status(relay: RelayProcess) -> None:
    status = ask(relay.desk, "GET", "/status").said
    assert set(status) == {
        "edition",
        "expires",
        "free_bytes",
        "reserve_bytes",
        "drops",
        "unfinished",
        "board_posted",
        "board_day",
    }
    assert status["drops"] == len(listed(relay))
    assert (status["edition"], status["expires"]) == (7, "2099-12-31")


def test_no_time_of_day_is_kept(relay: RelayProcess) -> None:
    assert send(relay.source, some_drop(2 * PART), new_id()).status == 201
    kept = [*(relay.data / "drops").rglob("*"), relay.data / "board"]
    assert len(kept) > 3
    assert {path.stat().st_mtime % 86400 for path in kept} == {0}


def test_only_the_relay_can_read_what_it_keeps(relay: RelayProcess) -> None:
    assert {path.stat().st_mode & 0o077 for path in (relay.data, *relay.data.rglob("*"))} == {0}


def test_a_restart_keeps_what_was_acknowledged(edition: Path, tmp_path: Path) -> None:
    whole, begun = some_drop(PART + 5), some_drop(2 * PART)
    first, second = new_id(), new_id()
    with RelayProcess(edition, tmp_path / "data") as relay:
        assert send(relay.source, whole, first).status == 201
        assert ask(relay.source, "PUT", f"/drops/{second}/0", begun[:PART]).status == 204
        cursor = ask(relay.desk, "GET", "/drops").said["cursor"]
        assert relay.stop() == 0
        relay.start()
        assert commit(relay.source, first, 2, len(whole)).status == 201  # its answer may have been lost
        assert ask(relay.source, "PUT", f"/drops/{second}/1", begun[PART:]).status == 204
        assert commit(relay.source, second, 2, len(begun)).status == 201
        after = ask(relay.desk, "GET", f"/drops?after={cursor}").said
        assert [drop["id"] for drop in after["drops"]] == [first, second]
        assert ask(relay.desk, "GET", f"/drops/{second}").body == begun


def test_two_relays_do_not_share_a_folder(edition: Path, tmp_path: Path) -> None:
    with RelayProcess(edition, tmp_path / "data") as relay:
        other = tmp_path / "other"
        other.symlink_to(relay.data)
        with pytest.raises(RuntimeError, match="relay: error: another relay uses"):
            RelayProcess(edition, other)


def test_over_unix_sockets(edition: Path, tmp_path: Path) -> None:
    source, desk = tmp_path / "source", tmp_path / "desk"
    with RelayProcess(edition, tmp_path / "data", source=f"unix:{source}", desk=f"unix:{desk}") as relay:
        assert source.stat().st_mode & 0o777 == 0o660
        id_, drop = new_id(), some_drop(2 * PART)
        assert send(relay.source, drop, id_).status == 201
        assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop
        relay.kill()
        relay.start()  # a socket that a crash left behind is replaced
        assert ask(relay.desk, "GET", f"/drops/{id_}").body == drop
    assert not source.exists()
