"""newsroom.yaml -> a frozen Newsroom -> newsroom.json, which the page and the desks read."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from yaml.nodes import Node

from keys import former, onion
from keys.errors import BadNewsroom, BadOnion, BadRecipient, Forged
from keys.former import Ended
from keys.identity import Public, parse_public
from keys.kinds import Pattern, Text
from keys.masthead import Masthead
from keys.nodes import Json, Mistake, Wrong, at, line, nodes_of_json, nodes_of_yaml, wrong
from keys.options import NAME, NEWSROOM_ID, SIGNER, Box, Common, Listed, Options
from keys.recipients import HybridRecipient, parse_recipient
from keys.schema import Kind, ListOf, Section, canonical, nearest, option, parse_canonical

LONGEST_YAML = 256 << 10
LONGEST_JSON = 4 << 20
LONGEST_KEY_FILE = 16 << 10


@dataclass(frozen=True)
class _RecipientKey(Kind[str]):
    """A recipient, checked down to its key: a desk or a page that reads it need not ask again."""

    def read(self, node: Node) -> str:
        text = Text(4000).read(node)
        try:
            if isinstance(parse_recipient(text), HybridRecipient):
                return text
        except BadRecipient:
            pass
        raise wrong(node, "this is no post-quantum recipient, age1pq1…")

    def schema(self) -> dict[str, Json]:
        return {"type": "string", "pattern": "^age1pq1[0-9a-z]+$"}


@dataclass(frozen=True, kw_only=True)
class Recipient:
    name: str = option(NAME, "The journalist's short name.")
    title: str | None = option(Text(120), "How the page names this journalist.", None)
    recipient: str = option(_RecipientKey(), "The public key.")
    signer: str = option(SIGNER, "The key that signs this journalist's replies.")

    @property
    def public(self) -> Public:
        """Gives this journalist's public half, as the `.pub` file has it."""
        key = cast(HybridRecipient, parse_recipient(self.recipient))  # the option lets nothing else pass
        return Public(self.name, key, bytes.fromhex(self.signer))


@dataclass(frozen=True, kw_only=True)
class Newsroom(Common):
    """A newsroom as its page and its desks know it, and what newsroom.json holds. None of it is secret."""

    id: str = option(NEWSROOM_ID, "The newsroom's name in every format.")
    masthead: str = option(
        Pattern("RW[0-9A-Za-z+/]{54}", "RW…"), "The key that signs editions, as minisign writes it."
    )
    recipients: tuple[Recipient, ...] = option(
        ListOf(Section(Recipient), 1, 64), "Who can read, in the page's order."
    )
    former: tuple[Ended, ...] | None = option(
        ListOf(Section(Ended), 1, 500), "Keys that ended (FORMAT.md section 9).", None
    )

    @staticmethod
    def from_json(data: bytes) -> Newsroom:
        """Gives the newsroom that newsroom.json holds; raises BadNewsroom for any other bytes."""
        try:
            newsroom = parse_canonical(Newsroom, data, LONGEST_JSON)
            values, root = vars(newsroom), nodes_of_json(json.loads(data))
            if found := [*_across(values, root, None), *_readers(values, root, newsroom.recipients)]:
                raise Wrong(*found)
            return newsroom
        except Wrong as wrongs:
            raise _bad("newsroom.json", wrongs) from None

    def to_json(self) -> bytes:
        """Gives newsroom.json: the same bytes for the same newsroom, always."""
        return canonical(self)

    def spoken(self, translate: Callable[[str, str], str]) -> Newsroom:
        """Gives the newsroom with every localized text in each of its languages; `translate(text, language)`
        serves where one text stands for all."""

        def speak(value: Any) -> Any:
            if isinstance(value, tuple):
                return tuple(speak(v) for v in value)
            if isinstance(value, Mapping):
                return {lang: value.get(lang) or translate(value["*"], lang) for lang in self.languages}
            if dataclasses.is_dataclass(value) and not isinstance(value, type):
                named = {f.name: speak(getattr(value, f.name)) for f in dataclasses.fields(value)}
                return dataclasses.replace(value, **named)
            return value

        spoken: Newsroom = speak(self)
        return spoken


def load(path: Path, catalogues: Collection[str] | None = None) -> Newsroom:
    """Gives the newsroom of a newsroom.yaml and the key files it names; raises BadNewsroom with all mistakes,
    one a line, as `FILE:LINE: sentence`. With `catalogues`, a language without one is a mistake."""
    return _load(path, catalogues).newsroom


