"""A source at the sealer's forms with a browser: no script runs, so what is read and done is what a person
reads and does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from support.firefox import Firefox


class Forms:
    def __init__(self, firefox: Firefox, origin: str, language: str = "en") -> None:
        self.firefox = firefox
        self.origin = origin
        self.language = language

    def open(self, page: str) -> None:
        self.firefox.open(f"{self.origin}/{self.language}/{page}")

    def submit(self, step: str) -> None:
        """Presses the button of the form that leads to this step."""
        self.firefox.click(f'form[action$="/{step}"] button:not([formaction])')

    def words(self) -> list[str]:
        """Asks for twelve words, and reads them."""
        self.submit("words")
        self.firefox.wait(lambda: self.firefox.shown("#words"))
        return self.firefox.text("#words").split()

    def type_back(self, words: Iterable[str]) -> None:
        """From the words to the form."""
        self.submit("confirm")
        self.firefox.wait(lambda: self.firefox.shown("#typed"))
        self.firefox.type("#typed", " ".join(words))
        self.submit("write")
        self.firefox.wait(lambda: self.firefox.shown("#message"))

    def send(
        self,
        message: str,
        *,
        to: Iterable[str] | None = None,
        answers: Mapping[str, str] = {},
        files: Sequence[Path] = (),
    ) -> None:
        """Fills in the form and sends it; returns once the box says that it has arrived."""
        if to is not None:
            self.choose(to)
        self.firefox.type("#message", message)
        for question, answer in answers.items():
            self.firefox.type(f"#q-{question}", answer)
        if files:
            self.firefox.type("#file", "\n".join(map(str, files)))
        self.submit("send")
        self.firefox.wait(lambda: self.firefox.text("main h1") == "It has arrived")

    def choose(self, names: Iterable[str]) -> None:
        """Leaves exactly these boxes ticked."""
        while self.firefox.count("#to input:checked"):
            self.firefox.click("#to input:checked")
        for name in names:
            self.firefox.click(f'#to input[value="{name}"]')

    def enter(self, words: Iterable[str]) -> None:
        """Looks for answers under these words."""
        self.open("answers.html")
        self.firefox.type("#typed", " ".join(words))
        self.submit("answers")
        self.firefox.wait(lambda: self.firefox.shown("#message"))

    def replies(self) -> str:
        return self.firefox.text("#conversation")
