"""Memory that is freed and needed again at once, many times a second."""

from __future__ import annotations

import ctypes
import gc

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # values of glibc's malloc.h


def keep_memory(largest: int, most: int) -> None:
    """Keeps freed buffers of up to `largest` bytes for the next request, `most` bytes in all: else every read
    maps and unmaps its own. The collector looks neither at what is loaded by now, which stays, nor all the
    time at requests in progress."""
    gc.freeze()
    gc.set_threshold(10_000)
    mallopt = ctypes.CDLL(None).mallopt
    mallopt(_M_MMAP_THRESHOLD, largest)
    mallopt(_M_TRIM_THRESHOLD, most)
