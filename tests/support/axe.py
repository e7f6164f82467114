"""axe-core in the page as it stands."""

from __future__ import annotations

import functools
from pathlib import Path

from support.firefox import Firefox

_AXE = Path(__file__).resolve().parents[2] / "site/node_modules/axe-core/axe.min.js"
_RUN = """
const { violations } = await axe.run(document, { resultTypes: ["violations"] });
const places = nodes => nodes.map(node => node.target).join("  ");
return violations.map(({ id, help, nodes }) => `${id}: ${help}: ${places(nodes)}`);
"""


@functools.cache
def _source() -> str:
    return _AXE.read_text()


def violations(firefox: Firefox) -> list[str]:
    """Every rule that the page breaks, best practice included, with the elements that break it."""
    if not firefox.script("return typeof axe === 'object'"):
        firefox.script(_source())  # in Marionette's sandbox, which the page's policy does not reach
    return list(firefox.script(_RUN))
