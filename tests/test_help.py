"""The `--help` texts in README.md are the programs' own."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PROGRAMS = {
    "desk": [str(Path(sys.executable).parent / "desk")],
    "./build.py": [sys.executable, "build.py"],
    "python -m relay": [sys.executable, "-m", "relay"],
    "python -m relay.sealer": [sys.executable, "-m", "relay.sealer"],
}


def quoted() -> dict[str, str]:
    """Every block of README.md that begins with `$ PROGRAM … --help`, by that command."""
    blocks = re.findall(r"^```\n\$ (.+? --help)\n(.*?)^```$", (ROOT / "README.md").read_text(), re.M | re.S)
    return dict(blocks)


def test_every_program_is_quoted() -> None:
    assert {f"{name} --help" for name in PROGRAMS} <= set(quoted())


@pytest.mark.parametrize("command", sorted(quoted()))
def test_quoted_help_is_what_the_program_says(command: str) -> None:
    name = max((name for name in PROGRAMS if command.startswith(name)), key=len)
    words = command.removeprefix(name).split()
    said = subprocess.run(
        [*PROGRAMS[name], *words],
        cwd=ROOT,
        env=os.environ | {"COLUMNS": "200"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == quoted()[command]
