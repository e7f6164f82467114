"""The command line of a key's life: `desk rotate` and `desk forget` at a desk, `desk admit` and `desk revoke`
beside newsroom.yaml."""

from __future__ import annotations

from pathlib import Path

from keys.desk import keycommands
from keys.desk.parser import Adder, passphrase


def add(command: Adder) -> None:
    """Adds the commands."""
    made = command("rotate", keycommands.rotate, "make a new identity in the place of yours", _ROTATE)
    passphrase(made)

    made = command("forget", keycommands.forget, "delete a former identity whose time is over", _FORGET)
    passphrase(made)

    made = command("admit", keycommands.admit, "take a journalist's new key into newsroom.yaml", _ADMIT)
    made.add_argument("pub", type=Path, metavar="PUB", help="the journalist's new .pub file")
    made.add_argument("newsroom", type=Path, metavar="YAML", help="newsroom.yaml, which lists the old one")
    made.add_argument("--lost", action="store_true", help="the old identity is lost, or in wrong hands")

    made = command("revoke", keycommands.revoke, "take a journalist out of newsroom.yaml", _REVOKE)
    made.add_argument("name", metavar="NAME", help="who is no longer to read anything")
    made.add_argument("newsroom", type=Path, metavar="YAML", help="newsroom.yaml, which lists them")


_ROTATE = """

Your identity file then holds the new one and, for reading, the one before; NAME.pub is signed by that one.
A new passphrase is asked for: it may be the old one. Until an edition lists the new key, all goes on with
the old. Not for an identity that somebody else may have: that one is lost, and the newsroom says so."""
_FORGET = """

When nothing on the box can need it any more, which the desk says. What this desk keeps is sealed to the
present identity before. Then no copy of a drop from that time, wherever it lies, opens with your file."""
_ADMIT = """

The key that is listed must have signed it; it goes into `former`, from where its older notes are still
checked. With --lost nothing signed it: whose it is you know only from comparing its number by voice."""
_REVOKE = """

Their key goes into `former`: what they signed up to today still counts, and nothing after it. Comments in
the file stay. The box and the desks learn of it with the next edition."""
