"""Speed as ratios, each from one interleaved run. They start their servers with the helpers of the tests."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))
