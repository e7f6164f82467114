"""What the desk says and asks at a terminal. What strangers wrote is never sent to one as it is."""

from __future__ import annotations

import json
import sys
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from keys.errors import DeskError, KnotholeError

_JOINERS = "\u200c\u200d"  # these shape words in Persian and the Indic scripts, and move nothing


def visible(text: str) -> str:
    """Gives text in which every character that could move, hide or recolour another is written as its
    number."""
    return "".join(c if _is_harmless(c) else _number(c) for c in text)


def block(text: str) -> str:
    """Gives a stranger's text with a margin, so that no line of it reads as one of the desk's own."""
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join(f"  | {visible(line.expandtabs(8))}".rstrip() for line in lines)


def table(rows: Iterable[Sequence[str]]) -> str:
    """Gives rows as columns, the last of any width."""
    rows = [[visible(cell) for cell in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return "\n".join("  ".join(map(str.ljust, row, widths)).rstrip() for row in rows)


def say(text: str) -> None:
    print(text, flush=True)


def say_json(value: object) -> None:
    print(json.dumps(value, indent=1, sort_keys=True), flush=True)


def complain(error: KnotholeError) -> None:
    """Says on stderr what went wrong and what to do about it."""
    print(f"desk: error: {visible(str(error))}", file=sys.stderr)
    if error.hint:
        print(f"desk: hint: {visible(error.hint)}", file=sys.stderr)


def warn(text: str) -> None:
    print(f"desk: warning: {visible(text)}", file=sys.stderr)


class Progress:
    """One line on a terminal's stderr that is written over; nothing where nobody looks."""

    def __init__(self) -> None:
        self._shown = sys.stderr.isatty()

    def __call__(self, text: str) -> None:
        if self._shown:
            print(f"\r\x1b[K{visible(text)}", end="", file=sys.stderr, flush=True)

    def __enter__(self) -> Progress:
        return self

    def __exit__(self, *_: object) -> None:
        self("")


def size(count: int) -> str:
    """Gives a number of bytes as people read it."""
    units = ("B", "KiB", "MiB", "GiB", "TiB")
    power = min(max(count.bit_length() - 1, 0) // 10, len(units) - 1)
    return f"{count} B" if not power else f"{count / 1024**power:.1f} {units[power]}"


def read_text(limit: int, what: str = "the reply", hint: str = "") -> str:
    """Gives what stdin holds, without the line feeds at its end; raises DeskError for more than `limit`
    bytes."""
    if sys.stdin.isatty():
        print(f"type {what}, then end it with Ctrl-D on a line of its own", file=sys.stderr)
    data = sys.stdin.buffer.read(limit + 4096).replace(b"\r\n", b"\n").rstrip(b"\n")
    if len(data) > limit:
        raise DeskError(f"the text is too long: at most {limit} bytes fit", hint=hint)
    try:
        text = data.decode()
    except UnicodeDecodeError:
        raise DeskError("the text is not UTF-8") from None
    if not text.strip():
        raise DeskError("there is no text")
    return text


def read_file(path: Path, limit: int) -> bytes:
    """Gives a small file; raises DeskError for one that is too large or cannot be read."""
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError as error:
        raise DeskError(f"{path}: {(error.strerror or 'it cannot be read').lower()}") from None
    if len(data) > limit:
        raise DeskError(f"{path}: it is too large to be that file")
    return data


def _is_harmless(c: str) -> bool:
    category = unicodedata.category(c)
    return c in _JOINERS or (category[0] != "C" and category not in ("Zl", "Zp"))


def _number(c: str) -> str:
    return f"\\u{{{ord(c):x}}}"


def counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
