#!/usr/bin/env python3
"""Ssh's way to the box's ssh onion, as its ProxyCommand: through the tor of this computer, which has the key.

The variable SOCKS names that tor's port; without it, 127.0.0.1:9050.
"""

from __future__ import annotations

import os
import socket
import sys
import threading
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from keys.desk import socks
from keys.errors import KnotholeError

_PIECE = 1 << 16
_PATIENCE = 120  # seconds, for tor to find the onion


def _up(plug: socket.socket) -> None:
    """Passes on what ssh says, until it says no more."""
    while piece := os.read(0, _PIECE):
        plug.sendall(piece)
    plug.shutdown(socket.SHUT_WR)


def main() -> None:
    host, port = sys.argv[1:]
    try:
        plug = socks.connect(os.environ.get("SOCKS") or socks.TOR, host, int(port), "ssh", _PATIENCE)
    except KnotholeError as error:
        sys.exit(f"box: error: {error}\nbox: hint: {error.hint}")
    plug.settimeout(None)
    threading.Thread(target=_up, args=[plug], daemon=True).start()
    while piece := plug.recv(_PIECE):
        os.write(1, piece)


if __name__ == "__main__":
    main()
