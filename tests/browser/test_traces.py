"""What a visit leaves behind, asks for, and is told by the relay."""

from __future__ import annotations

from support.firefox import Firefox
from support.house import House
from support.relay_process import ask
from support.source import Source

MESSAGE = "A sentence that nothing but the drop may keep"
_KEPT = """
const left = { local: localStorage.length, session: sessionStorage.length, cookie: document.cookie };
left.databases = await indexedDB.databases();
left.caches = await caches.keys();
left.workers = (await navigator.serviceWorker?.getRegistrations?.()) ?? [];
return left;
"""
_REQUESTED = "return performance.getEntriesByType('resource').map(entry => entry.name)"


def test_a_visit_leaves_nothing_behind(any_firefox: Firefox, house: House) -> None:
    source = Source(any_firefox, house.url)
    source.open_send()
    source.write(MESSAGE, answers={"evidence": "none yet"}, to=["ada"])
    words = source.send()
    assert any_firefox.url == f"{house.url}/en/send.html"
    source.enter(words)
    source.reach("thread")
    assert any_firefox.url == f"{house.url}/en/answers.html"

    assert any_firefox.script(_KEPT) == {
        "local": 0,
        "session": 0,
        "cookie": "",
        "databases": [],
        "caches": [],
        "workers": [],
    }
    assert any_firefox.chrome("return Services.cookies.cookies.length") == 0
    secrets = [MESSAGE.encode(), " ".join(words).encode()]
    for file in any_firefox.profile.rglob("*"):
        if file.is_file():
            kept = file.read_bytes()
            assert not any(secret in kept for secret in secrets), file


def test_nothing_of_a_visit_is_printed(firefox: Firefox, house: House) -> None:
    source = Source(firefox, house.url)
    source.open_send()
    source.write(MESSAGE, answers={"evidence": "none yet"}, to=["ada"])
    source.submit()
    words = source.words()
    for secret in ("#words", "#typed"):
        assert (firefox.shown(secret), firefox.shown(".unprinted")) == (True, False)
        firefox.medium("print")
        assert (firefox.shown(secret), firefox.shown(".unprinted")) == (False, True)
        assert not firefox.shown("#app")
        firefox.medium("")
        if secret == "#words":
            firefox.click("#words-written")
            firefox.type("#typed", " ".join(words))
    source.open("index.html")
    firefox.medium("print")
    assert firefox.shown("main h1")
    assert not firefox.shown("nav")
    firefox.medium("")


def test_the_page_asks_nobody_but_its_own_box(firefox: Firefox, house: House) -> None:
    source = Source(firefox, house.url)
    for page in ("index.html", "send.html", "answers.html", "genuine.html"):
        source.open(page)
        asked = [str(url).removeprefix(house.url) for url in firefox.script(_REQUESTED)]
        assert {path for path in asked if path != "/board"} <= {file.path for file in house.manifest.files}


def test_both_pages_fetch_the_board_before_anything_is_typed(firefox: Firefox, house: House) -> None:
    source = Source(firefox, house.url)
    for page in ("send.html", "answers.html"):
        source.open(page)
        firefox.wait(lambda: f"{house.url}/board" in firefox.script(_REQUESTED))


def test_every_file_is_sent_with_the_headers_the_edition_records(house: House) -> None:
    manifest = house.manifest
    for file in manifest.files:
        answer = ask(house.relay.source, "GET", file.path)
        wanted = {"content-type": file.type} | {
            name.lower(): value for name, value in {**manifest.headers, **file.headers}.items()
        }
        assert answer.status == 200
        assert wanted.items() <= answer.headers.items()
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert not answer.headers.keys() & {"date", "server", "set-cookie"}
