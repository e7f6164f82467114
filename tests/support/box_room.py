"""A newsroom's folder as `make box` wants it: keys, onions, invitations, a signed edition; all throwaway."""

from __future__ import annotations

import functools
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

from support.builds import YAML, build, fill

from keys.desk.keygen import new_client, new_onions

ROOT = Path(__file__).resolve().parents[2]
PROVISION = ROOT / "provision"
BIN = Path(sys.executable).parent
HOST = "onion: source-onion/hostname\nbox: {host: 192.0.2.7}\nwithout_javascript: seal\n"
SECRETS = tuple(f"{name}-onion/hs_ed25519_secret_key" for name in ("source", "desk", "ssh"))


def ansible(
    *words: str | Path, newsroom: Path | None = None, **more: str
) -> subprocess.CompletedProcess[str]:
    """One of Ansible's programs, told nothing by this computer's own settings."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    given |= {"PATH": f"{BIN}:{given['PATH']}", "LC_ALL": "C.UTF-8", "NEWSROOM": str(newsroom or "")} | more
    return subprocess.run(words, cwd=PROVISION, env=given, capture_output=True, text=True, timeout=1800)


def furnish(folder: Path, yaml: str = YAML + HOST) -> Path:
    """Gives the newsroom.yaml of a folder that lacks nothing; its file `vault` holds the keys' passphrase.
    ada and bo are invited to the desk onion, operator to the ssh onion."""
    path = fill(folder, yaml)
    _, desk, ssh = new_onions(folder)
    for name, (place, address) in (("ada", desk), ("bo", desk), ("operator", ssh)):
        auth, *_ = new_client(name, address, folder)
        auth.rename(place / "authorized_clients" / auth.name)
    done = build(path, "-o", folder / "out", "--sign", folder / "masthead.key")
    assert done.returncode == 0, done.stderr
    (folder / "vault").write_text("a throwaway passphrase\n")
    secrets = [folder / name for name in SECRETS]
    locked = ansible("ansible-vault", "encrypt", "--vault-password-file", folder / "vault", *secrets)
    assert locked.returncode == 0, locked.stderr
    return path


def copied(newsroom: Path, folder: Path) -> Path:
    """Gives the newsroom.yaml of a copy, to be changed; refuses a folder that is there. Drops that were taken
    from a box are not copied."""
    shutil.copytree(newsroom.parent, folder, ignore=shutil.ignore_patterns("backup"))
    return folder / newsroom.name


def inventory(path: Path) -> dict[str, Any]:
    """What the inventory says of the box."""
    host: dict[str, Any] = script("inventory").inventory(path)
    return host


@functools.cache
def script(name: str) -> Any:
    """One of provision's programs, which nothing imports but a test."""
    spec = importlib.util.spec_from_file_location(f"provision_{name}", PROVISION / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
