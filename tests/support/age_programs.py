"""The other age programs that ours must agree with: typage under Node, and Debian's `age`."""

from __future__ import annotations

import base64
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

_HERE = Path(__file__).parent
_NODE = Path(sys.prefix) / "bin" / "node"
_LIBRARIES = _HERE.parent.parent / "site" / "node_modules"


def javascript(job: dict[str, Any]) -> Any:
    """Gives what age.mjs answers to a job."""
    for package in ("age-encryption", "cctv-age"):
        assert (_LIBRARIES / package).is_dir(), f"site/node_modules has no {package}: run `make setup` first"
    command = [_NODE, _HERE / "age.mjs"]
    run = subprocess.run(command, input=json.dumps(job).encode(), stdout=subprocess.PIPE, check=True)
    return json.loads(run.stdout)


def typage_seals(files: list[tuple[str, bytes]]) -> list[bytes]:
    """Gives each (recipient, plaintext) as typage seals it."""
    job = [{"recipient": recipient, "plain": base64.b64encode(plain).decode()} for recipient, plain in files]
    return [base64.b64decode(sealed) for sealed in javascript({"files": job})]


def typage_opens(files: list[tuple[str, bytes]]) -> list[bytes]:
    """Gives each (identity, sealed) as typage opens it."""
    job = [{"identity": identity, "sealed": base64.b64encode(sealed).decode()} for identity, sealed in files]
    return [base64.b64decode(plain) for plain in javascript({"files": job})]


def age(*arguments: str | Path, data: bytes = b"") -> bytes:
    """Gives what Debian's `age` writes."""
    return subprocess.run(["age", *arguments], input=data, stdout=subprocess.PIPE, check=True).stdout


def age_at_terminal(*arguments: str | Path, typed: bytes, prompts: int = 1) -> None:
    """Runs `age` at a terminal of its own, where alone it asks for a passphrase, and types at each prompt."""
    ours, its = pty.openpty()
    command = ["setsid", "--ctty", "age", *arguments]
    with subprocess.Popen(command, stdin=its, stdout=its, stderr=its) as program:
        os.close(its)
        seen = b""
        while piece := _read(ours):
            seen += piece
            if seen.rstrip().endswith(b":"):
                if not prompts:  # it would wait for an answer for ever
                    program.kill()
                    break
                os.write(ours, typed + b"\n")
                seen, prompts = b"", prompts - 1
        os.close(ours)
    assert program.returncode == 0, seen.decode()


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # Linux says EIO where the other side has gone
        return b""
