"""File names inside a drop (FORMAT.md section 2)."""

import unicodedata
from pathlib import PurePosixPath, PureWindowsPath
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from support.vectors import cases

from keys.names import folded, is_name


@cases("name")
def test_vectors(case: dict[str, Any]) -> None:
    assert is_name(case["name"]) is case["valid"]


@given(st.text(st.characters(exclude_categories=["Cs"])) | st.text("abc./\\:.- CON", max_size=6))
def test_a_name_is_one_step_on_every_system(name: str) -> None:
    if is_name(name):
        assert PurePosixPath(name).name == PureWindowsPath(name).name == name
        assert not name.startswith(("-", "."))
        assert name.encode().decode() == name


@given(st.text(max_size=8))
def test_folding_is_stable_under_case_and_form(name: str) -> None:
    assert folded(unicodedata.normalize("NFD", name)) == folded(name)
    assert folded(folded(name)) == folded(name)


def test_folding_finds_names_that_file_systems_confuse() -> None:
    assert folded("Straße.TXT") == folded("STRASSE.txt")
    assert folded("e\u0301") == folded("É")
    assert folded("a") != folded("b")
