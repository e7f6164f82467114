"""Who reads, from one edition to the next (FORMAT.md section 9)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from keys.newsroom import Newsroom


@dataclass(frozen=True)
class Change:
    """One sentence on who reads; not `expected` if somebody should look into it."""

    says: str
    expected: bool = True


def changes(known: Newsroom | None, new: Newsroom, own: str) -> Iterator[Change]:
    """Gives what a desk of one's `own` name is to be told of a new edition; without a known one before it,
    only that the key in this name replaces one that was lost."""
    former = {one.signer: one for one in new.former or ()}
    if any(one.name == own and not one.signature for one in former.values()):
        yield Change(
            "what was sealed to a key that you have lost stays closed, but for what colleagues give back "
            f"(`desk restore {own}`); a drop to you alone is lost"
        )
    before = {one.name: one for one in known.recipients} if known else {}
    for one in new.recipients if known else ():
        old = before.pop(one.name, None)
        if old is None:
            yield Change(f"{one.name} is new; the number of the key is {one.public.number}")
        elif old.public != one.public:
            ended = former.get(old.signer)
            if ended and ended.signature:
                yield Change(f"{one.name} has a new key, which the one before it signed")
            else:
                yield Change(
                    f"{one.name} has a new key that the one before did not sign: compare by voice its "
                    f"number, {one.public.number}; if the old one is lost, `desk restore {one.name}`",
                    expected=False,
                )
    for name in before:
        yield Change(f"{name} is listed no longer: nothing is sealed to {name} from now on")
