"""`make demo`: a throwaway newsroom, the whole loop proved with the real programs, then a page to try."""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from support.relay_process import RelayProcess

ROOT = Path(__file__).resolve().parent.parent
BIN = Path(sys.executable).parent
JOURNALISTS = ("ada", "ben")
MESSAGE = "The harbour's soil reports were changed after the laboratory signed them."
ANSWER = "Thank you. Can you tell us which of the two reports came first?"
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


class Failed(Exception):  # noqa: N818 - it is what the user sees
    """A step did not show what it had to."""


@dataclass
class Newsroom:
    """The throwaway newsroom in `folder`; every program is run as a person would run it."""

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


def make(room: Newsroom) -> None:
    """Keys, newsroom.yaml and a signed edition."""
    for name in JOURNALISTS:
        room.run(BIN / "desk", "keygen", name, "-o", room.folder, "--passphrase-fd", "FD")
    room.run(BIN / "desk", "keygen", "--masthead", "-o", room.folder, "--passphrase-fd", "FD")
    made = ", ".join(sorted(path.name for path in room.folder.iterdir()))
    see("two journalists and the masthead have keys", made, "ben.pub" in made)
    expires = datetime.now(UTC).date() + timedelta(days=90)
    yaml, out = room.folder / "newsroom.yaml", room.folder / "out"
    yaml.write_text(YAML.format(expires=expires))
    masthead = room.folder / "masthead.key"
    room.run(sys.executable, ROOT / "build.py", yaml, "-o", out, "--sign", masthead, "--passphrase-fd", "FD")
    files = json.loads((out / "edition/manifest.json").read_text())["files"]
    see("newsroom.yaml became a signed edition", f"{len(files)} files in {out}/edition", len(files) > 8)


def prove(room: Newsroom, relay: RelayProcess) -> None:
    """The loop: sealed, stored, fetched, opened, answered, read."""
    masthead = room.folder / "masthead.pub"
    verified = room.run(BIN / "desk", "verify-edition", relay.source_url, "--masthead", masthead)
    see("the relay serves that edition, byte for byte", verified.strip())
    for name in JOURNALISTS:
        keys = ("--identity", room.folder / f"{name}.key", "--relay", relay.desk_url)
        room.desk(
            name, "join", room.folder / "out/edition", "--masthead", masthead, *keys, "--passphrase-fd", "FD"
        )

    file = room.folder / "soil report.csv"
    file.write_bytes(secrets.token_bytes(1_500_000))
    job = {"base_url": relay.source_url, "message": MESSAGE, "files": [str(file)], "to": ["ada"]}
    sent = room.source(job | {"answers": {"evidence": "The two reports."}})
    told = f"{sent['parts']} parts, {sent['bytes']:,} bytes, codename: {sent['codename']}"
    see("a message and a file were sealed by the page's scripts and stored", told, sent["parts"] == 2)
    stored = b"".join(path.read_bytes() for path in (room.folder / "data").rglob("*") if path.is_file())
    hidden = (
        MESSAGE.encode() not in stored
        and file.name.encode() not in stored
        and b"age-encryption.org" in stored
    )
    see("what the relay keeps is ciphertext", f"{len(stored):,} bytes, none of them readable", hidden)

    opened = read(room, sent["id"], file)
    see("ada fetched and opened it", f"{opened!r}, and the file's SHA-256 is the same")
    room.desk("ben", "fetch", "--passphrase-fd", "FD")
    others = json.loads(room.desk("ben", "list", "--json", "--passphrase-fd", "FD"))
    see("ben, who was not chosen, cannot open it", json.dumps(others), sent["id"] not in json.dumps(others))

    room.desk("ada", "reply", sent["id"], "--passphrase-fd", "FD", text=ANSWER)
    look = {"base_url": relay.source_url, "look": sent["codename"]}
    (reply,) = room.source(look)["replies"]
    right = reply["text"] == ANSWER and reply["author"] == "ada"
    see("the answer was read with the twelve words", f"{reply['author']}: {reply['text']}", right)


def read(room: Newsroom, drop: str, file: Path) -> str:
    """Gives ada's opened message once the file beside it is the one that was sent."""
    room.desk("ada", "fetch", "--passphrase-fd", "FD")
    folder = room.folder / "opened"
    room.desk("ada", "open", drop, "-o", folder, "--passphrase-fd", "FD")
    (written,) = (folder / "files").iterdir()
    if hashlib.sha256(written.read_bytes()).digest() != hashlib.sha256(file.read_bytes()).digest():
        raise Failed("the opened file is another one")
    message = (folder / "message.txt").read_text()
    if message != MESSAGE:
        raise Failed("the opened message is another one")
    return message


def wait(room: Newsroom, relay: RelayProcess) -> None:
    """Leaves the page open until Ctrl-C."""
    desk = f"{BIN / 'desk'} --home {room.folder / 'ada-desk'}"
    print(
        f"""
The page is open at {relay.source_url}/ (Ctrl-C ends it and deletes everything).

Send something to Ada, then read and answer it as her. Her passphrase: {room.passphrase}

    {desk} fetch
    {desk} list
    {desk} show DROP
    {desk} open DROP -o {room.folder / "a-folder"}
    {desk} reply DROP
""",
        flush=True,
    )
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        relay.process.wait()
    except KeyboardInterrupt:
        print()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ci", action="store_true", help="end after the proof")
    ends = parser.parse_args(arguments).ci
    os.umask(0o077)
    # Outside the checkout: `desk keygen` writes no secret inside a git work tree.
    folder = Path(tempfile.mkdtemp(prefix="knothole-demo-"))
    room = Newsroom(folder, "-".join(secrets.token_hex(2) for _ in range(4)))
    try:
        make(room)
        with RelayProcess(folder / "out/edition", folder / "data") as relay:
            prove(room, relay)
            if not ends:
                wait(room, relay)
    except Failed as failed:
        print(f"demo: error: {failed}", file=sys.stderr)
        return 1
    finally:
        shutil.rmtree(folder)
    if ends:
        print("every step held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
