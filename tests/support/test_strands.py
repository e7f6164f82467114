"""Strands run at once, each in its order, and what fails fails in its own test."""

from __future__ import annotations

import threading

import pytest
from support.strands import Strands, strand

_both = threading.Barrier(2, timeout=60)
_told: list[str] = []


@strand("one")
def waits_for_the_other_strand(given: str) -> str:
    _both.wait()
    return given


@strand("other")
def fails(given: str) -> None:
    _both.wait()
    _told.append("fails")
    raise ValueError(given)


@strand("other")
def comes_after(given: str) -> None:
    _told.append("comes after")


def test_strands_run_at_once_and_fail_alone() -> None:
    strands = Strands([fails, waits_for_the_other_strand, comes_after, print], str.upper)
    assert _told == ["fails", "comes after"]
    assert strands.result(waits_for_the_other_strand) == "ONE"
    assert comes_after(strands) is None
    for _ in range(2):
        with pytest.raises(ValueError, match="OTHER"):
            fails(strands)


def test_what_nobody_chose_runs_when_it_is_asked_for() -> None:
    _told.clear()
    strands = Strands([], str.upper)
    assert _told == []
    comes_after(strands)
    comes_after(strands)
    assert _told == ["comes after"]
