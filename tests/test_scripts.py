"""The page's scripts under Node, by the tests in tests/scripts."""

import subprocess
import sys
from pathlib import Path

import pytest

_NODE = Path(sys.prefix) / "bin" / "node"
_FILES = sorted((Path(__file__).parent / "scripts").glob("*.test.js"))


@pytest.mark.parametrize("file", _FILES, ids=lambda file: file.name.removesuffix(".test.js"))
def test_node(file: Path) -> None:
    command = [_NODE, "--test", "--test-reporter=tap", file]
    run = subprocess.run(command, text=True, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    failed = [line for line in run.stdout.splitlines() if line.lstrip().startswith("not ok")]
    assert not failed, run.stdout
    assert run.returncode == 0, run.stdout
    assert "\n# pass " in run.stdout
    assert "\n# pass 0\n" not in run.stdout
