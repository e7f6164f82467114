"""The relay, and nginx beside it, each as processes of their own whose CPU time and memory can be read.

Both listen on unix sockets, as the relay does behind tor.
"""

from __future__ import annotations

import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from support.relay_process import RelayProcess
from support.small_edition import write_edition

_PAGE = os.sysconf("SC_PAGE_SIZE")

# As Debian installs it: what is set here is where things are, DAV, and that nothing is logged.
_NGINX = """
daemon off; worker_processes 1; pid {folder}/pid; error_log {folder}/errors; user root;
events {{ }}
http {{
  access_log off; sendfile on; client_body_temp_path {folder}/body; client_max_body_size 2m;
  keepalive_requests 100000000;
  server {{ listen {socket}; location / {{ root {folder}/files; dav_methods PUT; }} }}
}}
"""


@dataclass(frozen=True)
class Server:
    name: str
    pid: int
    write: str  # address to upload to
    read: str  # address to fetch from
    files: Path  # what it keeps

    def cpu(self) -> float:
        """CPU seconds of the process and those it started, so far."""
        return sum(_cpu(pid) for pid in _tree(self.pid))

    def memory(self) -> int:
        """Resident bytes of all of them."""
        return sum(int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * _PAGE for pid in _tree(self.pid))


@contextmanager
def relay(folder: Path) -> Iterator[Server]:
    edition = write_edition(folder / "edition", drop_bytes=2 << 30, board_lines=512)
    sockets = {"source": f"unix:{folder}/source", "desk": f"unix:{folder}/desk"}
    with RelayProcess(edition, folder / "data", **sockets) as process:
        yield Server("relay", process.process.pid, process.source, process.desk, folder / "data")


@contextmanager
def nginx(folder: Path) -> Iterator[Server]:
    (folder / "files").mkdir(parents=True)
    address = f"unix:{folder}/socket"
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, socket=address))
    command = ["/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "errors")]
    process = subprocess.Popen(command)
    try:
        wait_until_open(folder / "socket")
        yield Server("nginx", process.pid, address, address, folder / "files")
    finally:
        process.terminate()
        process.wait()


def wait_until_open(socket: Path) -> None:
    for _ in range(200):
        if socket.exists():
            return
        time.sleep(0.05)
    raise RuntimeError(f"nobody listens at {socket}")


def _tree(pid: int) -> list[int]:
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [pid, *(below for child in children for below in _tree(int(child)))]


def _cpu(pid: int) -> float:
    # The scheduler's own count, in nanoseconds: that of /proc/PID/stat goes in steps of 10 ms.
    tasks = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