def load_with_box(path: Path) -> tuple[Newsroom, Box | None]:
    """Gives what `load` gives, and what newsroom.yaml says of the box; raises BadNewsroom as `load` does."""
    loaded = _load(path, None)
    return loaded.newsroom, loaded.box


def load_with_desk(path: Path, catalogues: Collection[str]) -> tuple[Newsroom, str | None]:
    """Gives what `load` gives, and the desk onion's address; raises BadNewsroom as `load` does."""
    loaded = _load(path, catalogues)
    return loaded.newsroom, loaded.desk_onion


@dataclass(frozen=True)
class _Loaded:
    """newsroom.yaml: what everybody may know, and what is not for sources."""

    newsroom: Newsroom
    box: Box | None
    desk_onion: str | None


def _load(path: Path, catalogues: Collection[str] | None) -> _Loaded:
    try:
        return _assemble(nodes_of_yaml(_read(path, LONGEST_YAML)), path.parent, catalogues)
    except _Unreadable as unreadable:
        raise BadNewsroom(str(unreadable)) from None
    except Wrong as found:
        raise _bad(path.name, found) from None


def _bad(file: str, found: Wrong) -> BadNewsroom:
    where = (f"{file}:{m.line}" if m.line else file for m in sorted(found.mistakes))
    return BadNewsroom(
        "\n".join(f"{w}: {m.says}" for w, m in zip(where, sorted(found.mistakes), strict=True))
    )


class _Unreadable(Exception):  # noqa: N818 - never shown: its text is a mistake's
    pass


def _read(path: Path, longest: int) -> str:
    try:
        with path.open("rb") as file:
            data = file.read(longest + 1)
    except OSError as error:
        raise _Unreadable(f"{path} cannot be read: {error.strerror}") from None
    except ValueError:
        raise _Unreadable(f"{path!r:.80} is not a file name") from None
    if len(data) > longest:
        raise _Unreadable(f"{path} is larger than {longest >> 10} KiB")
    try:
        return data.decode()
    except UnicodeDecodeError as error:
        at_line = data.count(b"\n", 0, error.start) + 1
        raise _Unreadable(f"{path}:{at_line}: this line is not UTF-8") from None


def _assemble(root: Node, folder: Path, catalogues: Collection[str] | None) -> _Loaded:
    values, mistakes = Section(Options).parts(root)
    mistakes += _across(values, root, catalogues)
    masthead: Masthead | None = None
    if "masthead" in values:
        try:
            masthead = Masthead.parse(_read(folder / values["masthead"], LONGEST_KEY_FILE))
        except (_Unreadable, Forged) as error:
            mistakes.append(Mistake(line(at(root, "masthead")), f"masthead: {_reason(error)}"))
    mistakes += _onions(values, root, folder)
    recipients: list[Recipient] = []
    signatures: dict[str, str] = {}
    listed: tuple[Listed, ...] = values.get("recipients", ())
    for i, entry in enumerate(listed):
        try:
            public = parse_public(_read(folder / entry.file, LONGEST_KEY_FILE))
            key, signer = str(public.recipient), public.signer.hex()
            recipients.append(Recipient(name=public.name, title=entry.title, recipient=key, signer=signer))
            if one := public.rotation:
                signatures[one.signer.hex()] = one.signature.hex()
        except (_Unreadable, BadRecipient) as error:
            mistakes.append(Mistake(line(at(root, "recipients", i)), f"recipients: {_reason(error)}"))
    if len(recipients) == len(listed) > 0:
        mistakes += _readers(values, root, recipients)
    if mistakes or masthead is None:
        raise Wrong(*mistakes)
    box, desk_onion = values.pop("box", None), values.pop("desk_onion", None)
    found = {"masthead": str(masthead), "recipients": tuple(recipients)}
    if values.get("former"):
        ended = (Ended(**vars(one), signature=signatures.get(one.signer)) for one in values["former"])
        found["former"] = tuple(ended)
    newsroom = Newsroom(**values | found | {"id": values.get("id") or masthead.newsroom})
    return _Loaded(newsroom, box, desk_onion)


