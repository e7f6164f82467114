"""Debian's tor, and what a box's is told."""

import shutil
from collections.abc import Iterable
from pathlib import Path

from jinja2 import Template

TOR = shutil.which("tor") or "/usr/sbin/tor"  # which a user's PATH may not name
_TORRC = Path(__file__).parents[2] / "provision/roles/onion/templates/etc/tor/torrc.j2"


def render_torrc(onions: Iterable[tuple[Path, Path]], sealer: Path | None = None, **more: object) -> str:
    """The torrc for services, each a folder and the relay's socket; the first leads to the sealer's too."""
    template = Template(_TORRC.read_text(), trim_blocks=True, keep_trailing_newline=True)
    services = [{"folder": folder, "socket": socket} for folder, socket in onions]
    if sealer:
        services[0]["sealer"] = sealer
    given = {f"onion_{name}": value for name, value in more.items()}
    return template.render(onion_services=services, **given)
