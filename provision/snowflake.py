"""What Debian's snowflake-client (2.5.1) makes of a bridge that newsroom.yaml names."""

from __future__ import annotations

import re
from collections.abc import Iterator

_ICE = re.compile(r" ice=stun:[^ ,]+(,stun:[^ ,]+)*( |$)")


def faults(line: str) -> Iterator[tuple[str, str]]:
    """Gives a sentence and its remedy for each reason why a bridge's line would not do."""
    if not line.startswith("snowflake "):
        return
    bridge = f"the bridge {line.split()[1]}"
    if " fronts=" in line:
        # It would go without any front.
        said = f"{bridge} has `fronts=`, which Debian's snowflake does not know"
        yield said, "write `front=` and one of the names"
    if not _ICE.search(line):
        # It is started again and again, and tor learns little by its other bridges meanwhile.
        said = f"{bridge} lacks `ice=stun:…`, without which Debian's snowflake ends at once"
        yield said, "write the whole line"
