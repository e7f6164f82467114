"""Debian's tor, which a user's PATH may not name."""

import shutil

TOR = shutil.which("tor") or "/usr/sbin/tor"
