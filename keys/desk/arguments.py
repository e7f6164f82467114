"""What every command does with its arguments: find the home, open its desk, and warn of what runs out."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from keys.desk import editions, rotation
from keys.desk.desk import Desk, open_desk
from keys.desk.home import Home
from keys.desk.terminal import warn
from keys.passphrase import Passphrases

WARNING_DAYS = 14  # before an edition expires


def home_of(arguments: argparse.Namespace) -> Home:
    return Home(arguments.home.expanduser())


@contextmanager
def desk_of(arguments: argparse.Namespace) -> Iterator[Desk]:
    with open_desk(home_of(arguments), Passphrases(arguments.passphrase_fd)) as desk:
        yield desk
        warn_of_expiry(desk.newsroom.expires)
        _warn_of_keys(desk)


def warn_of_expiry(expires: date) -> None:
    left = (expires - editions.today()).days
    if left <= WARNING_DAYS:
        expiry = "expires" if left >= 0 else "expired"
        warn(f"the edition {expiry} on {expires}; the newsroom owes you the next one")


def _warn_of_keys(desk: Desk) -> None:
    if desk.journalist.coming:
        warn(f"no edition lists your new key yet: the newsroom needs {desk.journalist.name}.pub")
    if rotation.over(desk):
        warn("your identity file holds a former one that nothing on the box needs: `desk forget` deletes it")
