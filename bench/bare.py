"""What a relay in Python costs at the least: this one takes parts off a unix socket, makes each durable, and
does nothing else.

    python -m bench.bare SOCKET FOLDER
"""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

from bench.servers import Server, wait_until_open

_REST = 0.2  # seconds between two reads: tor hands a body over in hundreds of small pieces
_READ = 1 << 18  # bytes, as asyncio reads at once
_LANES = 8  # connections at once


def main() -> None:
    path, folder = map(Path, sys.argv[1:])
    with socket.socket(socket.AF_UNIX) as door, ThreadPoolExecutor(_LANES) as pool:
        door.bind(str(path))
        door.listen()
        while True:
            pool.submit(_serve, door.accept()[0], folder)


def _serve(wire: socket.socket, folder: Path) -> None:
    came = b""
    with wire:
        while piece := wire.recv(1 << 16):
            came += piece
            head, ended, body = came.partition(b"\r\n\r\n")
            if not ended:
                continue
            found = re.search(rb"(?i)content-length: *([0-9]+)", head)
            _keep(wire, body, int(found[1]) if found else 0, folder)
            status = b"201 Created" if b"POST " in head else b"204 No Content"
            wire.sendall(b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % status)
            came = b""


def _keep(wire: socket.socket, start: bytes, size: int, folder: Path) -> None:
    """Writes a body of `size` bytes, of which the first came with its head."""
    buffer = memoryview(bytearray(_READ))
    with tempfile.TemporaryFile(dir=folder, buffering=0) as file:
        left = size - file.write(start)
        while left > 0:
            time.sleep(_REST)
            came = wire.recv_into(buffer[:left])
            if not came:
                return
            left -= file.write(buffer[:came])
        os.fsync(file.fileno())


@contextmanager
def bare(path: Path, folder: Path) -> Iterator[Server]:
    """It as a process of its own, where a relay listened before."""
    path.unlink(missing_ok=True)
    command = [sys.executable, "-m", "bench.bare", path, folder]
    with subprocess.Popen(command) as process:
        try:
            wait_until_open(path)
            yield Server("bare", process.pid, f"unix:{path}", "", folder)
        finally:
            process.kill()


if __name__ == "__main__":
    main()
