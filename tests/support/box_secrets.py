"""What nobody may find: the secrets of a newsroom's folder, in each form in which one could get out."""

from __future__ import annotations

import base64
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from support.box_machine import Box
from support.box_room import BIN
from support.builds import PASSPHRASE

from keys.onion import ClientKey

ONIONS = ("source-onion", "desk-onion", "ssh-onion")
# In the box, as its root: which of the byte strings on stdin is in which file. /usr came with Debian.
_SEARCH = """
import base64, json, os, sys
wanted = {name: base64.b64decode(text) for name, text in json.load(sys.stdin).items()}
for top, folders, files in os.walk("/"):
    folders[:] = [one for one in folders if top != "/" or one not in ("proc", "sys", "dev", "usr")]
    for path in (os.path.join(top, one) for one in files):
        if os.path.isfile(path) and not os.path.islink(path):
            data = open(path, "rb").read()
            for name in (name for name, secret in wanted.items() if secret in data):
                print(path, name, sep="\\t")
"""


def secrets_of(newsroom: Path) -> dict[str, bytes]:
    """The secrets, by name; of a key only what tells it from another."""
    vault = ["--vault-password-file", newsroom.with_name("vault")]
    keys = {}
    for onion in ONIONS:
        file = newsroom.parent / onion / "hs_ed25519_secret_key"
        words = [BIN / "ansible-vault", "decrypt", *vault, "--output", "-", file]
        keys[onion] = subprocess.run(words, capture_output=True, check=True).stdout[32:]
    for file in newsroom.parent.glob("*.auth_private"):
        keys[file.name] = ClientKey.parse(file.read_text())[1].secret
    return keys | {
        "the passphrase of the onions": newsroom.with_name("vault").read_bytes().strip(),
        "the passphrase of the masthead": PASSPHRASE,
    }


def forms(secret: bytes) -> Iterator[bytes]:
    """The secret as it is, in hex, in base32 and in base64 wherever it begins in what was encoded."""
    yield secret
    yield secret.hex().encode()
    yield base64.b32encode(secret).rstrip(b"=")
    for before in range(3):
        whole = base64.b64encode(bytes(before) + secret)
        yield whole[4 * (before > 0) : len(whole) // 4 * 4 - 4]


def said_in(text: str, secrets: Mapping[str, bytes]) -> list[str]:
    """The names of those that are in a text in any form."""
    data = text.encode(errors="surrogateescape")
    return [name for name, secret in secrets.items() if any(form in data for form in forms(secret))]


def found_in(box: Box, secrets: Mapping[str, bytes]) -> list[tuple[str, str]]:
    """Each file of a box that holds one, and which."""
    wanted = {
        f"{name} {n}": base64.b64encode(form).decode()
        for name, secret in secrets.items()
        for n, form in enumerate(forms(secret))
    }
    done = box.machine.run("python3", "-Ic", _SEARCH, text=json.dumps(wanted))
    assert done.returncode == 0, done.stderr
    lines = (line.split("\t") for line in done.stdout.splitlines())
    return sorted({(path, name.rsplit(" ", 1)[0]) for path, name in lines})
