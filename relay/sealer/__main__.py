"""`python -m relay.sealer`: the program."""

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

from relay.errors import BadSettings, CannotServe
from relay.memory import keep_memory
from relay.ready import tell_systemd
from relay.sealer.app import serve
from relay.sealer.settings import Settings, load
from relay.settings import Address

_ABOUT = """\
Serves a source without JavaScript: seals what their forms send and hands it to the relay.
It writes no file, keeps nothing between two requests, and logs no request.

Once the socket is open, one line of JSON on stdout says where: {"listen": "..."}
SIGTERM ends it, after the requests in progress."""


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        "python -m relay.sealer",
        description=_ABOUT,
        epilog=_settings_help(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("settings", type=Path, metavar="SETTINGS", help="the settings, such as sealer.yaml")
    arguments = parser.parse_args(argv)
    os.umask(0o077)
    # A core dump would be a file with what somebody just wrote.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    try:
        settings = load(arguments.settings)
        keep_memory(4 << 20, 16 << 20)
        asyncio.run(serve(settings, _ready))
    except BadSettings as mistakes:
        return _fail(2, str(mistakes))
    except CannotServe as error:
        return _fail(1, str(error))
    except OSError as error:
        return _fail(1, error.strerror or "a system call failed")
    return 0


def _ready(listen: Address) -> None:
    tell_systemd()
    print(json.dumps({"listen": str(listen)}), flush=True)


def _fail(status: int, said: str) -> int:
    for line in said.splitlines():
        print(f"sealer: error: {line}", file=sys.stderr)
    return status


def _settings_help() -> str:
    lines = ["settings:"]
    for field in fields(Settings):
        default = "required" if field.default is MISSING else f"{field.default}"
        lines.append(f"  {field.name:<18}{default}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
