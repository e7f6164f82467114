"""Looks for a secret where none may be: in files, and in the memory of a process."""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Iterator
from pathlib import Path

_WINDOW = 1 << 24
_MAP = re.compile(r"([0-9a-f]+)-([0-9a-f]+) r\S* \S+ \S+ \S+ *(.*)")
_KERNELS = ("[vvar]", "[vvar_vclock]", "[vsyscall]")  # no memory of the process


def spellings(secret: str) -> list[bytes]:
    """The ways in which a program may keep a text: as it is, as UTF-16, in hex, in base64."""
    plain = secret.encode()
    wide = [secret.encode(code) for code in ("utf-16-le", "utf-16-be")]
    return [plain, *wide, plain.hex().encode(), plain.hex().upper().encode(), *_base64s(plain)]


def _base64s(plain: bytes) -> Iterator[bytes]:
    """Each way that base64 writes it inside something longer, without the letters it shares."""
    for before in range(3):
        first, last = -(-before * 4 // 3), (before + len(plain)) * 4 // 3
        yield base64.b64encode(bytes(before) + plain)[first:last]


def in_files(folder: Path, wanted: Collection[bytes]) -> list[Path]:
    """The files in a folder, however deep, that hold one of them."""
    files = (path for path in folder.rglob("*") if path.is_file() and not path.is_symlink())
    return [path for path in files if _holds(path.read_bytes(), wanted)]


def in_memory(pid: int, wanted: Collection[bytes]) -> bool:
    """Whether a process holds one of them anywhere that it can read itself."""
    overlap = max(map(len, wanted)) - 1
    with Path(f"/proc/{pid}/mem").open("rb", buffering=0) as memory:
        return any(
            _holds(piece, wanted)
            for start, end in _maps(pid)
            for piece in _pieces(memory, start, end, overlap)
        )


def _maps(pid: int) -> Iterator[tuple[int, int]]:
    for line in Path(f"/proc/{pid}/maps").read_text().splitlines():
        found = _MAP.match(line)
        if found and found[3] not in _KERNELS:
            yield int(found[1], 16), int(found[2], 16)


def _pieces(memory: object, start: int, end: int, overlap: int) -> Iterator[bytes]:
    for at in range(start, end, _WINDOW):
        memory.seek(at)  # type: ignore[attr-defined]
        try:
            yield memory.read(min(_WINDOW + overlap, end - at))  # type: ignore[attr-defined]
        except OSError:  # a file that is mapped beyond its end, or a map that has gone since
            continue


def _holds(data: bytes, wanted: Collection[bytes]) -> bool:
    return any(one in data for one in wanted)
