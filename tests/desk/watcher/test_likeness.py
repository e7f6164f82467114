"""To a relay a watcher is one more source: it makes the requests of a real Firefox with Tor Browser's
preferences, in the same order, on as many connections."""

from __future__ import annotations

import io
import re
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import groupby
from pathlib import Path

import pytest
from support.firefox import Firefox
from support.firefox_prefs import TOR_BROWSER as AS_TOR_BROWSER
from support.firefox_prefs import Prefs
from support.front import Bend, Forward, Front, Passed
from support.house import House
from support.newsdesk import recipients
from support.relay_process import new_id
from support.source import Source
from support.wires import Message

from keys.desk.watcher.browser import RELEASES, TOR_BROWSER, Browser, Release
from keys.desk.watcher.visit import Pace, Plan, Span, visit
from keys.drop import Attachment, seal
from keys.letter import Letter
from keys.onion import ServiceKey

pytestmark = pytest.mark.browser
AT_ONCE = Span(0, 0, 0)
PACE = Pace(AT_ONCE, AT_ONCE, AT_ONCE, AT_ONCE)
MORE: Prefs = {  # what else Tor Browser has that bears on connections
    "network.http.http3.enable": False,
    "privacy.firstparty.isolate": True,
    "privacy.partition.network_state": False,
}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    with House(tmp_path_factory.mktemp("likeness") / "house") as one:
        yield one


@pytest.fixture(scope="module")
def front(house: House) -> Iterator[Front]:
    with Front(house.relay.source, together()) as one:
        yield one


def together() -> Bend:
    """Gives a page its style once it has asked for its script: through tor neither comes before both were
    asked for."""
    asked = threading.Event()

    def bend(request: Message, forward: Forward) -> Message:
        path = request.head.split(" ")[1]
        if path == "/":
            asked.set()
        elif path.endswith(("/send.html", "/answers.html")):
            asked.clear()
        elif path.startswith("/scripts/"):
            asked.set()
        elif path.startswith("/styles/"):
            assert asked.wait(60)
        return forward()

    return bend


@pytest.fixture(scope="module")
def firefox(front: Front) -> Iterator[Firefox]:
    port = int(front.address.rpartition(":")[2])
    with Firefox({**AS_TOR_BROWSER, **MORE, "network.proxy.socks_port": port}) as one:
        yield one


def masked(one: Passed) -> tuple[str, int]:
    """A request but for what is drawn anew for each, and the length of its body."""
    head = re.sub(r"/drops/[0-9a-f]{32}", "/drops/ID", one.request.head)
    head = re.sub(r"\b[a-z2-7]{56}\.onion", "ONION", head)
    # A later release than any that is known says its own number.
    head = re.sub(r"Firefox/[0-9]+\.0\r", "Firefox/VERSION\r", head)
    head = re.sub(r"\((Windows|X11|Macintosh).*?; rv:[0-9]+\.0\)", "(SYSTEM; rv:VERSION)", head)
    return head, len(one.request.body)


def shape(passed: list[Passed]) -> Counter[tuple[tuple[str, int], ...]]:
    """What a relay sees of a visit, connection by connection."""
    links: dict[int, list[tuple[str, int]]] = {}
    for one in passed:
        links.setdefault(one.link, []).append(masked(one))
    return Counter(map(tuple, links.values()))


def requests(passed: list[Passed]) -> list[tuple[str, int]]:
    """All requests of a visit in the order in which they came, but for those that are made at once: what a
    page needs, and the parts of a drop."""

    def kind(one: tuple[str, int]) -> str:
        line = one[0].partition("\r\n")[0]
        return "at once" if line.startswith(("GET /styles/", "GET /scripts/", "PUT ")) else line

    groups = groupby(map(masked, passed), kind)
    return [one for _, group in groups for one in sorted(group)]


def seen(front: Front, go: Callable[[str], None]) -> tuple[list[Passed], int]:
    """What passes in a visit to an onion that was never visited before, and how many connections it makes."""
    before, links = len(front.passed), front.links
    go(ServiceKey.generate().address)
    return front.passed[before:], front.links - links


