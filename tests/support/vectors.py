"""The vectors of tests/vectors, one case a file: the JavaScript tests read the same."""

import json
from pathlib import Path
from typing import Any

import pytest

_FOLDER = Path(__file__).parent.parent / "vectors"


def cases(kind: str) -> Any:
    """Parametrizes a test's `case` with every vector of a kind."""
    files = sorted((_FOLDER / kind).glob("*.json"))
    assert files, f"there are no vectors in {kind}"
    return pytest.mark.parametrize(
        "case", [pytest.param(json.loads(file.read_text()), id=file.stem) for file in files]
    )
