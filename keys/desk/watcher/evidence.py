"""What a watcher found out, and the files that show it to somebody else."""

from __future__ import annotations

import json
import secrets
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from keys.desk import files
from keys.desk.watcher.browser import Exchange

_TO_DO = (
    "Stop using the page. Tell the newsroom and whoever keeps the box, by another way than the box. Look "
    "again with `desk watch`, and have a colleague look: what two see from two places is no accident."
)
_PROVES = (
    "These files are what this desk was sent, to the byte. By themselves they do not prove to others who "
    "sent it; a look of their own does."
)


@dataclass(frozen=True)
class Finding:
    """One thing an honest box does not do: a sentence, what it means, and what shows it, by file name."""

    kind: str  # page, board or drops
    says: str
    means: str
    check: str = ""  # how somebody else can check it
    facts: Mapping[str, Any] = field(default_factory=dict)
    shown: Mapping[str, bytes] = field(default_factory=dict, repr=False)


def keep(home: Path, finding: Finding) -> Path:
    """Writes a finding into a new folder of its own, for nobody else to read, and gives the folder."""
    now = datetime.now(UTC)
    home.mkdir(mode=0o700, exist_ok=True)
    folder = home / f"{now:%Y-%m-%d-%Hh}-{finding.kind}-{secrets.token_hex(3)}"
    folder.mkdir(mode=0o700)
    facts = {"when": f"{now:%Y-%m-%d %H}h UTC", "kind": finding.kind, "says": finding.says, **finding.facts}
    written = {
        "facts.json": json.dumps(facts, indent=1, ensure_ascii=False).encode() + b"\n",
        **finding.shown,
    }
    written["README.txt"] = _readme(finding, written).encode()
    for name, data in written.items():
        files.create(folder / name, data)
    files.flush_folder(folder)
    files.flush_folder(home)
    return folder


def _readme(finding: Finding, names: Iterable[str]) -> str:
    parts = [f"{finding.says[0].upper()}{finding.says[1:]}.", finding.means, _TO_DO, finding.check, _PROVES]
    paragraphs = [textwrap.fill(part, 90, break_long_words=False) for part in parts if part]
    return "\n\n".join([*paragraphs, "\n".join(f"  {name}" for name in sorted(names))]) + "\n"


def of_exchanges(exchanges: Sequence[Exchange]) -> dict[str, bytes]:
    """Gives the files of some requests and their answers, as they passed."""
    shown = {}
    for number, one in enumerate(exchanges, 1):
        shown[f"{number}-request.txt"] = one.head
        shown[f"{number}-answer-head.txt"] = one.answer.head
        shown[f"{number}-answer-body"] = one.answer.body
    return shown
