"""Text as a terminal gets it."""

import os
import subprocess
import sys
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.desk.terminal import block, size, table, visible

STRANGE = st.text(st.characters(codec="utf-8"))


@given(STRANGE)
def test_nothing_that_moves_or_hides_gets_through(text: str) -> None:
    said = visible(text)
    assert {unicodedata.category(c) for c in said if c not in "\u200c\u200d"} & {
        "Cc",
        "Cf",
        "Co",
        "Cn",
        "Zl",
        "Zp",
    } == set()


@given(st.text(st.characters(categories=["L", "N", "P", "S", "M", "Zs"])))
def test_ordinary_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_persian_keeps_its_joiners() -> None:
    assert visible("می\u200cخواهم") == "می\u200cخواهم"


@given(STRANGE)
def test_every_line_of_a_block_has_its_margin(text: str) -> None:
    lines = block(text).split("\n")
    assert all(line.startswith("  |") for line in lines)
    assert len(lines) == text.replace("\r\n", "\n").count("\n") + 1


@given(st.lists(st.tuples(STRANGE, STRANGE), min_size=1, max_size=4))
def test_a_table_has_one_line_a_row(rows: list[tuple[str, str]]) -> None:
    assert len(table(rows).split("\n")) == len(rows)


@pytest.mark.parametrize(
    ("count", "said"),
    [
        (0, "0 B"),
        (1023, "1023 B"),
        (1024, "1.0 KiB"),
        (1536, "1.5 KiB"),
        (1 << 30, "1.0 GiB"),
        (1 << 50, "1024.0 TiB"),
    ],
)
def test_sizes(count: int, said: str) -> None:
    assert size(count) == said


@pytest.mark.parametrize("words", [[], ["nothing"], ["fetch", "--what"], ["show"], ["open", "x"], ["join"]])
def test_usage_is_said_in_two_lines(words: list[str]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "keys.desk", *words], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (2, "")
    error, hint = done.stderr.splitlines()
    assert error.startswith("desk: error: ")
    assert hint.startswith("desk: hint: `desk")


def test_help_does_not_depend_on_the_window() -> None:
    helps = [
        subprocess.run(
            [sys.executable, "-m", "keys.desk", "open", "--help"],
            env=os.environ | {"COLUMNS": columns},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for columns in ("40", "200")
    ]
    assert helps[0] == helps[1]
    assert max(map(len, helps[0].splitlines())) <= 100


def test_a_terminal_that_knows_no_letters_ends_nothing() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "keys.desk", "show", "é" * 10 + ".age", "--identity", "ü"],
        env=os.environ | {"PYTHONIOENCODING": "ascii", "LC_ALL": "C"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stderr == "desk: error: \\xfc: no such file or directory\n"
