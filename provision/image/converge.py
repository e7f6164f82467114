"""Applies the box's own playbook to a bare tree, as `make box` does to a machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from image.container import Container
from image.errors import NoImage
from image.foreign import Foreign
from image.given import HERE, Given, as_a_pipe


def converge(given: Given, workshop: Path) -> None:
    """Makes the tree `root` of the workshop a box, in a machine that starts from it."""
    hosts = workshop / "hosts.json"
    try:
        if given.board.is_this():
            with Container(folder=workshop) as machine:
                _play(given, hosts, {"ansible_connection": "container", "container_pid": machine.pid})
        else:
            with Foreign(given, workshop) as machine:
                _play(given, hosts, machine.way)
                machine.bring_back()
    except RuntimeError as silent:
        said = f"the bare Debian does not start, or ends too early: {silent}"
        raise NoImage(said, "see that systemd-nspawn, or qemu, starts others here") from None


def _play(given: Given, hosts: Path, way: dict[str, Any]) -> None:
    # How much memory it will have, the machine that it is made on cannot say.
    said = way | {"ansible_user": "root", "relay_uploads": given.board.uploads}
    hosts.write_text(json.dumps({"all": {"hosts": {"box": said}}}))
    known = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    known |= {"NEWSROOM": str(given.newsroom), "PATH": f"{Path(sys.executable).parent}:{known['PATH']}"}
    with as_a_pipe(given.passphrase) as passphrase:
        done = subprocess.run(
            [
                *("ansible-playbook", "-i", "inventory.py", "-i", hosts),
                *("--vault-password-file", f"/dev/fd/{passphrase}", "playbook.yml"),
            ],
            cwd=HERE,
            env=known,
            pass_fds=[passphrase],
            check=False,
        )
    if done.returncode:
        raise NoImage("the playbook did not come to its end", "see what Ansible said above")