def go_to(firefox: Firefox, front: Front, onion: str, page: str) -> Source:
    """Takes Firefox to a page by way of the first, as slowly as a person, who reads that first: all that it
    has begun to open is open by then, and what the page fetches as it loads is there."""
    source = Source(firefox, f"http://{onion}")
    firefox.open(f"http://{onion}/")
    firefox.wait(lambda: len(front.open) == front.links)
    firefox.click(f'nav a[href="/en/{page}.html"]')
    source.reach("write" if page == "send" else "enter")
    firefox.wait(
        lambda: firefox.script("return performance.getEntriesByName(location.origin + '/board').length")
    )
    return source


def sent_by_firefox(firefox: Firefox, front: Front, onion: str, *files: Path) -> None:
    source = go_to(firefox, front, onion, "send")
    source.write("It began in March.", answers={"evidence": "papers"}, files=files)
    source.send()


def read_by_firefox(firefox: Firefox, front: Front, onion: str) -> None:
    go_to(firefox, front, onion, "answers")


def release(firefox: Firefox) -> Release:
    """What the watcher knows of the Firefox that is installed here."""
    agent = firefox.script("return navigator.userAgent")
    version = int(str(agent).rpartition("/")[2].partition(".")[0])
    return max((one for one in RELEASES if one.version <= version), key=lambda one: one.version)


def watched(house: House, front: Front, onion: str, drop: bytes, of: Release = TOR_BROWSER) -> None:
    """A watcher's visit; without a drop it reads answers."""
    pages = ("/", "/en/send.html" if drop else "/en/answers.html")
    plan = Plan(pages, 32 << 20, drop, new_id())
    browser = Browser(f"http://{onion}", front.address, of)
    try:
        assert visit(browser, plan, PACE, lambda _: None).trouble == ""
    finally:
        browser.close()


def canary(house: House, size: int = 0) -> bytes:
    out = io.BytesIO()
    files = [Attachment("canary", size, io.BytesIO(bytes(size)))] if size else []
    to = tuple(house.journalists)
    letter = Letter(
        newsroom=house.newsroom.id, thread=bytes(32), language="en", to=to, author="ada", canary=True
    )
    seal(out, letter, "canary", files, recipients(house.newsroom), house.journalists["ada"].signing_key)
    return out.getvalue()


@pytest.mark.parametrize("sends", [True, False], ids=["who sends", "who reads"])
def test_a_watcher_looks_like_a_source(house: House, front: Front, firefox: Firefox, sends: bool) -> None:
    by_firefox = sent_by_firefox if sends else read_by_firefox
    real, real_links = seen(front, lambda onion: by_firefox(firefox, front, onion))
    drop = canary(house) if sends else b""
    ours, our_links = seen(front, lambda onion: watched(house, front, onion, drop, release(firefox)))
    assert len(real) == (7 if sends else 6)
    assert requests(ours) == requests(real)
    assert shape(ours) == shape(real)
    assert our_links == real_links == 3


def test_a_watcher_sends_a_large_drop_like_a_source(
    house: House, front: Front, firefox: Firefox, tmp_path: Path
) -> None:
    file = tmp_path / "report.pdf"
    file.write_bytes(bytes(2_200_000))
    real, real_links = seen(front, lambda onion: sent_by_firefox(firefox, front, onion, file))
    drop = canary(house, file.stat().st_size)
    ours, our_links = seen(front, lambda onion: watched(house, front, onion, drop, release(firefox)))
    assert requests(ours) == requests(real)
    assert [one.request.head.split(" ")[0] for one in real[-4:]] == ["PUT", "PUT", "PUT", "POST"]
    # How many parts are on their way at once is up to how fast a computer seals.
    assert {our_links, real_links} <= {3, 4, 5}


def test_a_watcher_makes_as_many_connections_when_tor_is_slow(
    house: House, front: Front, firefox: Firefox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Firefox opens a second one beside one that is slow to open."""
    monkeypatch.setattr(front, "opening", 0.6)
    real, real_links = seen(front, lambda onion: sent_by_firefox(firefox, front, onion))
    ours, our_links = seen(front, lambda onion: watched(house, front, onion, canary(house), release(firefox)))
    assert requests(ours) == requests(real)
    assert (our_links, real_links) == (4, 4)


def test_each_visit_comes_over_a_circuit_of_its_own(house: House, front: Front) -> None:
    circuits = []
    for _ in range(2):
        passed, _ = seen(front, lambda onion: watched(house, front, onion, b""))
        circuits.append({one.circuit for one in passed})
    assert [len(names) for names in circuits] == [1, 1]
    assert circuits[0] != circuits[1]
