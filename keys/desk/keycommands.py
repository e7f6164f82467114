"""The commands of `desk` for the life of a key: from parsed arguments to what is done and printed."""

from __future__ import annotations

import argparse

from keys.desk import keeper, rotation
from keys.desk.arguments import home_of
from keys.desk.editions import today
from keys.desk.terminal import Progress, say
from keys.passphrase import Passphrases

_NEXT = "next: raise `edition`, build and sign it, `make box`, and give it to every desk for `desk join`"


def rotate(arguments: argparse.Namespace) -> None:
    home = home_of(arguments)
    pub, journalist = rotation.rotate(home, Passphrases(arguments.passphrase_fd))
    say(f"{pub} goes to the newsroom; when they read its number to you, it is {journalist.public.number}")
    say(f"{home.settings.identity} holds the new identity, and the one before for reading")
    say("copy it to where its copy lies, in the place of that; the desk goes on as it is until `desk join`")


def forget(arguments: argparse.Namespace) -> None:
    home = home_of(arguments)
    with Progress() as progress:
        count = rotation.forget(home, Passphrases(arguments.passphrase_fd), progress)
    noun = "identity is" if count == 1 else "identities are"
    say(f"{count} former {noun} deleted; what this desk keeps is sealed to the present one")
    say(f"an older copy of {home.settings.identity} still holds it: copy this one there, or destroy that")


def admit(arguments: argparse.Namespace) -> None:
    new = keeper.admit(arguments.newsroom, arguments.pub, today(), lost=arguments.lost)
    say(f"{new.name} has a new key; compare its number with {new.name} by voice: {new.number}")
    if arguments.lost:
        say(f"the old way to the desk onion may be lost with it: `make rotate WHAT=clients WHO={new.name}`")
        say(f"what was sealed to the lost key stays closed; colleagues give back: `desk restore {new.name}`")
        say(f"a drop that only {new.name} could open is lost")
    say(_NEXT)


def revoke(arguments: argparse.Namespace) -> None:
    keeper.revoke(arguments.newsroom, arguments.name, today())
    say(
        f"{arguments.name} is out of {arguments.newsroom}, and the desk onion is closed to them by `make box`"
    )
    say(f"their tasks: `desk handover {arguments.name} NAME` at a colleague's desk")
    say(_NEXT)
    say(f"until then, and on pages that are open, drops are still sealed to {arguments.name}")
