"""Ansible's way into a container; ansible-core brings none."""

from __future__ import annotations

import shlex
import subprocess
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError
from ansible.plugins.connection import ConnectionBase

DOCUMENTATION = """
name: container
short_description: nsenter
description: [Runs everything in the namespaces of one process]
author: Knothole
options:
  pid:
    description: the process
    type: int
    required: true
    vars: [{name: container_pid}]
"""
_CLEAN = {
    "PATH": "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
    "HOME": "/root",
    "LC_ALL": "C.UTF-8",
}


class Connection(ConnectionBase):  # type: ignore[misc]
    transport = "container"
    has_pipelining = True

    def _connect(self) -> None:
        self._connected = True

    def exec_command(
        self, cmd: str, in_data: bytes | None = None, sudoable: bool = True
    ) -> tuple[int, bytes, bytes]:
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        return self._run(["/bin/sh", "-c", cmd], in_data or b"")

    def put_file(self, in_path: str, out_path: str) -> None:
        super().put_file(in_path, out_path)
        self._checked(["/bin/sh", "-c", f"cat > {shlex.quote(out_path)}"], Path(in_path).read_bytes())

    def fetch_file(self, in_path: str, out_path: str) -> None:
        super().fetch_file(in_path, out_path)
        Path(out_path).write_bytes(self._checked(["/bin/cat", in_path], b""))

    def close(self) -> None:
        self._connected = False

    def _checked(self, words: list[str], data: bytes) -> bytes:
        status, out, err = self._run(words, data)
        if status:
            raise AnsibleError(err.decode(errors="replace"))
        return out

    def _run(self, words: list[str], data: bytes) -> tuple[int, bytes, bytes]:
        enter: list[Any] = ["nsenter", "-t", str(self.get_option("pid")), "-a"]
        done = subprocess.run([*enter, *words], input=data, capture_output=True, env=_CLEAN, check=False)
        return done.returncode, done.stdout, done.stderr
