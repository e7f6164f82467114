"""What a service manager is told of a program that it started and waits for (sd_notify(3))."""

from __future__ import annotations

import os
import socket

from relay.errors import CannotServe


def tell_systemd() -> None:
    """Says that the sockets are open, where systemd waits for that; refuses (CannotServe) to go unheard."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    if address[0] == "@":  # in no folder: so containers name it
        address = f"\0{address[1:]}"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as wire:
            wire.sendto(b"READY=1", address)
    except OSError as error:
        raise CannotServe(f"systemd cannot be told that the sockets are open: {error.strerror}") from None
