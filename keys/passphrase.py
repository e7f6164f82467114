"""Passphrases as people give them: typed at a terminal, or through a file descriptor."""

from __future__ import annotations

import getpass
import os

from keys.errors import NoPassphrase

LONGEST = 1024  # bytes
SHORTEST = 16  # characters
_ADVICE = "six words drawn from a word list are easy to keep and hard to guess"


class Passphrases:
    """Where passphrases come from: the terminal, or a file descriptor; never arguments or the environment."""

    def __init__(self, descriptor: int | None = None) -> None:
        self._descriptor = descriptor

    def ask(self, what: str) -> bytes:
        """Gives the passphrase of a locked file."""
        return self._asked(f"passphrase of {what}: ").encode()

    def ask_new(self, what: str) -> bytes:
        """Gives a passphrase for a new file, typed twice at a terminal; raises NoPassphrase for one too
        short."""
        typed = self._asked(f"new passphrase of {what}: ")
        if len(typed) < SHORTEST:
            raise NoPassphrase(f"a passphrase has at least {SHORTEST} characters", hint=_ADVICE)
        if self._descriptor is None and self._asked("the same again: ") != typed:
            raise NoPassphrase("the two passphrases differ")
        return typed.encode()

    def _asked(self, prompt: str) -> str:
        if self._descriptor is not None:
            return _line(self._descriptor)
        try:
            # getpass would go on without a terminal and show what is typed.
            os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
        except OSError:
            hint = "give the number of a file descriptor to read it from with --passphrase-fd"
            raise NoPassphrase("there is no terminal to ask for the passphrase at", hint=hint) from None
        try:
            return getpass.getpass(prompt)
        except EOFError:
            raise NoPassphrase("no passphrase was typed") from None


def _line(descriptor: int) -> str:
    """Reads byte by byte, so that what follows the line stays for another reader of the same descriptor."""
    data = b""
    try:
        while len(data) <= LONGEST and (byte := os.read(descriptor, 1)) not in (b"", b"\n"):
            data += byte
        return data.decode()
    except OSError:
        raise NoPassphrase(f"the passphrase cannot be read from file descriptor {descriptor}") from None
    except UnicodeDecodeError:
        raise NoPassphrase("the passphrase is not UTF-8") from None
