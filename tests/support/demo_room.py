"""The demo's newsroom, and how it is made: every program is run as a person would run it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.public_onion import Service

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent
JOURNALISTS = ("ada", "ben")
YAML = """\
name: The Harbour Post
operator: The Harbour Post runs this demonstration on your own computer.
address: https://harbourpost.example/tips
languages: [en, nl]
edition: 1
expires: {expires}
masthead: masthead.pub
recipients:
  - {{file: ada.pub, title: "Ada Smit, investigations"}}
  - {{file: ben.pub, title: "Ben de Wit, the harbour"}}
"""
ONION = "onion: source-onion/hostname\nwithout_javascript: seal\n"


class Failed(Exception):  # noqa: N818 - it is what the user sees
    """A step did not show what it had to."""


@dataclass
class Newsroom:
    """A throwaway newsroom in `folder`, whose keys all have one passphrase."""

    folder: Path
    passphrase: str

    def desk(self, who: str, *words: str | Path, text: str = "") -> str:
        return self.run(BIN / "desk", "--home", self.folder / f"{who}-desk", *words, text=text)

    def run(self, *command: str | Path, text: str = "", cwd: Path | None = None) -> str:
        """Gives what a program printed; it may read the passphrase from a pipe, never from its arguments."""
        reading, writing = os.pipe()
        os.write(writing, self.passphrase.encode() + b"\n")
        os.close(writing)
        words = [str(reading) if word == "FD" else str(word) for word in command]
        try:
            done = subprocess.run(
                words, input=text, capture_output=True, text=True, pass_fds=[reading], cwd=cwd, check=False
            )
        finally:
            os.close(reading)
        if done.returncode != 0:
            raise Failed(f"{words[0]} ended with {done.returncode}: {done.stderr.strip()}")
        return done.stdout

    def source(self, job: dict[str, Any]) -> Any:
        """Does what the page's own scripts do, with the keys that the built page carries."""
        page = (self.folder / "out/edition/en/send.html").read_text()
        data = page.partition('id="edition">')[2].partition("</script>")[0]
        job |= {"edition": json.loads(data)}
        said = self.run(BIN / "node", ROOT / "tests/support/source.mjs", text=json.dumps(job))
        return json.loads(said)


def see(told: str, seen: str, held: bool = True) -> None:
    print(f"  {'ok' if held else 'FAILED'}  {told}\n        {seen}", flush=True)
    if not held:
        raise Failed(told)


def make_keys(room: Newsroom) -> None:
    for name in JOURNALISTS:
        room.run(BIN / "desk", "keygen", name, "-o", room.folder, "--passphrase-fd", "FD")
    room.run(BIN / "desk", "keygen", "--masthead", "-o", room.folder, "--passphrase-fd", "FD")
    made = ", ".join(sorted(path.name for path in room.folder.iterdir()))
    see("two journalists and the masthead have keys", made, "ben.pub" in made)


def make_onions(room: Newsroom) -> list[Service]:
    """The source onion and the desk onion, with an invitation for ada in `clients`."""
    room.run(BIN / "desk", "keygen", "--onions", "-o", room.folder)
    folder = room.folder
    services = [
        Service(folder / "source-onion", folder / "source.sock", folder / "sealer.sock"),
        Service(folder / "desk-onion", folder / "desk.sock"),
    ]
    clients = room.folder / "clients"
    clients.mkdir()
    room.run(BIN / "desk", "invite", "ada", "--onion", services[1].address, "-o", clients)
    (clients / "ada.auth").rename(services[1].folder / "authorized_clients/ada.auth")
    see("two onions have keys, and ada is invited to the desks'", services[0].address)
    return services


def make_edition(room: Newsroom, more: str = "") -> None:
    expires = datetime.now(UTC).date() + timedelta(days=90)
    yaml, out = room.folder / "newsroom.yaml", room.folder / "out"
    yaml.write_text(YAML.format(expires=expires) + more)
    masthead = room.folder / "masthead.key"
    room.run(sys.executable, ROOT / "build.py", yaml, "-o", out, "--sign", masthead, "--passphrase-fd", "FD")
    files = json.loads((out / "edition/manifest.json").read_text())["files"]
    see("newsroom.yaml became a signed edition", f"{len(files)} files in {out}/edition", len(files) > 8)
