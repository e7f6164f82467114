"""Whatever a source's files are called, the page names them so that a desk opens the drop."""

import json
import subprocess
import sys
import unicodedata
from pathlib import Path

from keys.names import Names, folded, is_name

_NODE = Path(sys.prefix) / "bin" / "node"
# All but the blocks of a hundred thousand alike: ideographs, syllables, the unassigned and the private.
_ALIKE = ("Cn", "Co", "Cs", "Lo")
_CHARACTERS = [
    chr(code)
    for code in range(sys.maxunicode + 1)
    if code < 0x3400 or unicodedata.category(chr(code)) not in _ALIKE
]


def _named(drops: list[list[str]]) -> list[list[str]]:
    command = [_NODE, Path(__file__).parent / "support/names.mjs"]
    run = subprocess.run(command, input=json.dumps(drops).encode(), stdout=subprocess.PIPE, check=True)
    named: list[list[str]] = json.loads(run.stdout)
    return named


def test_every_character_in_a_file_name_becomes_one_that_a_desk_takes() -> None:
    drops = [
        [wrapped for c in _CHARACTERS[at : at + 250] for wrapped in (c, f"a{c}b")]
        for at in range(0, len(_CHARACTERS), 250)
    ]
    for names in _named(drops):
        assert [name for name in names if not is_name(name)] == []
        assert len({folded(name) for name in names}) == len(names)


def test_names_that_differ_in_case_or_form_alone_are_told_apart() -> None:
    forms = (str.casefold, str.upper, str.title, lambda c: unicodedata.normalize("NFKD", c))
    drops = [[f"x{c}", *(f"x{form(c)}" for form in forms)] for c in _CHARACTERS if c.casefold() != c]
    for names in _named(drops):
        assert len({folded(name) for name in names}) == len(names)


def test_the_sealer_gives_the_names_that_the_page_gives() -> None:
    odd = [
        "a.txt",
        "A.TXT",
        "../etc/passwd",
        "con.txt",
        ".hidden",
        "x" * 300 + ".jpeg",
        "",
        " ",
        "a\x00b",
        "-rf",
        "é" * 90,
    ]
    odd += [
        "archive." + "y" * 40,
        "Stra\u00dfe.txt",
        "STRASSE.txt",
        "a:b|c?",
        "trailing. .",
        "\u202egpj.exe",
        "a.txt",
    ]
    (page,) = _named([odd])
    sealer = Names()
    assert [sealer.take(name) for name in odd] == page
    assert all(map(is_name, page))


def test_the_sealer_names_every_character_as_a_desk_takes_it() -> None:
    for at in range(0, len(_CHARACTERS), 250):
        sealer = Names()
        names = [sealer.take(wrapped) for c in _CHARACTERS[at : at + 250] for wrapped in (c, f"a{c}b")]
        assert [name for name in names if not is_name(name)] == []
        assert len({folded(name) for name in names}) == len(names)
