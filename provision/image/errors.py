# ruff: noqa: N818 - an exception is named for what happened
"""What ends the making of an image."""

from __future__ import annotations


class NoImage(Exception):
    """Says in one sentence why there is no image, and in another what to do."""

    def __init__(self, sentence: str, remedy: str) -> None:
        super().__init__(sentence)
        self.remedy = remedy
