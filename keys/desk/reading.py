"""The commands of `desk` that look at drops which are here, or get rid of them."""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from keys.desk import bare, editions, extract
from keys.desk import show as shows
from keys.desk.arguments import desk_of, home_of
from keys.desk.bare import Bare
from keys.desk.casework.cases import have_read
from keys.desk.client import Client
from keys.desk.conversation import conversation
from keys.desk.desk import Desk
from keys.desk.home import read_identity
from keys.desk.state import Entry
from keys.desk.terminal import Progress, counted, say, say_json, size, warn
from keys.drop import DropReader
from keys.errors import DeskError
from keys.passphrase import Passphrases


def list_(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
        if arguments.json:
            say_json(shows.listing_json(desk.state))
        else:
            say(shows.listing(desk.state))


def show(arguments: argparse.Namespace) -> None:
    if path := _lone(arguments.drop):
        with _lone_drop(arguments, path) as drop:
            _show(drop, arguments.json, {}, [("file", str(path))])
        return
    with desk_of(arguments) as desk:
        entry = desk.find(arguments.drop)
        if entry.bare:
            _show_bare(desk, entry, arguments)
            return
        if entry.letter is None:
            raise DeskError(f"{entry.id[: shows.SHORT]} was not read: {entry.problem}")
        turns = list(conversation(desk, entry.letter.thread, editions.today()))
        facts = [("drop", entry.id), ("day", str(entry.day)), ("size", size(entry.size))]
        if entry.forged:
            facts.append(("FORGED", f"{entry.letter.author} did not sign this note"))
        if entry.late:
            facts.append(("LATE", f"the key of {entry.letter.author} that signed this note had ended"))
        if desk.name not in (*entry.letter.to, entry.letter.author):
            facts.append(("passed on", "by a colleague: the source did not choose you"))
        more = {"id": entry.id, "day": str(entry.day), "forged": entry.forged, "late": entry.late}
        more["conversation"] = [shows.turn_json(turn) for turn in turns]
        with desk.home.drop(entry.id).open("rb") as source:
            _show(DropReader(source, desk.identities, desk.place), arguments.json, more, facts)
        if not arguments.json:
            say("\n" + shows.turns(turns, entry.id))
        _mark(desk, [entry, *(one for one in desk.state.thread(entry.letter.thread) if not one.files)])


def open_(arguments: argparse.Namespace) -> None:
    if path := _lone(arguments.drop):
        with _lone_drop(arguments, path) as drop:
            _extract(drop, arguments)
        return
    with desk_of(arguments) as desk:
        entry = desk.find(arguments.drop)
        if entry.letter is None and not entry.bare:
            raise DeskError(f"{entry.id[: shows.SHORT]} was not read: {entry.problem}")
        with desk.home.drop(entry.id).open("rb") as source:
            _extract(bare.read(source, desk.identities, desk.place), arguments)
        _mark(desk, [entry])


def delete(arguments: argparse.Namespace) -> None:
    with desk_of(arguments) as desk:
        entry = desk.find(arguments.drop)
        client = Client(desk.home.settings.relay, desk.home.settings.socks)
        try:
            client.delete(entry.id)
        finally:
            client.close()
    if arguments.json:
        say_json({"id": entry.id, "deleted": True})
    else:
        say(f"{entry.id[: shows.SHORT]} is gone from the box; this desk keeps its copy")


def _lone(given: str) -> Path | None:
    """Gives the path that was given in place of an id, if it is one."""
    return Path(given) if "/" in given or given.endswith(".age") else None


@contextmanager
def _lone_drop(arguments: argparse.Namespace, path: Path) -> Iterator[DropReader | Bare]:
    """Gives a drop that is a file by itself; of the home only the identity is used, and only without
    --identity."""
    identity = arguments.identity or Path(home_of(arguments).settings.identity)
    journalist = read_identity(identity, Passphrases(arguments.passphrase_fd))
    with path.open("rb") as source:
        yield bare.read(source, journalist.identities)


def _show_bare(desk: Desk, entry: Entry, arguments: argparse.Namespace) -> None:
    facts = [("drop", entry.id), ("day", str(entry.day)), ("size", size(entry.size))]
    with desk.home.drop(entry.id).open("rb") as source:
        drop = bare.read(source, desk.identities, desk.place)
        _show(drop, arguments.json, {"id": entry.id, "day": str(entry.day)}, facts)
    _mark(desk, [entry])


def _show(drop: DropReader | Bare, as_json: bool, more: dict[str, Any], facts: list[tuple[str, str]]) -> None:
    with Progress() as progress:
        sums = extract.sums(drop, lambda have: progress(f"reading: {size(have)}"))
    if as_json:
        files = [vars(one) for one in sums]
        said = shows.letter_json(drop.letter) if drop.letter else {"kind": "bare"}
        say_json(said | {"message": drop.text, "files": files} | more)
    elif drop.letter:
        say(shows.drop(drop.letter, drop.text, sums, facts))
    else:
        say(shows.bare(sums, facts))


def _extract(drop: DropReader | Bare, arguments: argparse.Namespace) -> None:
    folder = arguments.folder
    with Progress() as progress:
        sums = extract.extract(drop, folder, lambda have: progress(f"writing: {size(have)}"))
    if arguments.json:
        say_json({"folder": str(folder), "files": len(sums), "sums": [vars(one) for one in sums]})
    else:
        if sums:
            say(shows.files(sums))
        say(f"{folder} holds {'the message and ' if drop.letter else ''}{counted(len(sums), 'file')}")
    if sums:
        warn("files may attack who opens them, or tell their maker: open them offline, publish no original")


def _mark(desk: Desk, entries: Iterable[Entry]) -> None:
    new = [entry for entry in entries if entry.id not in desk.state.shown]
    if new:
        desk.state.shown.update(entry.id for entry in new)
        have_read(desk, new)
        desk.save()
