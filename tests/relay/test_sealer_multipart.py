"""Forms as browsers write them, cut anywhere; and whatever else comes in their place."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.sealer_process import encode

from relay.errors import Refused
from relay.sealer.multipart import LONGEST_HEAD, Begin, Data, End, Event, Parser

KIND = "multipart/form-data; boundary=XX"
_TEXT = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=30)
_BYTES = st.binary(max_size=300) | st.lists(st.sampled_from([b"\r\n", b"--", b"X", b"\r", b"-"])).map(
    b"".join
)


def parsed(pieces: Iterable[bytes], kind: str = KIND) -> tuple[list[Event], bool]:
    """The events, neighbouring data joined, and whether the form was whole."""
    parser = Parser(kind)
    events: list[Event] = []
    for piece in pieces:
        for event in parser.feed(piece):
            if isinstance(event, Data) and events and isinstance(events[-1], Data):
                event = Data(memoryview(bytes(events.pop().data) + bytes(event.data)))
            events.append(event)
    return events, parser.done


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(_TEXT.filter(lambda name: '"' not in name and name), _TEXT), max_size=3),
    st.lists(st.tuples(_TEXT, _BYTES), max_size=3),
    st.lists(st.integers(1, 80), min_size=1, max_size=4),
)
def test_a_form_comes_out_as_it_went_in(
    fields: list[tuple[str, str]], files: list[tuple[str, bytes]], steps: list[int]
) -> None:
    body, kind = encode(fields, files)
    cuts = [0]
    while cuts[-1] < len(body):
        cuts.append(cuts[-1] + steps[len(cuts) % len(steps)])
    events, whole = parsed((body[a:b] for a, b in itertools.pairwise(cuts)), kind)
    expected: list[Event] = []
    for name, text in fields:
        expected += [Begin(name, None), *([Data(memoryview(text.encode()))] if text else []), End()]
    for name, data in files:
        expected += [Begin("file", _unescaped(name)), *([Data(memoryview(data))] if data else []), End()]
    assert whole
    assert events == expected


def _unescaped(name: str) -> str:
    # A browser does not escape the percent sign, so a name that holds an escape reads as what it stands for.
    return name.replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")


def test_every_split_point_is_alike() -> None:
    body, kind = encode([("message", "-" * 50)], [("a.txt", b"\r\n--" + b"-" * 40), ("", b"")])
    whole, _ = parsed([body], kind)
    for at in range(len(body)):
        assert parsed([body[:at], body[at:]], kind) == (whole, True)


def test_no_proper_beginning_of_a_form_is_a_form() -> None:
    body, kind = encode([("message", "hello")], [("a", b"data")])
    end = body.rindex(b"--") + 2
    assert parsed([body[:end]], kind)[1]
    assert not any(parsed([body[:at]], kind)[1] for at in range(end))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.lists(st.sampled_from([b"--XX", b"\r\n", b"--", b"a"])).map(b"".join))
def test_other_bytes_are_refused_or_wait_for_more(data: bytes) -> None:
    with contextlib.suppress(Refused):
        parsed([data])


@pytest.mark.parametrize(
    "body",
    [
        b"preamble\r\n--XX\r\n",
        b"--XX \r\n",
        b"--XX\r\n\r\n\r\n\r\n",
        b"--XX\r\nContent-Type: text/plain\r\n\r\n",
        b'--XX\r\nContent-Disposition: attachment; name="a"\r\n\r\n',
        b"--XX" + 2 * b'\r\nContent-Disposition: form-data; name="a"' + b"\r\n\r\n",
        b'--XX\r\nContent-Disposition: form-data; name="a"; filename="b"; more="c"\r\n\r\n',
        b'--XX\r\nContent-Disposition: form-data; name="a\r\n\r\n',
        b"--XX\r\n" + b"x" * LONGEST_HEAD,
    ],
)
def test_what_no_browser_writes_is_refused(body: bytes) -> None:
    with pytest.raises(Refused) as refused:
        parsed([body])
    assert refused.value.status == 400


@pytest.mark.parametrize(
    "kind",
    ["", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data", KIND + "\n", KIND + '"'],
)
def test_another_kind_of_body_is_refused(kind: str) -> None:
    with pytest.raises(Refused):
        Parser(kind)


def test_a_name_that_is_not_utf8_is_still_a_name() -> None:
    body = b'--XX\r\nContent-Disposition: form-data; name="file"; filename="\xff.txt"\r\n\r\n\r\n--XX--'
    assert parsed([body])[0][0] == Begin("file", "\ufffd.txt")


def test_little_is_held_back_of_a_large_file() -> None:
    parser = Parser(KIND)
    list(parser.feed(b'--XX\r\nContent-Disposition: form-data; name="f"; filename="f"\r\n\r\n'))
    given = sum(
        len(event.data) for _ in range(50) for event in parser.feed(bytes(10_000)) if isinstance(event, Data)
    )
    assert 500_000 - given < len(b"\r\n--XX")
