"""A watcher knows what a relay says that cannot do what it is asked for, and takes nothing else for it."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from support.relay_process import PART, ROOT, RelayProcess, ask, connection, new_id
from support.small_edition import some_drop, write_edition

from keys.desk.answers import is_refusal
from keys.desk.watcher.browser import Browser, Request
from keys.desk.watcher.links import Answer
from keys.desk.watcher.verdict import refuses


@contextmanager
def relay(folder: Path, **settings: int) -> Iterator[RelayProcess]:
    edition = folder / "edition"
    edition.mkdir()
    with RelayProcess(write_edition(edition, drop_bytes=2 << 30), folder / "data", **settings) as one:
        yield one


def answer(relay: RelayProcess, request: Request) -> Answer:
    browser = Browser(relay.source_url, "127.0.0.1:1")
    try:
        return browser.ask(request, PART).answer
    finally:
        browser.close()


DROP = f"/drops/{new_id()}"
REQUESTS = {
    "no such file": (Request("GET", "/nothing", "document"), 404),
    "no such drop": (Request("POST", DROP, "empty", b'{"parts": 1, "size": 5}'), 404),
    "no id": (Request("PUT", "/drops/x/0", "empty", b"x"), 400),
    "no commit": (Request("POST", DROP, "empty", b"[]"), 400),
    "no drop": (Request("PUT", f"{DROP}/0?commit", "empty", b"x"), 400),
    "no method": (Request("POST", "/board", "empty", b"x"), 405),
    "no HTTP": (Request("GET", "/a b c", "document"), 400),
}


@pytest.mark.parametrize(("request_", "status"), REQUESTS.values(), ids=REQUESTS)
def test_a_relay_that_says_no_is_known(tmp_path: Path, request_: Request, status: int) -> None:
    with relay(tmp_path) as one:
        said = answer(one, request_)
    assert (said.status, refuses(said)) == (status, True)


def test_a_relay_that_lacks_parts_is_known(tmp_path: Path) -> None:
    n = 1999
    with relay(tmp_path) as one:
        assert ask(one.source, "PUT", f"{DROP}/{n}", b"x").status == 204
        claim = json.dumps({"parts": n + 1, "size": n * PART + 1}).encode()
        said = answer(one, Request("POST", DROP, "empty", claim))
    assert len(json.loads(said.body)["missing"]) == 100
    assert refuses(said)


def test_a_relay_without_a_place_is_known(tmp_path: Path) -> None:
    with relay(tmp_path, connections=1) as one, connection(one.source) as held:
        assert ask(held, "GET", "/").status == 200
        said = answer(one, Request("GET", "/", "document"))
    assert (said.status, refuses(said)) == (503, True)


def test_a_relay_with_too_many_drops_is_known(tmp_path: Path) -> None:
    with relay(tmp_path, unfinished_drops=1) as one:
        assert ask(one.source, "PUT", f"/drops/{new_id()}/1", b"x").status == 204
        said = answer(one, Request("PUT", f"{DROP}/1", "empty", b"x"))
    assert (said.status, refuses(said)) == (503, True)


def test_a_relay_whose_disk_is_full_is_known(tmp_path: Path) -> None:
    with relay(tmp_path, reserve_bytes=1 << 50) as one:
        said = answer(one, Request("PUT", f"{DROP}/0?commit", "empty", some_drop()))
    assert (said.status, refuses(said)) == (507, True)


def sentences() -> Iterator[str]:
    """All that the relay's code may refuse with; what is counted in one is written as 1."""
    for file in (ROOT / "relay").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Refused", "_refusal")):
                for given in node.args:
                    if isinstance(given, ast.JoinedStr):
                        yield "".join(
                            ast.literal_eval(one) if isinstance(one, ast.Constant) else "1"
                            for one in given.values
                        )
                    elif isinstance(given, ast.Constant) and isinstance(given.value, str):
                        yield given.value


def test_every_sentence_of_a_relay_is_known() -> None:
    said = list(sentences())
    assert len(said) > 20
    assert [one for one in said if not is_refusal(json.dumps({"error": one}).encode())] == []


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"<p>try again later</p>",
        b'{"error": ""}',
        b'{"error": "<p>try again later"}',
        b'{"error": "we are at another.onion now"}',
        b'{"error": "https://example.org"}',
        b'{"error": "\\u003cp\\u003e"}',
        b'{"error": "' + b"x" * 101 + b'"}',
        b'{"error": "no", "error": "no"}',
        b'{"error": "no", "more": "no"}',
        b'{"error": "no", "missing": ["no"]}',
        b'{"error": "no", "missing": [' + b"1, " * 100 + b"1]}",
        b'{"error": "no"}\n',
        b'["error"]',
    ],
)
def test_more_than_a_refusal_is_none(body: bytes) -> None:
    assert is_refusal(b'{"error": "no"}')
    assert not is_refusal(body)
