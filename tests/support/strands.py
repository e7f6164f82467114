"""Tests that wait for long, at once: those of one strand run one after the other, beside those of others."""

from __future__ import annotations

import functools
from collections import defaultdict
from collections.abc import Callable, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, Generic, TypeVar

S = TypeVar("S")
Test = Callable[..., None]


def strand(name: str) -> Callable[[Callable[[S], Any]], Test]:
    """A test, of a function that is given what its strand works with. The first chosen test of any strand
    waits for those of all; each then ends as its own function did."""

    def decorate(told: Callable[[S], Any]) -> Test:
        def test(strands: Strands[S]) -> None:
            strands.result(test)

        functools.update_wrapper(test, told)
        del test.__wrapped__  # type: ignore[attr-defined]  # or pytest would look there for what it needs
        test.strand, test.told = name, told  # type: ignore[attr-defined]
        return test

    return decorate


class Strands(Generic[S]):
    """Runs these functions, those without a strand aside; `given` makes what one of a strand is given."""

    def __init__(self, functions: Iterable[Any], given: Callable[[str], S]) -> None:
        self._given = given
        self._ended: dict[Any, Future[Any]] = {}
        strands = defaultdict(list)
        for one in functions:
            if hasattr(one, "strand"):
                strands[one.strand].append(one)
        with ThreadPoolExecutor(max(len(strands), 1)) as pool:
            for tests in strands.values():
                pool.submit(self._run, tests)

    def _run(self, tests: Iterable[Any]) -> None:
        for one in tests:
            ended = self._ended[one] = Future()
            try:
                ended.set_result(one.told(self._given(one.strand)))
            except BaseException as why:
                ended.set_exception(why)

    def result(self, test: Any) -> Any:
        """What its function gave; raises what that raised."""
        if test not in self._ended:
            self._run([test])
        return self._ended[test].result()
