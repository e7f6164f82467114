"""Room on the disk: some of it is never given away."""

from __future__ import annotations

import errno
import os

from relay.errors import Refused

_OVERHEAD = 8192  # bytes: what a file may cost beside its contents
_FILES = 1024  # so many files must remain possible
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_REFUSAL = "the disk is full; nothing was stored"


class Space:
    """The file system of `folder`, of which `reserve` bytes stay free for the board and the system."""

    def __init__(self, folder: str, reserve: int) -> None:
        self._folder = folder
        self.reserve = reserve
        self._pending = 0  # bytes that were let in and may not be on the disk yet

    def free(self) -> int:
        disk = os.statvfs(self._folder)
        return disk.f_bavail * disk.f_frsize

    def take(self, size: int) -> None:
        """Sets `size` bytes aside until `give_back`; refuses (507) to touch the reserve for them."""
        disk = os.statvfs(self._folder)
        free = disk.f_bavail * disk.f_frsize - self._pending - size - _OVERHEAD
        if free < self.reserve or (disk.f_files and disk.f_favail < _FILES):
            raise Refused(507, _REFUSAL)
        self._pending += size

    def give_back(self, size: int) -> None:
        self._pending -= size


def refuse_if_full(error: OSError) -> None:
    """Refuses (507) what failed because somebody else filled the disk meanwhile."""
    if error.errno in _FULL:
        raise Refused(507, _REFUSAL) from None
