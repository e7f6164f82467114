"""`python -m relay`: the program."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import resource
import sys
from collections.abc import Sequence
from dataclasses import MISSING, fields
from pathlib import Path

from relay.app import serve
from relay.errors import BadSettings, CannotServe
from relay.memory import keep_memory
from relay.ready import tell_systemd
from relay.settings import Address, Settings, load

_USAGE = """\
python -m relay [-h] SETTINGS
       python -m relay status [-h] [--json] SETTINGS"""

_ABOUT = """\
Serves an edition, keeps the drops that sources send until desks fetch them, and keeps the board.
It understands none of it, and logs no request.

Once both sockets are open, one line of JSON on stdout says where: {"source": "...", "desk": "..."}
SIGTERM ends it, after the requests in progress.

With the word status before the settings, it says whether a running box does its work."""


def main(argv: Sequence[str] | None = None) -> int:
    words = sys.argv[1:] if argv is None else list(argv)
    if words[:1] == ["status"]:
        from relay import status  # with stem, which serving may not need

        return status.main(words[1:])
    parser = argparse.ArgumentParser(
        "python -m relay",
        usage=_USAGE,
        description=_ABOUT,
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("settings", type=Path, metavar="SETTINGS", help="the settings, such as relay.yaml")
    arguments = parser.parse_args(words)
    os.umask(0o077)
    try:
        settings = load(arguments.settings)
    except BadSettings as mistakes:
        for mistake in str(mistakes).splitlines():
            print(f"relay: error: {mistake}", file=sys.stderr)
        return 2
    keep_memory(1 << 20, 4 << 20)
    _allow_files(2 * (2 * settings.connections) + 64)
    try:
        asyncio.run(serve(settings, _ready))
    except CannotServe as error:
        print(f"relay: error: {error}", file=sys.stderr)
        return 1
    except OSError as error:  # without the file's name, which may be a drop's
        print(f"relay: error: {error.strerror}", file=sys.stderr)
        return 1
    return 0


def _ready(source: Address, desk: Address) -> None:
    tell_systemd()
    print(json.dumps({"source": str(source), "desk": str(desk)}), flush=True)


def _allow_files(wanted: int) -> None:
    """Raises the limit of open files if it must be: each connection may have a file with it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))


def _settings_help() -> str:
    lines = ["settings:"]
    for field in fields(Settings):
        default = "required" if field.default is MISSING else field.default or "not set"
        lines.append(f"  {field.name:<18}{default}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
