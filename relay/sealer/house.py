"""What the sealer serves from: the edition's files, its pages to fill, and the newsroom as keys know it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from keys.errors import BadNewsroom, BadRecipient
from keys.newsroom import Newsroom
from keys.recipients import HybridRecipient, parse_recipient
from relay import edition as editions
from relay.edition import Edition, File
from relay.errors import BadEdition
from relay.sealer.pages import Page

PLACE = "sealer"  # the folder of a language with the pages to fill
_SCRIPTED = ("send.html", "answers.html")


@dataclass(frozen=True)
class House:
    """`pages` and `messages` are by language, then by name."""

    edition: Edition
    newsroom: Newsroom
    recipients: Mapping[str, HybridRecipient]
    pages: Mapping[str, Mapping[str, Page]]
    messages: Mapping[str, Mapping[str, str]]

    @property
    def seals(self) -> bool:
        return self.newsroom.without_javascript == "seal"

    def file(self, path: str) -> File | None:
        """The file of the edition that needs no script, under this path of a request."""
        place = path.strip("/").split("/")
        if PLACE in place or place[-1] in _SCRIPTED or path.startswith("/scripts/"):
            return None
        return self.edition.files.get(path)

    def say(self, language: str, key: str, values: Mapping[str, object] = {}) -> str:
        """A sentence in this language, with these values where it has their names in braces."""
        sentence = self.messages[language][key]
        for name, value in values.items():
            sentence = sentence.replace(f"{{{name}}}", str(value))
        return sentence


def load(folder: Path) -> House:
    """Everything in `folder`; refuses (BadEdition) what the relay would refuse, and an edition without these
    pages."""
    edition = editions.load(folder)
    try:
        newsroom = Newsroom.from_json(edition.files["/newsroom.json"].body)
        parsed = {one.name: parse_recipient(one.recipient) for one in newsroom.recipients}
        recipients = {name: key for name, key in parsed.items() if isinstance(key, HybridRecipient)}
        pages = {language: _pages(edition, language) for language in newsroom.languages}
        messages = {
            language: json.loads(edition.files[f"/{language}/{PLACE}/messages.json"].body)
            for language in newsroom.languages
        }
    except KeyError as missing:
        raise BadEdition(f"it has no {missing.args[0]}; build it again") from None
    except (BadNewsroom, BadRecipient, UnicodeDecodeError) as error:
        raise BadEdition(f"newsroom.json or a page is malformed: {error}") from None
    return House(edition, newsroom, recipients, pages, messages)


def _pages(edition: Edition, language: str) -> dict[str, Page]:
    start = f"/{language}/{PLACE}/"
    return {
        path.removeprefix(start).removesuffix(".html"): Page(file.body.decode())
        for path, file in edition.files.items()
        if path.startswith(start) and path.endswith(".html")
    }