def _onions(values: dict[str, Any], root: Node, folder: Path) -> Iterator[Mistake]:
    """Puts addresses in the place of what newsroom.yaml says, and gives the mistakes."""
    for name in ("onion", "desk_onion"):
        try:
            if values.get(name):
                values[name] = _onion(values[name], folder, of_desks=name == "desk_onion")
        except (_Unreadable, BadOnion) as error:
            yield Mistake(line(at(root, name)), f"{name}: {_reason(error)}")
    if values.get("desk_onion") and values["desk_onion"] == values.get("onion"):
        yield Mistake(line(at(root, "desk_onion")), "desk_onion: it is the source onion's")


def _onion(said: str, folder: Path, *, of_desks: bool) -> str:
    """Gives the address that stands in newsroom.yaml, or in the file named there."""
    address = said
    if not said.endswith(".onion"):
        address = _read(folder / said, LONGEST_KEY_FILE).strip()
        # Tor makes that folder for every onion it serves; only the closed ones have somebody in it.
        if not of_desks and any((folder / said).with_name(onion.CLIENTS).glob("*.auth")):
            raise BadOnion(f"{said} is a closed onion's, which no source is to learn")
    try:
        onion.parse_address(address.lower())
    except BadOnion as bad:
        raise BadOnion(f"{said}: {bad.detail}") from None
    return address.lower()


def _reason(error: Exception) -> str:
    return getattr(error, "detail", "") or str(error)


def _across(values: Mapping[str, Any], root: Node, catalogues: Collection[str] | None) -> Iterator[Mistake]:
    """Gives the mistakes that one option alone does not show."""
    languages: tuple[str, ...] = values.get("languages", ())
    for i, language in enumerate(languages):
        if catalogues is not None and language not in catalogues:
            there = ", ".join(sorted(catalogues))
            yield Mistake(
                line(at(root, "languages", i)), f"languages: {language!r} has no catalogue; there are {there}"
            )
    for i, question in enumerate(values.get("questions", ())):
        here = line(at(root, "questions", i))
        if (question.type == "choice") != (len(question.choices) > 1):
            yield Mistake(
                here, f"questions: {question.id!r} needs `type: choice` and two `choices`, or neither"
            )
        if question.id in [q.id for q in values["questions"][:i]]:
            yield Mistake(here, f"questions: the id {question.id!r} stands here twice")
    for name in ("operator", "elsewhere", "contact", "partners", "questions"):
        if at(root, name) is not root:
            yield from _untranslated(at(root, name), name, values.get(name), languages)


def _untranslated(node: Node, name: str, value: Any, languages: tuple[str, ...]) -> Iterator[Mistake]:
    """Gives a mistake for every text that was written in some languages and lacks another."""
    if isinstance(value, tuple):
        for i, item in enumerate(value):
            yield from _untranslated(at(node, i), name, item, languages)
    elif isinstance(value, Mapping):
        for language in languages:
            if language not in value and "*" not in value:
                yield Mistake(line(node), f"{name}: this text has no {language!r}")
    elif dataclasses.is_dataclass(value):
        for f in dataclasses.fields(value):
            yield from _untranslated(at(node, f.name), f"{name}: {f.name}", getattr(value, f.name), languages)


def _readers(values: Mapping[str, Any], root: Node, recipients: Sequence[Recipient]) -> Iterator[Mistake]:
    """Gives the mistakes in who can read: a journalist or partner twice, unknown, or out of reach."""
    for i, one in enumerate(recipients):
        if any(one.name == other.name or one.recipient == other.recipient for other in recipients[:i]):
            yield Mistake(line(at(root, "recipients", i)), f"recipients: {one.name!r} is listed already")
    names = [one.name for one in recipients]
    partners = values.get("partners", ())
    for i, partner in enumerate(partners):
        if partner.name in [p.name for p in partners[:i]]:
            here = line(at(root, "partners", i))
            yield Mistake(here, f"partners: the name {partner.name!r} stands here twice")
        for j, name in enumerate(partner.recipients):
            if name not in names:
                here = line(at(root, "partners", i, "recipients", j))
                yield Mistake(here, f"partners: {name!r} is no recipient{nearest(name, names)}")
    reached = {name for partner in partners for name in partner.recipients}
    for i, name in enumerate(names):
        if partners and name not in reached:
            here = line(at(root, "recipients", i))
            yield Mistake(here, f"recipients: {name!r} belongs to no partner, so no source can choose them")
    yield from former.mistakes(values.get("former") or (), [one.public for one in recipients], root)
    if (values.get("choose") or 0) > len(partners or recipients):
        yield Mistake(line(at(root, "choose")), "choose: there are fewer to choose from")
