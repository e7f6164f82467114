#!/usr/bin/env python3
"""Gathers what a box installs, for its Python and its processor: the box fetches nothing and builds nothing.

Everything comes by the hashes of requirements/relay.txt and sealer.txt. Two wheels are made here: stem's,
whose authors publish none, and Knothole's own. The folder then holds all wheels, and relay.txt and sealer.txt
with the hash of each, so that the box can be told `--require-hashes --only-binary :all: --no-index`.
"""

from __future__ import annotations

import argparse
import hashlib
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
LOCKS = {name: ROOT / f"requirements/{name}.txt" for name in ("relay", "sealer", "setuptools")}
PROGRAMS = ("relay", "sealer")
_OLDEST, _NEWEST = 17, 36  # glibc 2.x: what wheels are made for, and what Debian 12 has
_REQUIREMENT = re.compile(r"^([a-z0-9][a-z0-9.-]*)==(\S+)((?: --hash=sha256:[0-9a-f]{64})+)$")


def inputs(python: str, machine: str) -> str:
    """Gives the name of a release: all that goes into it decides it."""
    digest = hashlib.sha256(f"{python} {machine}\0".encode())
    sources = [file for part in ("keys", "relay") for file in (ROOT / part).rglob("*.py")]
    for file in sorted([*sources, ROOT / "pyproject.toml", ROOT / "README.md", *LOCKS.values()]):
        digest.update(f"{file.relative_to(ROOT)}\0{file.stat().st_size}\0".encode() + file.read_bytes())
    return digest.hexdigest()[:16]


def requirements(lock: Path) -> Iterator[tuple[str, str]]:
    """Gives each requirement's name and its line. Markers go: pip would ask them of this computer and not of
    the box, and one package too many does no harm."""
    lines = re.sub(r"\\\n\s*", " ", lock.read_text())
    for line in lines.splitlines():
        if line.strip() and not line.lstrip().startswith("#"):
            plain = re.sub(r"\s+", " ", re.sub(r";[^\\]*?(?= --hash|$)", "", line)).strip()
            found = _REQUIREMENT.fullmatch(plain)
            if found is None:
                raise SystemExit(f"wheels: error: this line of {lock.name} locks nothing: {line:.60}")
            yield found[1], plain


def gather(folder: Path, python: str, machine: str) -> None:
    wanted = {name: dict(requirements(LOCKS[name])) for name in PROGRAMS}
    every = {name: line for lines in wanted.values() for name, line in lines.items()}
    stem = {"stem": every.pop("stem")}
    abi = f"cp{python.replace('.', '')}"
    where = [f"--platform=manylinux_2_{n}_{machine}" for n in range(_OLDEST, _NEWEST + 1)]
    where += [f"--platform=manylinux2014_{machine}", f"--python-version={python}", "--implementation=cp"]
    where += [f"--abi={one}" for one in (abi, "abi3", "none")]
    _pip("download", every, "--only-binary=:all:", "--dest", folder, *where)
    _pip("wheel", stem, "--no-build-isolation", "--wheel-dir", folder)
    _run("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", folder, ROOT)
    hashes = {_name(wheel): _pinned(wheel) for wheel in sorted(folder.glob("*.whl"))}
    for program, lines in wanted.items():
        pinned = [hashes[name] for name in sorted({*lines, "knothole"})]
        (folder / f"{program}.txt").write_text("\n".join(pinned) + "\n")


def _pip(command: str, lines: dict[str, str], *more: str | Path) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".txt") as file:
        file.write("\n".join(lines.values()))
        file.flush()
        _run(command, "--require-hashes", "--no-deps", "-r", file.name, *more)


def _run(*words: str | Path) -> None:
    # Zip files cannot hold a time before 1980; with a fixed one the same wheel is made again.
    given = os.environ | {"SOURCE_DATE_EPOCH": "315532800", "PIP_DISABLE_PIP_VERSION_CHECK": "1"}
    pip = [sys.executable, "-m", "pip", *words, "--quiet"]
    done = subprocess.run(pip, env=given, capture_output=True, text=True, check=False)  # noqa: S603 - ours
    if done.returncode:
        raise SystemExit(f"wheels: error: pip could not gather the wheels\n{done.stderr.strip()}")


def _name(wheel: Path) -> str:
    return wheel.name.split("-")[0].lower().replace("_", "-")


def _pinned(wheel: Path) -> str:
    version = wheel.name.split("-")[1]
    return f"{_name(wheel)}=={version} --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"


def main(argv: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser("wheels.py", description=str(__doc__).partition("\n")[0])
    parser.add_argument("--python", required=True, metavar="3.13", help="the box's Python")
    parser.add_argument("--machine", required=True, choices=("x86_64", "aarch64"), help="its processor")
    parser.add_argument("-o", type=Path, required=True, metavar="DIR", dest="out", help="gets one a release")
    given = parser.parse_args(argv)
    release = inputs(given.python, given.machine)
    target: Path = given.out / release
    if not target.exists():
        given.out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=given.out) as scratch:
            made = Path(scratch, "made")
            made.mkdir()
            gather(made, given.python, given.machine)
            shutil.move(made, target)
    print(release)


if __name__ == "__main__":
    main()
