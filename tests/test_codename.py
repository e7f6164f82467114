"""Codenames and thread keys (FORMAT.md section 3)."""

import contextlib
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.vectors import cases

from keys import codename
from keys.errors import BadCodename

LANGUAGES = [
    "en",
    "nl",
    "es",
    "fr",
    "it",
    "ja",
    "ko",
    "pt-BR",
    "cs",
    "zh",
    "zh-Hans",
    "zh-Hant",
    "zh-Hant-TW",
]


@cases("codename")
def test_vectors(case: dict[str, Any]) -> None:
    if "error" not in case:
        assert codename.parse(case["words"], case["language"]).hex() == case["entropy"]
        return
    with pytest.raises(BadCodename) as caught:
        codename.parse(case["words"], case["language"])
    said = {
        "word": f"{case.get('word')!r} is not in the list",
        "count": "there are",
        "checksum": "one of them is wrong",
    }
    assert said[case["error"]] in str(caught.value)


@cases("codename")
def test_words_are_those_of_the_vectors(case: dict[str, Any]) -> None:
    if "entropy" in case:
        again = codename.words(bytes.fromhex(case["entropy"]), case["language"])
        assert codename.parse(again, case["language"]).hex() == case["entropy"]
        if case["comment"].startswith(("Trezor", "the ")):
            assert again == case["words"]


@given(st.binary(min_size=16, max_size=16), st.sampled_from(LANGUAGES))
def test_parse_inverts_words(entropy: bytes, language: str) -> None:
    assert codename.parse(codename.words(entropy, language), language) == entropy


@given(
    st.text() | st.lists(st.sampled_from(["abandon", "zoo", "able", "Zoo", "x"])).map(" ".join),
    st.sampled_from(LANGUAGES),
)
def test_any_text_parses_or_is_refused_in_one_way(typed: str, language: str) -> None:
    with contextlib.suppress(BadCodename):
        assert len(codename.parse(typed, language)) == 16


def test_regional_chinese_has_its_own_list() -> None:
    traditional = codename.words(bytes(range(16)), "zh-Hant")
    assert traditional != codename.words(bytes(range(16)), "zh")
    assert codename.words(bytes(range(16)), "zh-TW") == traditional
    assert codename.words(bytes(range(16)), "zh-Hant-HK") == traditional


def test_new_codenames_differ() -> None:
    assert len({codename.new() for _ in range(100)}) == 100


@cases("thread")
def test_thread_vectors(case: dict[str, Any]) -> None:
    key = codename.thread_key(bytes.fromhex(case["entropy"]), case["newsroom"])
    assert key.hex() == case["thread_key"]
    assert codename.thread_id(key) == case["thread_id"]
