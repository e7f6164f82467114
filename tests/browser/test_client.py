"""The tools the other tests look through: a check that cannot fail would prove nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.axe import violations
from support.firefox import SHIFT, TAB, Firefox, FirefoxError
from support.mirror import lopsided
from support.tripwire import Tripwire

PAGES = {
    "/": "<title>one</title><link rel=icon href=/icon><h1>One</h1><input id=a><input id=b><p hidden>no</p>",
    "/bad": "<script>1</script><script src=/throws></script><link rel=icon href=/icon>",
    "/throws": "undefinedFunction()",
    "/away": "<script src=/asks></script><input id=a><a href=/>leave</a><link rel=icon href=/icon>",
    "/asks": "addEventListener('beforeunload', event => event.preventDefault())",
}


class _Pages(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        page = PAGES.get(self.path, "").replace("<", "<!doctype html><", 1).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if b"<" in page else "text/javascript")
        self.send_header("Content-Security-Policy", "default-src 'none'; script-src 'self'; img-src 'self'")
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def pages() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Pages) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_keys_reach_the_page_and_move_the_focus(firefox: Firefox, pages: str) -> None:
    firefox.open(f"{pages}/")
    firefox.click("#a")
    firefox.press(*"Hi", TAB, *"you", SHIFT + TAB)
    assert firefox.script("return [a.value, b.value, document.activeElement.id]") == ["Hi", "you", "a"]


def test_what_some_cannot_use_is_found(firefox: Firefox, pages: str) -> None:
    firefox.open(f"{pages}/")
    found = violations(firefox)
    assert any(said.startswith("label: ") and "#a" in said for said in found)
    assert any(said.startswith("html-has-lang: ") for said in found)


def test_what_is_hidden_is_not_shown(firefox: Firefox, pages: str) -> None:
    firefox.open(f"{pages}/")
    assert [firefox.shown(css) for css in ("h1", "p", "h2")] == [True, False, False]
    with pytest.raises(FirefoxError):
        firefox.text("h2")


def test_a_page_can_be_narrow_and_dark(firefox: Firefox, pages: str) -> None:
    firefox.open(f"{pages}/")
    for width, dark in ((390, True), (1280, False)):
        firefox.viewport(width)
        firefox.dark(dark)
        seen = firefox.script("return [innerWidth, matchMedia('(prefers-color-scheme: dark)').matches]")
        assert seen == [width, dark]


@pytest.mark.parametrize(
    ("style", "expected"),
    [
        ("margin-inline-start: 40px", ""),
        ("margin-left: 40px", "40 pixels"),
        ("padding: 0 9px 0 0; float: left", "pixels"),
        ("text-align: left", "both ways"),
        ("margin-inline-end: -3000px", "wider than the screen"),
    ],
)
def test_what_has_a_left_and_a_right_is_found(
    firefox: Firefox, pages: str, style: str, expected: str
) -> None:
    firefox.open(f"{pages}/")
    assert lopsided(firefox) == []
    firefox.script("document.querySelector('h1').style.cssText = arguments[0]", style)
    found = lopsided(firefox)
    assert expected in "\n".join(found) if expected else found == []
    assert firefox.script("return document.documentElement.dir") == ""


def test_letters_can_be_larger(firefox: Firefox, pages: str) -> None:
    firefox.open(f"{pages}/")
    height = "return document.querySelector('h1').offsetHeight"
    before = firefox.script(height)
    firefox.text_zoom(2)
    assert firefox.script(height) == pytest.approx(2 * before, abs=4)
    firefox.text_zoom(1)
    assert firefox.script(height) == before


def test_a_broken_policy_and_a_thrown_error_are_seen(firefox: Firefox, pages: str) -> None:
    firefox.open(f"{pages}/")
    assert firefox.errors() == []
    firefox.open(f"{pages}/bad")
    broken = firefox.errors()
    assert len(broken) == 2
    assert any("inline script" in said for said in broken)
    assert any("undefinedFunction" in said for said in broken)
    assert firefox.errors() == []


def test_a_page_that_asks_before_it_is_left_is_seen_to_ask(firefox: Firefox, pages: str) -> None:
    before = firefox.leave_warnings()
    firefox.open(f"{pages}/away")
    firefox.click("#a")
    firefox.press("x")
    firefox.click("a")
    firefox.wait(lambda: firefox.url == f"{pages}/")
    assert firefox.leave_warnings() == before + 1


def test_a_request_that_leaves_this_machine_is_caught(
    firefox: Firefox, pages: str, tripwire: Tripwire
) -> None:
    firefox.open(f"{pages}/")
    assert tripwire.requests == []
    firefox.chrome("fetch('http://elsewhere.invalid/x').catch(() => 0)")
    firefox.wait(lambda: tripwire.requests)
    assert tripwire.requests == ["GET http://elsewhere.invalid/x HTTP/1.1"]
    tripwire.requests.clear()


def test_memory_is_that_of_all_its_processes(firefox: Firefox) -> None:
    assert len(firefox.processes()) > 2
    assert 100 << 20 < firefox.memory() < 3 << 30
