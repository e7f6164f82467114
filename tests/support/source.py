"""A source at the page, by the ids that site/scripts/README.md promises and nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from support.firefox import Firefox

_STEPS = """
const steps = [...document.querySelectorAll("section[id^=step-]")];
return steps.filter(step => step.checkVisibility()).map(step => step.id);
"""
_ENTRIES = """
return [...document.querySelectorAll('#conversation > li')].map(li => ({
  kind: li.dataset.kind,
  ...Object.fromEntries(['author', 'note', 'text'].map(part => {
    const found = li.querySelector(`[data-${part}]`);
    return [part, found && !found.hidden ? found.textContent : ''];
  })),
}))
"""


class Source:
    def __init__(self, firefox: Firefox, origin: str, language: str = "en") -> None:
        self.firefox = firefox
        self.origin = origin
        self.language = language

    def open(self, page: str) -> None:
        self.firefox.open(f"{self.origin}/{self.language}/{page}")

    def open_send(self) -> None:
        self.open("send.html")
        self.reach("write")

    @property
    def steps(self) -> list[str]:
        """The steps that are shown; never more than one."""
        return [str(step).removeprefix("step-") for step in self.firefox.script(_STEPS)]

    def reach(self, step: str) -> None:
        """Waits until that step is the one that is shown."""
        try:
            self.firefox.wait(lambda: self.steps == [step])
        except TimeoutError:
            said = self.firefox.script("return document.getElementById('app').innerText")
            raise AssertionError(f"the page is at {self.steps} and not at {step}: {said}") from None

    def said(self, key: str, **values: object) -> str:
        """What the page says under this key in its language."""
        text = str(self.edition["messages"][key])
        for name, value in values.items():
            text = text.replace(f"{{{name}}}", f"\u2068{value}\u2069")
        return text

    @property
    def edition(self) -> dict[str, Any]:
        data: dict[str, Any] = self.firefox.script(
            "return JSON.parse(document.getElementById('edition').textContent)"
        )
        return data

    def write(
        self,
        message: str = "",
        *,
        answers: Mapping[str, str] | None = None,
        files: Sequence[Path] = (),
        to: Iterable[str] | None = None,
    ) -> None:
        """Fills in the form: `answers` by question, choices by their position's text, `to` by name."""
        if message:
            self.firefox.type("#message", message)
        for question, answer in (answers or {}).items():
            self._answer(question, answer)
        if files:
            self.firefox.type("#files", "\n".join(map(str, files)))
            self.firefox.wait(lambda: self.firefox.count("#file-list > li") == len(files))
        if to is not None:
            self.choose(to)

    def _answer(self, question: str, answer: str) -> None:
        field = f'[data-question="{question}"]'
        if self.firefox.script("return document.querySelector(arguments[0]).matches('select')", field):
            self.firefox.click(f'{field} option[value="{answer}"]')
        else:
            self.firefox.type(field, answer)

    def choose(self, names: Iterable[str]) -> None:
        """Leaves exactly these boxes ticked."""
        wanted = set(names)
        ticked = dict(
            self.firefox.script(
                "return [...document.querySelectorAll('#to input')].map(box => [box.value, box.checked])"
            )
        )
        assert wanted <= ticked.keys()
        for name, on in ticked.items():
            if on != (name in wanted):
                self.firefox.click(f'#to input[value="{name}"]')

    def submit(self) -> None:
        self.firefox.click("#write [type=submit]")

    def words(self) -> list[str]:
        """The twelve words, once they are shown."""
        self.reach("words")
        words = self.firefox.script(
            "return [...document.querySelectorAll('#words > li')].map(li => li.textContent)"
        )
        return [str(word).strip() for word in words]

    def type_back(self, words: Iterable[str]) -> None:
        """Goes from the words to the field, types these and submits."""
        if self.steps == ["words"]:
            self.firefox.click("#words-written")
        self.reach("confirm")
        self.type_words("confirm", words)

    def enter(self, words: Iterable[str]) -> None:
        """Opens the answers page and enters these words."""
        self.open("answers.html")
        self.reach("enter")
        self.type_words("enter", words)

    def type_words(self, form: str, words: Iterable[str]) -> None:
        """Types words into the field of this form, in place of what it holds, and submits."""
        self.firefox.script("document.getElementById('typed').value = ''")
        self.firefox.type("#typed", " ".join(words))
        self.firefox.click(f"#{form} [type=submit]")

    def send(self) -> list[str]:
        """From the filled form to the end of it; the words it was sent under."""
        self.submit()
        words = self.words()
        self.type_back(words)
        self.reach("done")
        return words

    def begin(self) -> None:
        """From the filled form to where the sending starts."""
        self.submit()
        self.type_back(self.words())
        self.reach("sending")

    def arrived(self) -> int:
        """How many bytes the bar shows to have arrived."""
        return int(self.firefox.script("return progress.value"))

    def status(self) -> str:
        """What a screen reader was told last."""
        return self.firefox.text("#status")

    def error(self, field: str) -> str:
        """The error sentence of a field, once it is shown."""
        self.firefox.wait(lambda: self.firefox.shown(f"#{field}-error"))
        return self.firefox.text(f"#{field}-error")

    def conversation(self) -> list[dict[str, str]]:
        """What the answers page shows: kind, author, note and text of every entry."""
        entries: list[dict[str, str]] = self.firefox.script(_ENTRIES)
        return entries
