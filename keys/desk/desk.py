"""A desk that is open: its newsroom, its journalist, and what it remembers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from keys.age import HybridIdentity, HybridRecipient, parse_recipient
from keys.desk import files, stored
from keys.desk.home import Home, read_identity
from keys.desk.state import Entry, State
from keys.drop import DropReader
from keys.errors import DeskError
from keys.identity import Journalist, Public
from keys.newsroom import Newsroom, Recipient
from keys.passphrase import Passphrases


@dataclass
class Desk:
    home: Home
    newsroom: Newsroom
    journalist: Journalist
    state: State

    @cached_property
    def place(self) -> int:
        """Where this journalist stands in the page's order."""
        public = self.journalist.public
        return next(at for at, one in enumerate(self.newsroom.recipients) if _is(one, public))

    @property
    def name(self) -> str:
        return self.newsroom.recipients[self.place].name

    @property
    def identity(self) -> HybridIdentity:
        return self.journalist.identity

    @property
    def identities(self) -> Sequence[HybridIdentity]:
        """All that open for this journalist."""
        return self.journalist.identities

    @property
    def signer(self) -> bytes:
        return self.journalist.public.signer

    @property
    def signers(self) -> Mapping[str, bytes]:
        return {one.name: bytes.fromhex(one.signer) for one in self.newsroom.recipients}

    @cached_property
    def recipients(self) -> Mapping[str, HybridRecipient]:
        """Everybody whom the page lists, in its order."""
        parsed = {one.name: parse_recipient(one.recipient) for one in self.newsroom.recipients}
        return {name: key for name, key in parsed.items() if isinstance(key, HybridRecipient)}

    def save(self) -> None:
        files.replace(self.home.state, stored.seal(self.state, self.identity))

    def find(self, given: str) -> Entry:
        """Gives the drop whose id begins so; raises DeskError when none does, or several do."""
        found = [entry for id_, entry in self.state.entries.items() if given and id_.startswith(given)]
        if len(found) != 1:
            said = "no drop has" if not found else f"{len(found)} drops have"
            raise DeskError(f"{said} an id that begins with {given}", hint="`desk list` shows them")
        return found[0]

    def text(self, entry: Entry) -> str:
        """Gives the message of a drop that was read before; raises DeskError when its file is gone."""
        path = self.home.drop(entry.id)
        try:
            with path.open("rb") as source:
                return DropReader(source, self.identities, self.place).text
        except OSError:
            raise DeskError(f"{path} is gone") from None


def acting(newsroom: Newsroom, journalist: Journalist) -> Journalist:
    """Gives a journalist with that of their identities which the page lists; raises DeskError when it lists
    none."""
    for one in journalist.acting():
        if any(_is(listed, one.public) for listed in newsroom.recipients):
            return one
    ended = {one.signer: one.until for one in newsroom.former or ()}
    if until := ended.get(journalist.public.signer.hex()):
        raise DeskError(
            f"the key of this identity ended on {until}",
            hint="what came before stays yours to read: `desk show FILE.age --identity FILE`",
        )
    raise DeskError(
        f"the page of {newsroom.name} does not list this identity", hint="give the newsroom its .pub file"
    )


def _is(listed: Recipient, public: Public) -> bool:
    return listed.signer == public.signer.hex() and listed.recipient == str(public.recipient)


@contextmanager
def open_desk(home: Home, passphrases: Passphrases) -> Iterator[Desk]:
    """Gives the desk of this home, unlocked, with every other desk kept out of it."""
    newsroom, settings = home.newsroom, home.settings
    with home.locked():
        journalist = acting(newsroom, read_identity(Path(settings.identity), passphrases))
        yield _loaded(home, newsroom, journalist)


@contextmanager
def open_again(desk: Desk) -> Iterator[Desk]:
    """Gives a desk that was open before, as it is now, once no other desk is in its home."""
    with desk.home.locked(wait=True):
        newsroom = desk.home.newsroom
        yield _loaded(desk.home, newsroom, acting(newsroom, desk.journalist))


def _loaded(home: Home, newsroom: Newsroom, journalist: Journalist) -> Desk:
    sealed = home.state.read_bytes() if home.state.exists() else b""
    state = stored.load(sealed, journalist.identities) if sealed else State()
    return Desk(home, newsroom, journalist, state)
