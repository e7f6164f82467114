# ruff: noqa: N818 - named for what happened, as in keys/errors.py
"""Every exception of the relay."""

from __future__ import annotations


class Refused(Exception):
    """An answer other than the one asked for: its status, a sentence for the client, any further keys."""

    def __init__(self, status: int, sentence: str, **more: object) -> None:
        super().__init__(sentence)
        self.status = status
        self.sentence = sentence
        self.more = more


class Unsure(Exception):
    """The relay did not say whether it has done what the sealer asked of it."""


class BadSettings(Exception):
    """The settings have mistakes; the message names them all, one a line."""


class CannotServe(Exception):
    """The relay cannot start, or not go on; the message is one sentence that says why."""


class BadEdition(CannotServe):
    """The edition is not what its manifest says; the message names what."""


class DiskFailed(CannotServe):
    """Nothing that was written since the last flush can be promised."""

    def __init__(self) -> None:
        super().__init__("the disk did not keep what was written")


class NoTor(Exception):
    """Tor does not do what it was asked for; the message is one sentence that says why."""
