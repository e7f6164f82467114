"""What a source filled in, and what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from keys import codename, letter
from keys.drop import LONGEST_MESSAGE
from keys.errors import BadCodename
from keys.letter import Letter
from keys.line import Reply
from keys.newsroom import Newsroom
from relay.errors import Refused
from relay.sealer.form import Texts

_ENTROPY = 16  # bytes
_MOST_READ = 4096  # the longest board has no more lines
_REPLY = re.compile("[0-9a-f]{16}")


class Mistake(NamedTuple):
    """A field, the sentence that says what is wrong with it, and what that sentence mentions."""

    field: str
    key: str
    values: Mapping[str, object] = {}


@dataclass(frozen=True)
class Draft:
    """A filled form: `to` are the boxes ticked, partners where the newsroom has them; `read` the replies that
    the page above it showed, if it was one with replies."""

    entropy: bytes = field(repr=False)
    to: tuple[str, ...] = ()
    message: str = field(default="", repr=False)
    answers: Mapping[str, str] = field(default_factory=dict, repr=False)
    read: tuple[str, ...] = ()
    follows: bool = False

    @staticmethod
    def of(texts: Texts, newsroom: Newsroom) -> Draft:
        """The draft in a form; refuses (400) one without a codename, or with replies that nobody wrote."""
        read = tuple(only(texts, "read").split())
        if len(read) > _MOST_READ or not all(map(_REPLY.fullmatch, read)):
            raise Refused(400, "a form without its replies")
        given = {question.id: only(texts, f"q-{question.id}").strip() for question in newsroom.questions}
        return Draft(
            entropy=entropy_of(only(texts, "codename")),
            to=tuple(name for name in choices(newsroom) if name in texts.get("to", ())),
            message=only(texts, "message"),
            answers={id_: answer for id_, answer in given.items() if answer},
            read=read,
            follows="follows" in texts,
        )

    @property
    def empty(self) -> bool:
        return not self.message and not self.answers

    def letter(self, newsroom: Newsroom, language: str) -> Letter:
        readers = {name for chosen in self.to for name in choices(newsroom)[chosen]}
        return Letter(
            newsroom=newsroom.id,
            thread=codename.thread_key(self.entropy, newsroom.id),
            language=language,
            to=tuple(one.name for one in newsroom.recipients if one.name in readers),
            answers=self.answers,
            read=self.read,
        )

    def answering(self, newsroom: Newsroom, replies: Sequence[Reply], signers: Mapping[bytes, str]) -> Draft:
        """The same to those who answered, with the replies that the source is about to read."""
        read = [reply for reply in replies if not reply.forged]
        names = {signers[reply.signer] for reply in read}
        to = tuple(name for name, readers in choices(newsroom).items() if names & set(readers))
        return replace(self, to=to, read=tuple(reply.id.hex() for reply in read))

    def mistakes(self, newsroom: Newsroom, language: str) -> Iterator[Mistake]:
        """What keeps it from being sent, from the top of the form."""
        if not self.to:
            yield Mistake("to", "to_none")
        if newsroom.choose and len(self.to) > newsroom.choose:
            yield Mistake("to", "to_many", {"count": newsroom.choose})
        if len(self.message.encode()) > LONGEST_MESSAGE:
            yield Mistake("message", "message_long")
        if not self.follows:
            for question in newsroom.questions:
                if question.required and question.id not in self.answers:
                    yield Mistake(f"q-{question.id}", "required")
        if self.answers and len(self.letter(newsroom, language).to_json()) > letter.LARGEST:
            yield Mistake(f"q-{newsroom.questions[0].id}", "answers_long")


def choices(newsroom: Newsroom) -> Mapping[str, Sequence[str]]:
    """The boxes a source can tick, in the page's order, each with the recipients it stands for."""
    if newsroom.partners:
        return {one.name: one.recipients for one in newsroom.partners}
    return {one.name: (one.name,) for one in newsroom.recipients}


def only(texts: Texts, name: str) -> str:
    """The one text of this name, the first if somebody sent several; empty without one."""
    return texts.get(name, [""])[0]


def entropy_of(hidden: str) -> bytes:
    """The codename in a hidden field; refuses (400) what none of these pages holds."""
    try:
        entropy = bytes.fromhex(hidden)
    except ValueError:
        entropy = b""
    if len(entropy) != _ENTROPY:
        raise Refused(400, "a form without its words")
    return entropy


def typed_wrong(error: BadCodename) -> Mistake:
    """What is wrong with words that are none."""
    if error.word:
        return Mistake("typed", "word_unknown", {"word": error.word[:40]})
    if error.count != codename.WORDS:
        return Mistake("typed", "words_count", {"count": error.count})
    return Mistake("typed", "words_wrong")


def first_difference(shown: str, typed: str, language: str) -> Mistake | None:
    """What is wrong with words typed back."""
    try:
        codename.parse(typed, language)
    except BadCodename as error:
        # Words of the list in another order are told by their place, which says more.
        if error.word or error.count != codename.WORDS:
            return typed_wrong(error)
    pairs = zip(_folded(shown), _folded(typed), strict=True)
    at = next((n for n, (one, other) in enumerate(pairs, 1) if one != other), 0)
    return Mistake("typed", "word_differs", {"position": at}) if at else None


def _folded(words: str) -> Sequence[str]:
    return [codename.folded(word) for word in words.split()]
