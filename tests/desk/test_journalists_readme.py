"""What keys/desk/README.md tells journalists to type is what `desk` understands."""

import re
import shlex
from pathlib import Path

import pytest

from keys.desk.__main__ import _parser

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "keys/desk/README.md").read_text()
# A block's lines have their explanation behind two spaces; a command in the text stands in backticks.
LINES = re.findall(r"^    desk (.+?)(?:  .*)?$", TEXT, re.M)
MENTIONED = set(re.findall(r"`desk ([a-z-]+)[^`]*`", TEXT))


def test_there_is_something_to_check() -> None:
    assert len(LINES) > 15
    assert {"fetch", "export", "handover"} <= MENTIONED


@pytest.mark.parametrize("line", LINES)
def test_a_line_is_understood(line: str) -> None:
    words = shlex.split(
        line.replace("check second-source yes evidence: documents", "check second-source yes")
    )
    assert _parser().parse_args(words).run


def test_what_is_mentioned_is_a_command() -> None:
    said = _parser().format_help()
    assert [name for name in sorted(MENTIONED) if not re.search(rf"^    {name} ", said, re.M)] == []
