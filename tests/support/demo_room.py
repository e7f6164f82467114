"""The demo's newsroom: every program is run as a person would run it, and every step says what it showed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
BIN = Path(sys.executable).parent


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
