"""The search finds what it is made to find: that nothing is found elsewhere means something then."""

from __future__ import annotations

import base64
import secrets
import subprocess
import sys
from pathlib import Path

import pytest
from support.traces import in_files, in_memory, spellings

SECRET = f"a secret æ {secrets.token_hex(8)}"
_PLAIN = SECRET.encode()
_WAYS = {
    "plain": _PLAIN,
    "utf-16": SECRET.encode("utf-16-le"),
    "utf-16 the other way round": SECRET.encode("utf-16-be"),
    "hex": _PLAIN.hex().encode(),
    "HEX": _PLAIN.hex().upper().encode(),
    **{f"base64 after {n}": base64.b64encode(b"x" * n + _PLAIN + b"y" * (5 - n)) for n in range(5)},
}
# Reads what it keeps from a pipe: what stands in a command is in its memory for that reason alone.
_KEEPER = "import sys; kept = sys.stdin.buffer.read(int(sys.argv[1])); print(flush=True); sys.stdin.read()"


@pytest.mark.parametrize("way", _WAYS)
def test_a_file_that_holds_it_is_found(way: str, tmp_path: Path) -> None:
    folder = tmp_path / "deep/er"
    folder.mkdir(parents=True)
    (folder / "other").write_bytes(b"nothing" * 1000)
    assert in_files(tmp_path, spellings(SECRET)) == []
    (folder / "this").write_bytes(b"\0" * 999 + _WAYS[way] + b"\0" * 999)
    assert in_files(tmp_path, spellings(SECRET)) == [folder / "this"]


@pytest.mark.parametrize("way", ["plain", "base64 after 1"])
def test_a_process_that_holds_it_is_found(way: str) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _KEEPER, str(len(_WAYS[way]))], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as keeper:
        assert keeper.stdin
        assert keeper.stdout
        assert not in_memory(keeper.pid, spellings(SECRET))
        keeper.stdin.write(_WAYS[way])
        keeper.stdin.flush()
        assert keeper.stdout.readline() == b"\n"
        assert in_memory(keeper.pid, spellings(SECRET))
        keeper.stdin.close()
