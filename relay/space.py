"""Room on the disk: some of it is never given away."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager

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

    @contextmanager
    def taken(self, size: int) -> Iterator[None]:
        """Sets `size` bytes aside while the `with` block writes them; refuses (507) to touch the reserve, and
        what fails in the block because somebody else filled the disk meanwhile."""
        disk = os.statvfs(self._folder)
        free = disk.f_bavail * disk.f_frsize - self._pending - size - _OVERHEAD
        if free < self.reserve or (disk.f_files and disk.f_favail < _FILES):
            raise Refused(507, _REFUSAL)
        self._pending += size
        try:
            yield
        except OSError as error:
            if error.errno in _FULL:
                raise Refused(507, _REFUSAL) from None
            raise
        finally:
            self._pending -= size
