"""What whoever keeps newsroom.yaml does when a journalist's key ends: another takes its place, or none."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path

from yaml.nodes import MappingNode, Node

from keys.desk import files, yamledit
from keys.desk.keygen import DESK_ONION
from keys.desk.terminal import read_file
from keys.errors import BadNewsroom, BadRecipient, DeskError
from keys.former import Ended
from keys.identity import Public, parse_public
from keys.newsroom import LONGEST_KEY_FILE, LONGEST_YAML, Newsroom, Recipient, load
from keys.nodes import nodes_of_yaml
from keys.onion import CLIENTS


@dataclass(frozen=True)
class _Folder:
    """A newsroom's folder: newsroom.yaml as it stands there, and what it says."""

    yaml: Path
    text: str
    newsroom: Newsroom

    @staticmethod
    def of(yaml: Path) -> _Folder:
        newsroom = load(yaml)
        return _Folder(yaml, read_file(yaml, LONGEST_YAML).decode(), newsroom)

    def listed(self, name: str) -> Recipient:
        for one in self.newsroom.recipients:
            if one.name == name:
                return one
        raise DeskError(f"{name} is not listed in {self.yaml}", hint="it takes who is listed there")

    def public_of(self, item: Node) -> Public:
        """Gives who an item of `recipients` is."""
        return parse_public(read_file(self.yaml.parent / _file(item), LONGEST_KEY_FILE).decode())


def admit(yaml: Path, pub: Path, today: date, *, lost: bool) -> Public:
    """Puts a journalist's new key in the place of the one that is listed, which ends today, and gives it.
    Raises DeskError for a key that the listed one did not sign, unless that is `lost`, or that has ended."""
    folder = _Folder.of(yaml)
    try:
        new = parse_public(read_file(pub, LONGEST_KEY_FILE).decode(errors="replace"))
    except BadRecipient as error:
        raise BadRecipient(f"{pub}: {error.detail}", hint="ask for it again, by another way") from None
    old = folder.listed(new.name)
    if new.signer.hex() in {one.signer for one in folder.newsroom.former or ()}:
        raise DeskError(
            f"this key of {new.name} has ended: it is an old one that came back",
            hint="ask for the new one, by another way",
        )
    if new.signer.hex() == old.signer:
        raise DeskError(f"this is the key of {new.name} that is listed already")
    if new.rotation is None or new.rotation.signer.hex() != old.signer:
        _unsigned(new, lost=lost)
    item = _item(folder, old)
    target = yaml.parent / _file(item)
    written = replace(new, rotation=None) if lost else new
    text = yamledit.appended(folder.text, "former", _former(old, today))
    before = target.read_bytes()
    # First, since what ended is not to be listed: newsroom.yaml is tried with it.
    files.replace(target, written.to_file().encode())
    try:
        _write(folder, text, lambda known: _replaced(known, written))
    except BaseException:
        files.replace(target, before)
        raise
    return new


def revoke(yaml: Path, name: str, today: date) -> None:
    """Takes a journalist out of newsroom.yaml, with a key that ends today, and closes the desk onion to them.
    Raises DeskError for the last one of the newsroom or of a partner."""
    folder = _Folder.of(yaml)
    old = folder.listed(name)
    if len(folder.newsroom.recipients) == 1:
        raise DeskError(f"{name} is the only one who can read", hint="list somebody else first")
    for partner in folder.newsroom.partners:
        if partner.recipients == (name,):
            raise DeskError(
                f"nobody else of {partner.name} can read",
                hint=f"list somebody else of {partner.name}, or take {partner.name} out of `partners`",
            )
    item = _item(folder, old)
    text = yamledit.without(folder.text, "recipients", lambda one: _file(one) == _file(item))
    text = yamledit.without_in_each(text, "partners", "recipients", lambda one: one.value == name)
    _write(folder, yamledit.appended(text, "former", _former(old, today)), lambda known: _left(known, name))
    (yaml.parent / DESK_ONION / CLIENTS / f"{name}.auth").unlink(missing_ok=True)


def _unsigned(new: Public, *, lost: bool) -> None:
    if not lost:
        raise DeskError(
            f"the key of {new.name} that is listed did not sign this one",
            hint=f"whoever sent it may not be {new.name}: ask by another way. If the old one is lost and the "
            f"number of this is right, {new.number}, say --lost",
        )


def _file(item: Node) -> str:
    if isinstance(item, MappingNode):
        return next(str(value.value) for key, value in item.value if key.value == "file")
    return str(item.value)


def _item(folder: _Folder, one: Recipient) -> Node:
    """Gives where newsroom.yaml names a journalist's .pub file."""
    root = nodes_of_yaml(folder.text)
    items: list[Node] = next(value for key, value in root.value if key.value == "recipients").value
    return next(item for item in items if folder.public_of(item).name == one.name)


def _former(one: Recipient, until: date) -> str:
    return f"{{name: {one.name}, signer: {one.signer}, until: {until}}}"


def _write(folder: _Folder, text: str, expected: Callable[[Newsroom], Newsroom]) -> None:
    """Writes newsroom.yaml, once it says what it is to say; raises DeskError, which leaves it alone, when it
    was written in a way that this cannot change."""
    trial = folder.yaml.with_name(f".{folder.yaml.name}.trial")
    files.replace(trial, text.encode())
    try:
        if _plain(load(trial)) != _plain(expected(folder.newsroom)):
            raise DeskError("it would say something else than it should")
    except (BadNewsroom, DeskError) as error:
        raise DeskError(
            f"{folder.yaml} cannot be changed by a program as it is written",
            hint=f"write each recipient and each key in `former` on a line of its own ({error.detail})",
        ) from None
    finally:
        trial.unlink(missing_ok=True)
    files.replace(folder.yaml, text.encode())


def _plain(newsroom: Newsroom) -> Newsroom:
    """Gives the newsroom without what follows from other files than newsroom.yaml."""
    ended = tuple(replace(one, signature=None, until=date.min) for one in newsroom.former or ())
    return replace(newsroom, former=ended or None)


def _replaced(known: Newsroom, new: Public) -> Newsroom:
    recipients = tuple(
        replace(one, recipient=str(new.recipient), signer=new.signer.hex()) if one.name == new.name else one
        for one in known.recipients
    )
    return replace(_ended(known, new.name), recipients=recipients)


def _left(known: Newsroom, name: str) -> Newsroom:
    partners = tuple(
        replace(one, recipients=tuple(who for who in one.recipients if who != name)) for one in known.partners
    )
    recipients = tuple(one for one in known.recipients if one.name != name)
    return replace(_ended(known, name), recipients=recipients, partners=partners)


def _ended(known: Newsroom, name: str) -> Newsroom:
    (signer,) = (one.signer for one in known.recipients if one.name == name)
    return replace(known, former=(*(known.former or ()), Ended(name=name, signer=signer, until=date.min)))
