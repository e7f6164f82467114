"""build.py run as a program on a throwaway newsroom whose keys are always the same."""

from __future__ import annotations

import html.parser
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

from keys.age import HybridIdentity
from keys.identity import Journalist, lock
from keys.masthead import MastheadKey

ROOT = Path(__file__).resolve().parents[2]
PASSPHRASE = b"a throwaway passphrase"
KEY = MastheadKey(b"8 bytes!", bytes(range(32)))
JOURNALISTS = {
    name: Journalist(name, HybridIdentity(bytes([i]) * 32)) for i, name in enumerate(("ada", "bo"))
}
YAML = """\
name: The Lantern <& "Co">
operator: {en: We run it ourselves., nl: Wij beheren hem zelf.}
address: https://lantern.example/tips
languages: [en, nl]
recipients: [ada.pub, bo.pub]
masthead: masthead.pub
edition: 3
expires: 2199-06-30
"""
ONION = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"
ALLIANCE = (
    YAML
    + f"""\
onion: {ONION}
elsewhere: </script> page 2
contact: Call us.
partners:
  - {{name: one, title: One, beat: Crime, languages: [en, nl], recipients: [ada]}}
  - {{name: two, title: Two, recipients: [bo]}}
choose: 1
questions: [{{id: when, ask: "When?", type: choice, choices: [Now, "</script>"], required: true}}]
"""
)


def build(
    *arguments: str | Path, cwd: Path = ROOT, env: Mapping[str, str] | None = None, umask: int = -1
) -> subprocess.CompletedProcess[str]:
    read, write = os.pipe()
    with os.fdopen(write, "wb") as pipe:
        pipe.write(PASSPHRASE + b"\n")
    try:
        return subprocess.run(
            [sys.executable, ROOT / "build.py", *arguments, "--passphrase-fd", str(read)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            umask=umask,
            pass_fds=[read],
            capture_output=True,
            text=True,
            check=False,
        )
    finally:
        os.close(read)


def fill(folder: Path, yaml: str = YAML) -> Path:
    for name, journalist in JOURNALISTS.items():
        (folder / f"{name}.pub").write_text(journalist.public_file())
    (folder / "masthead.pub").write_text(KEY.public.to_file())
    (folder / "masthead.key").write_bytes(lock(KEY.to_text(), PASSPHRASE, 4))
    path = folder / "newsroom.yaml"
    path.write_text(yaml)
    return path


class Page(html.parser.HTMLParser):
    """What of a page the tests look at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.data = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert len({name for name, _ in attrs}) == len(attrs), f"a repeated attribute in <{tag}>"
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "input", "br"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open[-1:] == ["script"]:
            self.data += data
        else:
            self.text.append(data)

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.tags if name == tag]
