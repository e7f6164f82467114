"""A socket that asks: it has a given time and takes so many bytes, whatever the other end does."""

from __future__ import annotations

import socket
import time
from typing import Any

from relay.settings import Address


class Plug(socket.socket):
    """Connected to an address; raises TimeoutError at `end`, a moment of the monotonic clock, and OSError
    after `most` bytes."""

    def __init__(self, address: Address, end: float, most: int) -> None:
        super().__init__(socket.AF_INET if address.path is None else socket.AF_UNIX)
        self._end = end
        self._left = most
        self._hurry()
        try:
            self.connect(("127.0.0.1", address.port) if address.path is None else str(address.path))
        except BaseException:
            self.close()
            raise

    def recv_into(self, *given: Any) -> int:  # what a file made of a socket reads with
        self._hurry()
        count = super().recv_into(*given)
        self._left -= count
        if self._left < 0:
            raise OSError("too much was said")
        return count

    def _hurry(self) -> None:
        self.settimeout(max(self._end - time.monotonic(), 0.001))
