"""The values that go into the pages' places, by the names that site/templates/sealer/ has for them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from keys import codename, line
from keys.line import Found
from relay.sealer.draft import Draft, Mistake
from relay.sealer.house import House
from relay.sealer.pages import Values, shown

_Table = dict[str, "str | Sequence[Values]"]


def words(entropy: bytes, language: str) -> Values:
    """The twelve words, to be written down."""
    listed = codename.words(entropy, language).split()
    return {"codename": entropy.hex(), "words": [{"word": word} for word in listed]}


def typed(house: House, language: str, text: str, mistake: Mistake | None, entropy: bytes = b"") -> Values:
    """A field for twelve words, with what was typed before and what was wrong with it."""
    wrong = marked(house, language, [mistake] if mistake else [])
    return {"codename": entropy.hex(), "typed": text, **wrong}


def draft(house: House, language: str, given: Draft, wrong: Iterable[Mistake], problem: str) -> Values:
    """The form as it was filled, what is wrong with it, and why it was not sent."""
    values: _Table = {
        "codename": given.entropy.hex(),
        "message": given.message,
        "read": " ".join(given.read),
        "problem": [{"says": house.say(language, problem)}] if problem else [],
    }
    values |= {f"to-{name}": "checked" for name in given.to}
    for question in house.newsroom.questions:
        answer = given.answers.get(question.id, "")
        values[f"q-{question.id}"] = answer
        for n, choice in enumerate(question.choices):
            values[f"q-{question.id}-{n}"] = "selected" if choice[language] == answer else ""
    return values | marked(house, language, wrong)


def marked(house: House, language: str, wrong: Iterable[Mistake]) -> _Table:
    """Each field's mistake beside it, the first of them where the reader begins."""
    values: _Table = {}
    for field, key, mentioned in wrong:
        if not values:
            values[f"{field}-focus"] = "autofocus"
        values[f"{field}-invalid"] = "true"
        values.setdefault(f"{field}-error", [{"says": house.say(language, key, mentioned)}])
    return values


def conversation(house: House, language: str, found: Sequence[Found], *, known: bool) -> Values:
    """What a thread holds: replies, and a note for those that are forged or not whole. Of a board that is not
    `known` it says nothing."""
    titles = {bytes.fromhex(one.signer): one.title or one.name for one in house.newsroom.recipients}
    replies = line.whole(found)
    entries = [_entry(titles[one.signer], text=one.text) for one in replies if one.text is not None]
    # However many lines: one note says it of an author.
    for author in dict.fromkeys(titles[reply.signer] for reply in replies if reply.forged):
        entries.append(_entry(author, "forged", house.say(language, "forged", {"author": author})))
    for signer, have, of in line.missing(found):
        said = house.say(language, "incomplete", {"author": titles[signer], "have": have, "of": of})
        entries.append(_entry(titles[signer], "incomplete", said))
    return {"entries": entries, "none": shown(known and not entries)}


def _entry(author: str, kind: str = "reply", note: str = "", text: str | None = None) -> Values:
    return {
        "kind": kind,
        "author": author,
        "notes": [{"note": note}] if note else [],
        "texts": [] if text is None else [{"text": text}],
    }
