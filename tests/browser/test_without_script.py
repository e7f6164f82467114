"""Where the script does not run, the page says so and offers nothing to fill in."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from support.axe import violations
from support.firefox import Firefox
from support.house import House
from support.relay_process import ask
from support.source import Source

PAGES = ("send.html", "answers.html")


def _says_so_and_offers_nothing(firefox: Firefox) -> None:
    assert firefox.shown("#no-script")
    for css in ("form", "textarea", "input", "button"):
        assert not firefox.shown(css)


@pytest.fixture
def scriptless(firefox: Firefox) -> Iterator[Firefox]:
    """As at Tor Browser's level Safest."""
    firefox.set_pref("javascript.enabled", False)
    yield firefox
    firefox.set_pref("javascript.enabled", True)


@pytest.mark.parametrize("page", PAGES)
def test_with_javascript_off_the_page_says_so(scriptless: Firefox, house: House, page: str) -> None:
    Source(scriptless, house.url).open(page)
    _says_so_and_offers_nothing(scriptless)


@pytest.fixture
def forbidding(house: House) -> Iterator[str]:
    """The same edition from a box whose policy lets no script run, as a proxy or an add-on may do."""

    class Forbidding(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            answer = ask(house.relay.source, "GET", self.path)
            self.send_response(answer.status)
            self.send_header("Content-Type", answer.headers["content-type"])
            self.send_header("Content-Length", str(len(answer.body)))
            policy = "script-src 'none'; style-src 'self'; img-src data:"
            self.send_header("Content-Security-Policy", f"default-src 'none'; {policy}")
            self.end_headers()
            self.wfile.write(answer.body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Forbidding) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.mark.parametrize("page", PAGES)
def test_where_a_policy_forbids_the_script_the_page_says_so(
    firefox: Firefox, forbidding: str, page: str
) -> None:
    Source(firefox, forbidding).open(page)
    _says_so_and_offers_nothing(firefox)
    assert violations(firefox) == []
    assert any("script-src" in broken for broken in firefox.errors())  # the policy of this box, on purpose


@pytest.mark.parametrize("page", ["index.html", "genuine.html"])
def test_the_pages_to_read_need_no_script(scriptless: Firefox, house: House, page: str) -> None:
    Source(scriptless, house.url).open(page)
    assert scriptless.shown("main h1")
    assert scriptless.count("script") == 0
