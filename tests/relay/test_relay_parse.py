"""What strangers send: any bytes parse or are refused, and nothing else happens."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.small_edition import STANZAS, age_head

from relay import parse
from relay.errors import Refused

ID = "0123456789abcdef0123456789abcdef"
HEAD = age_head()


def status_of(parser: Callable[..., object], *given: object) -> int | None:
    """What it refuses these with, None if it does not."""
    try:
        parser(*given)
    except Refused as refused:
        return refused.status
    return None


@pytest.mark.parametrize(
    "target",
    [
        "/drops/",
        f"/drops/{ID}",
        f"/drops/{ID}/",
        f"/drops/{ID}/00",
        f"/drops/{ID}/01",
        f"/drops/{ID}/-1",
        f"/drops/{ID}/+1",
        f"/drops/{ID}/1.0",
        f"/drops/{ID}/1000000",
        f"/drops/{ID}/٣",
        f"/drops/{ID}/0/",
        f"/drops/{ID}/0?",
        f"/drops/{ID}/0?commit=1",
        f"/drops/{ID}/0?commit&commit",
        f"/drops/{ID}/1?commit",
        f"/drops/{ID}/0\n",
        f"/drops/{ID.upper()}/0",
        f"/drops/{ID[:-1]}/0",
        f"/drops/{ID}0/0",
        f"/drops/{ID[:-1]}g/0",
        f"/drops//{ID}/0",
        f"/drops/../{ID}/0",
        f"/drops/%2e%2e/{ID}/0",
        f"http://relay/drops/{ID}/0",
    ],
)
def test_only_the_canonical_form_names_a_part(target: str) -> None:
    with pytest.raises(Refused) as refused:
        parse.part_target(target)
    assert refused.value.status == 400


def test_a_part_and_its_commit() -> None:
    assert parse.part_target(f"/drops/{ID}/0") == parse.PartTarget(ID, 0, commit=False)
    assert parse.part_target(f"/drops/{ID}/2047") == parse.PartTarget(ID, 2047, commit=False)
    assert parse.part_target(f"/drops/{ID}/0?commit") == parse.PartTarget(ID, 0, commit=True)


@pytest.mark.parametrize(
    "target", [f"/drops/{ID}/", f"/drops/{ID}?x", f"/drops/{ID}/0", "/drops/..", "/drops/"]
)
def test_only_an_id_names_a_drop(target: str) -> None:
    with pytest.raises(Refused):
        parse.drop_target(target)


def test_a_cursor_reads_as_it_was_written() -> None:
    cursor = parse.Cursor("0123456789abcdef", 17)
    assert parse.list_target(f"/drops?after={cursor}") == cursor
    assert parse.list_target("/drops") is None


@given(st.text() | st.from_regex(r"/drops[/?][0-9a-f]*.*", fullmatch=True))
def test_any_target_parses_or_is_refused(target: str) -> None:
    for parser in (parse.part_target, parse.drop_target, parse.list_target):
        assert status_of(parser, target) in (None, 400)


@pytest.mark.parametrize(
    ("parts", "size"),
    [(1, 1), (1, parse.PART), (2, parse.PART + 1), (3, 3 * parse.PART)],
)
def test_a_commit_whose_numbers_add_up(parts: int, size: int) -> None:
    assert parse.commit_body(json.dumps({"parts": parts, "size": size}).encode()) == (parts, size)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"null",
        b"{}",
        b'{"parts": 1}',
        b'{"parts": 1, "size": 5, "more": 1}',
        b'{"parts": 0, "size": 0}',
        b'{"parts": -1, "size": -5}',
        b'{"parts": true, "size": 1}',
        b'{"parts": 1.0, "size": 5}',
        b'{"parts": "1", "size": 5}',
        b'{"parts": 1, "size": 1048577}',
        b'{"parts": 2, "size": 1048576}',
        b'{"parts": 1, "size": NaN}',
        b'{"parts": 1, "size": 5',
        b"\xff\xfe",
        b"[" * parse.COMMIT_BODY,
    ],
)
def test_a_commit_that_is_none(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parse.commit_body(body)
    assert refused.value.status == 400


@given(st.binary(max_size=parse.COMMIT_BODY))
def test_any_body_is_a_commit_or_is_refused(body: bytes) -> None:
    if status_of(parse.commit_body, body) != 400:
        parts, size = parse.commit_body(body)
        assert parts == parse.parts_of(size)


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (None, None),
        ("bytes=0-0", (0, 1)),
        ("bytes=5-", (5, 100)),
        ("bytes=5-9", (5, 10)),
        ("bytes=5-5000", (5, 100)),
        ("bytes=-1", (99, 100)),
        ("bytes=-5000", (0, 100)),
        ("bytes=9-5", None),
        ("bytes=0-1,5-6", None),
        ("bytes=", None),
        ("bytes=-", None),
        ("bytes=a-b", None),
        ("lines=0-1", None),
    ],
)
def test_ranges(value: str | None, found: tuple[int, int] | None) -> None:
    assert parse.byte_range(value, 100) == found


@pytest.mark.parametrize("value", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_outside_the_drop(value: str) -> None:
    with pytest.raises(Refused) as refused:
        parse.byte_range(value, 100)
    assert refused.value.status == 416


@given(st.text() | st.from_regex(r"bytes=[0-9]*-[0-9]*", fullmatch=True), st.integers(1, 1 << 40))
def test_any_range_lies_within_the_drop(value: str, size: int) -> None:
    if status_of(parse.byte_range, value, size) != 416:
        found = parse.byte_range(value, size)
        assert found is None or 0 <= found[0] < found[1] <= size


def test_the_head_of_a_drop() -> None:
    head = parse.AgeHead(STANZAS)
    assert head.size == len(HEAD)
    assert head.begins(HEAD)
    assert head.begins(HEAD + b"nonce and ciphertext")


@pytest.mark.parametrize(
    "start",
    [
        b"",
        HEAD[:-1],
        HEAD[1:],
        age_head(STANZAS - 1) + b"x" * 4000,
        age_head(STANZAS + 1),
        age_head(kind=b"X25519"),
        age_head(kind=b"mlkem768x25518"),
        HEAD.replace(b"v1", b"v2"),
        HEAD.replace(b"\n", b"\r\n"),
        HEAD.replace(b"eeee", b"ee=e", 1),
        HEAD.replace(b"eeee", b"e\nee", 1),
        HEAD.replace(b"--- ", b"---", 1),
        HEAD.replace(b"age-encryption.org", b"AGE-encryption.org"),
        b"-----BEGIN AGE ENCRYPTED FILE-----\n" + HEAD,
    ],
)
def test_a_head_that_is_none(start: bytes) -> None:
    assert not parse.AgeHead(STANZAS).begins(start)


@given(st.integers(0, len(HEAD) - 1), st.integers(0, 255))
@example(0, ord("A"))
@example(HEAD.index(b"mlkem") + 3, ord("A"))
def test_one_other_byte_matters_unless_it_is_base64(at: int, byte: int) -> None:
    changed = HEAD[:at] + bytes([byte]) + HEAD[at + 1 :]
    base64 = any(run.start() <= at < run.end() for run in re.finditer(rb"e{40,}|k{40,}|m{40,}", HEAD))
    harmless = changed == HEAD or (base64 and ((chr(byte).isalnum() and byte < 128) or byte in b"+/"))
    assert parse.AgeHead(STANZAS).begins(changed) == harmless


@given(st.binary(max_size=len(HEAD) + 10), st.integers(1, 64))
def test_any_bytes_begin_a_drop_or_not(start: bytes, stanzas: int) -> None:
    assert not parse.AgeHead(stanzas).begins(start)
