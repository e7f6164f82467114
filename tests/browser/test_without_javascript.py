"""The whole way without JavaScript, as at Tor Browser's level Safest: plain forms, typed and clicked."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.firefox import ENTER, SPACE, TAB, Firefox
from support.house import LANGUAGES
from support.lane import Lane
from support.tour import Tour

from keys.age import HybridIdentity, seal_bytes

MESSAGE = "First line\n\n<b>third</b> & “more”"
MIB = 1 << 20


@pytest.fixture(scope="module")
def lane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    with Lane(tmp_path_factory.mktemp("lane") / "house") as running:
        yield running
    assert (running.sealer.said, running.sealer.errors) == ("", "")


@pytest.fixture(scope="module")
def refusing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lane]:
    with Lane(tmp_path_factory.mktemp("refusing") / "house", "refuse") as running:
        yield running


@pytest.fixture
def scriptless(firefox: Firefox) -> Iterator[Firefox]:
    firefox.set_pref("javascript.enabled", False)
    yield firefox
    firefox.set_pref("javascript.enabled", True)


class Source:
    """A source who fills forms and presses buttons."""

    def __init__(self, firefox: Firefox, lane: Lane, language: str = "en") -> None:
        self.firefox = firefox
        self.root = f"{lane.sealer.url}/{language}"

    def open(self, page: str) -> None:
        self.firefox.open(f"{self.root}/{page}")

    def press(self, step: str, css: str = "") -> None:
        """Presses the button of the form that leads to this step, and waits for the page behind it."""
        old = self.firefox.find("body")
        self.firefox.click(f'form[action$="/{step}"] {css or "button"}')
        self.firefox.wait(lambda: self.firefox.find("main h1") and self.firefox.find("body") != old)

    def words(self) -> str:
        self.open("send.html")
        self.press("words")
        shown = self.firefox.text("#words").split()
        return " ".join(word for word in shown if not word.rstrip(".").isdigit())

    def begin(self) -> str:
        words = self.words()
        self.press("confirm")
        self.firefox.type("#typed", words)
        self.press("write")
        return words

    def attach(self, *files: Path) -> None:
        self.firefox.type("#file", "\n".join(map(str, files)))

    def title(self) -> str:
        return self.firefox.text("main h1")


class Keyboard:
    def __init__(self, firefox: Firefox) -> None:
        self.firefox = firefox

    def to(self, css: str) -> None:
        for _ in range(60):
            self.firefox.press(TAB)
            if self.firefox.script("return document.activeElement.matches(arguments[0])", css):
                return
        pytest.fail(f"{css} is not reached with Tab")

    def press(self, css: str) -> None:
        self.to(css)
        self.firefox.press(ENTER)


def test_the_whole_way(scriptless: Firefox, lane: Lane, tmp_path: Path) -> None:
    firefox, house = scriptless, lane.house
    files = {
        "Protokoll 4. März.pdf": os.urandom(3 * MIB + 1),
        "empty.txt": b"",
        "notes.txt": b"\r\n--note\r\n",
    }
    for name, data in files.items():
        (tmp_path / name).write_bytes(data)
    before = set(house.drops())
    source = Source(firefox, lane)

    words = source.words()
    source.press("confirm")
    firefox.type("#typed", "never mind")
    source.press("write")
    assert "There should be twelve" in firefox.text("#typed-error")
    source.press("write", "[formaction]")  # to see the words again, whatever the field holds
    assert all(word in firefox.text("#words") for word in words.split())
    source.press("confirm")
    firefox.type("#typed", words)
    source.press("write")

    for name in ("ada", "bo"):
        firefox.click(f"#to input[value={name}]")  # all are chosen at first
    firefox.type("#message", MESSAGE)
    firefox.type("#q-evidence", "The minutes")
    firefox.click("#q-others option:nth-child(3)")
    source.press("send")
    assert firefox.text("#to-error") == "Choose who may read this."
    firefox.click("#to input[value=ada]")
    source.attach(*(tmp_path / name for name in files))
    source.press("send")
    assert source.title() == "It has arrived"
    assert firefox.url == f"{source.root}/send"

    [drop] = set(house.drops()) - before
    opened = house.open("ada", drop)
    assert (opened.text, opened.files, opened.letter.to) == (MESSAGE, files, ("ada",))
    assert opened.letter.answers == {"evidence": "The minutes", "others": "Nobody else"}
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop[:12], text="Thank you.\nWhich came first?")
    house.forge("bo", drop, "Tell me your name")

    source.open("answers.html")
    firefox.type("#typed", words)
    source.press("answers")
    said = firefox.text("#conversation")
    assert "Ada Smit\nThank you.\nWhich came first?" in said
    assert "Bo Smit did not sign" in said.replace("\u2068", "").replace("\u2069", "")
    assert "Tell me your name" not in said
    before = set(house.drops())
    firefox.type("#message", "The second.")
    source.press("send")
    assert source.title() == "It has arrived"
    [follow_up] = set(house.drops()) - before
    assert house.open("ada", follow_up).letter.thread == opened.letter.thread
    assert firefox.chrome("return Services.cookies.cookies.length") == 0


def test_a_large_file_sent_to_nobody_takes_no_text_with_it(
    scriptless: Firefox, lane: Lane, tmp_path: Path
) -> None:
    source = Source(scriptless, lane)
    source.begin()
    large = tmp_path / "large.bin"
    with large.open("wb") as file:
        file.truncate(200 * MIB)
    for name in ("ada", "bo"):
        scriptless.click(f"#to input[value={name}]")
    scriptless.type("#message", "my only copy")
    scriptless.type("#q-evidence", "e")
    source.attach(large)
    source.press("send")
    assert scriptless.text("#to-error") == "Choose who may read this."
    assert "my only copy" in str(
        scriptless.command(
            "WebDriver:GetElementProperty", {"id": scriptless.find("#message"), "name": "value"}
        )
    )


def test_a_question_that_must_be_answered_is_asked_by_the_browser(scriptless: Firefox, lane: Lane) -> None:
    source = Source(scriptless, lane)
    source.begin()
    scriptless.type("#message", "no evidence yet")
    scriptless.click('form[action$="/send"] button')
    assert source.title() == "3. Write, and send"
    assert scriptless.count("#q-evidence:invalid") == 1


def test_with_keys_alone(firefox: Firefox, lane: Lane) -> None:
    source = Source(firefox, lane)
    source.open("send.html")
    keys = Keyboard(firefox)
    keys.press('form[action$="/words"] button')
    firefox.wait(lambda: firefox.count("#words"))
    words = firefox.text("#words").split()
    keys.press('form[action$="/confirm"] button')
    firefox.wait(lambda: firefox.count("#typed"))
    keys.to("#typed")
    firefox.press(*"wrong words")
    keys.press('form[action$="/write"] button')
    firefox.wait(lambda: firefox.count("#typed-error"))
    # The reader is where the mistake is.
    firefox.wait(lambda: firefox.script("return document.activeElement.id") == "typed")
    firefox.script("document.activeElement.select()")
    firefox.press(*" ".join(word for word in words if not word.rstrip(".").isdigit()))
    keys.press('form[action$="/write"] button')
    firefox.wait(lambda: firefox.count("#message"))
    keys.to("#to input[value=bo]")
    firefox.press(SPACE)
    keys.to("#message")
    firefox.press(*"No mouse")
    keys.to("#q-evidence")
    firefox.press(*"my eyes")
    keys.press('form[action$="/send"] button')
    firefox.wait(lambda: source.title() == "It has arrived")


def test_a_file_that_was_sealed_by_hand(scriptless: Firefox, refusing: Lane, tmp_path: Path) -> None:
    house = refusing.house
    plain, sealed = tmp_path / "plain.age", tmp_path / "sealed.age"
    plain.write_bytes(b"not sealed at all" * 1000)
    sealed.write_bytes(
        seal_bytes(b"sealed by hand", [one.identity.recipient() for one in house.journalists.values()])
    )
    source = Source(scriptless, refusing)
    for page in ("send.html", "answers.html"):
        source.open(page)
        assert "a file that you locked yourself" in scriptless.text("main")
    source.attach(plain)
    source.press("sealed")
    assert "not locked with all the keys" in scriptless.text("#file-error")
    before = set(house.drops())
    source.attach(sealed)
    source.press("sealed")
    assert source.title() == "It has arrived"
    assert len(set(house.drops()) - before) == 1


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_page_is_fit_for_everyone(firefox: Firefox, lane: Lane, tmp_path: Path, language: str) -> None:
    tour, source, house = Tour(firefox, language), Source(firefox, lane, language), lane.house
    before = set(house.drops())
    source.open("send.html")
    tour.stop("lane-1-start")
    words = source.words()
    tour.stop("lane-2-words")
    source.press("confirm")
    tour.stop("lane-3-confirm")
    firefox.type("#typed", "never mind")
    source.press("write")
    tour.stop("lane-3-confirm-wrong")
    firefox.script("document.querySelector('#typed').value = ''")
    firefox.type("#typed", words)
    source.press("write")
    firefox.type("#message", "What happened")
    firefox.script("for (const field of document.querySelectorAll('[required]')) field.required = false")
    for name in ("ada", "bo"):
        firefox.click(f"#to input[value={name}]")
    source.press("send")
    tour.stop("lane-4-write-wrong")
    firefox.click("#to input[value=ada]")
    firefox.type("#q-evidence", "Minutes")
    source.press("send")
    tour.stop("lane-5-done")
    [drop] = set(house.drops()) - before
    source.open("answers.html")
    tour.stop("lane-6-answers")
    firefox.type("#typed", words)
    source.press("answers")
    house.desk("ada", "fetch")
    house.desk("ada", "reply", drop[:12], text="Thank you.\n\nWhich of the two reports came first?")
    house.forge("bo", drop, "Tell me your name")
    source.press("answers")
    tour.stop("lane-7-conversation")
    firefox.viewport(1280)
    assert tour.problems == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_page_for_sealed_files_is_fit_for_everyone(
    firefox: Firefox, refusing: Lane, tmp_path: Path, language: str
) -> None:
    tour, source = Tour(firefox, language), Source(firefox, refusing, language)
    source.open("send.html")
    tour.stop("lane-refuse")
    sealed = tmp_path / "sealed.age"
    sealed.write_bytes(seal_bytes(b"", [HybridIdentity.generate().recipient()]))
    source.attach(sealed)
    source.press("sealed")
    tour.stop("lane-refuse-wrong")
    others = [HybridIdentity.generate().recipient() for _ in refusing.house.journalists]
    sealed.write_bytes(seal_bytes(b"", others))  # for whom, only they can tell
    source.attach(sealed)
    source.press("sealed")
    tour.stop("lane-refuse-done")
    firefox.viewport(1280)
    assert tour.problems == []
