"""What keys/desk/README.md tells journalists to type is what `desk` understands, and it answers as shown."""

import re
import shlex
from pathlib import Path

import pytest
from support.newsdesk import Newsdesk, Source

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


def test_a_case_looks_as_it_is_shown(house: Newsdesk) -> None:
    def say(name: str, *words: str, text: str = "") -> None:
        assert house.desk(name, "case", drop, *words, text=text).status == 0
        for one in house.journalists:
            assert house.desk(one, "fetch").status == 0

    drop = Source(house).send("The soil reports were changed after they were signed.")
    for name in house.journalists:
        house.desk(name, "fetch")
    house.desk("ada", "show", drop)
    say("ada", "state", "checking")
    say("ada", "task", "--to", "bea", text="Ask the laboratory for its copy")
    say("bea", "check", "documents", "yes")
    say("bea", "note", text="They confirm the numbers of the first report.")
    house.desk("ada", "fetch")
    said = house.desk("ada", "case", drop).out
    (shown,) = re.findall(r"^```\n(case .*?)^```$", TEXT, re.M | re.S)
    assert masked(shown) == masked(said)


def masked(text: str) -> str:
    """The same with the day, the minute and ids of no meaning."""
    return re.sub(r"\b[0-9a-f]{8,16}\b", "ID", re.sub(r"\d{4}-\d\d-\d\d( \d\d:\d\dZ)?", "THEN", text))
