#!/usr/bin/env python3
"""Ansible's inventory from newsroom.yaml, which the variable NEWSROOM names: one host, `box`, for the roles.

What is missing or wrong on this side goes with it as `newsroom_problems`, so that the playbook tells all of
it at once, each with its remedy, before anything is changed. No secret is read: the onions' keys stay locked.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shlex
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import snowflake
import torproject

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

try:
    from keys import edition, onion
    from keys.desk.keygen import NOBODY
    from keys.errors import BadEdition, BadNewsroom, BadOnion, Forged
    from keys.masthead import Masthead
    from keys.newsroom import Newsroom, load_with_box
except ModuleNotFoundError as missing:
    sys.exit(f"box: error: {missing.name} is not installed here\nbox: hint: run `make setup`")

ONIONS = ("source-onion", "desk-onion", "ssh-onion")
FORMER = "former-source-onion"  # which `make rotate` leaves: sources came there before
_VAULT = b"$ANSIBLE_VAULT;"
# What the page was built from, and the box is told.
_AGREED = [
    "edition",
    "expires",
    "recipients",
    "former",
    "onion",
    "limits",
    "retention",
    "board",
    "without_javascript",
]
_CLIENT = re.compile(r"descriptor:x25519:[A-Z2-7]{52}\s*")

Problem = dict[str, str]


def problem(sentence: str, remedy: str) -> Problem:
    return {"sentence": sentence, "remedy": remedy}


def inventory(path: Path) -> dict[str, Any]:
    """Gives the host's variables; those of a newsroom that is not whole name its problems."""
    folder = path.parent
    problems: list[Problem] = []
    through = os.environ.get("THROUGH", "")
    if through not in ("", "onion"):
        problems.append(problem(f"there is no way through {through}", "say THROUGH=onion, or nothing"))
    host: dict[str, Any] = {
        "newsroom_problems": problems,
        "newsroom_folder": str(folder),
        "newsroom_cache": str(ROOT / "provision/.cache"),
        "newsroom_python": sys.executable,
    }
    try:
        newsroom, box = load_with_box(path)
    except BadNewsroom as bad:
        problems += [problem(mistake, "correct this line") for mistake in bad.detail.splitlines()]
        return host
    if box is None:
        problems.append(problem(f"{path.name} does not say where the box is", "add `box: {host: ADDRESS}`"))
    else:
        host |= {
            "ansible_host": box.host,
            "ansible_user": box.user,
            "newsroom_host": box.host,
            "newsroom_ssh": box.ssh,
            "newsroom_through": through or box.ssh,
            "newsroom_torproject": box.tor == "torproject",
            "newsroom_reserve": box.reserve,
            "newsroom_disk": box.disk or "",
            "newsroom_bridges": list(box.bridges),
        }
        problems += (problem(*fault) for line in box.bridges for fault in snowflake.faults(line))
    addresses = {name: _onion(folder / name, problems) for name in ONIONS}
    problems += _own_onion(newsroom, addresses["source-onion"])
    problems += (_open(folder / name) for name in ONIONS[1:] if not _closed(folder / name))
    problems += _journalists(newsroom, folder / "desk-onion")
    if host.get("newsroom_torproject"):
        problems += _torproject(folder)
    operators = _operators(folder / "ssh-onion", problems)
    if box is not None and "onion" in (box.ssh, through):
        host |= _through_tor(addresses["ssh-onion"], box.host)
        if not operators:
            problems.append(_uninvited("operator", folder / "ssh-onion"))
    return host | {
        "newsroom_former": _former(folder, addresses["source-onion"], problems),
        "newsroom_source_onion": addresses["source-onion"],
        "newsroom_desk_onion": addresses["desk-onion"],
        "newsroom_ssh_onion": addresses["ssh-onion"],
        "newsroom_operators": operators,
        "newsroom_journalists": [one.name for one in newsroom.recipients],
        "newsroom_masthead": newsroom.masthead,
        "newsroom_edition": str(folder / "out/edition"),
        "newsroom_edition_digest": _edition(newsroom, folder / "out/edition", problems),
    }


def _onion(folder: Path, problems: list[Problem]) -> str:
    """Gives an onion's address, once its key is there and locked."""
    remake = "make them with `desk keygen --onions`, or bring them back from where you keep them"
    secret = folder / onion.SECRET_FILE
    try:
        address = (folder / onion.NAME_FILE).read_text().strip()
        onion.parse_address(address)
        if not secret.read_bytes().startswith(_VAULT):
            lock = f"run `ansible-vault encrypt {secret}`"
            problems.append(problem(f"{folder.name}/{secret.name} lies open on this computer", lock))
    except (OSError, UnicodeDecodeError):
        problems.append(problem(f"the folder {folder.name} with the onion's keys is not whole", remake))
    except BadOnion as bad:
        problems.append(problem(f"{folder.name}/{onion.NAME_FILE}: {bad.detail}", remake))
    else:
        return address
    return ""


def _former(folder: Path, address: str, problems: list[Problem]) -> bool:
    """Whether there is an onion to which sources came before; it has to be able to say where they go now."""
    there = (folder / FORMER).is_dir()
    if there and _onion(folder / FORMER, problems) == address != "":
        problems.append(problem(f"{FORMER} has the address of source-onion", f"delete {folder / FORMER}"))
    edition_ = folder / "out/edition"
    if there and edition_.is_dir() and not (edition_ / "moved.html").is_file():
        said = f"the edition in {edition_} has no page for {FORMER}"
        problems.append(problem(said, "raise `edition`, and build and sign it again"))
    return there


def _own_onion(newsroom: Newsroom, address: str) -> Iterator[Problem]:
    if newsroom.onion is None:
        yield problem("the pages do not say at which onion they are", "add `onion: source-onion/hostname`")
    elif address and newsroom.onion != address:
        said = "the pages name another onion than source-onion/hostname"
        yield problem(said, "write `onion: source-onion/hostname`")


def _journalists(newsroom: Newsroom, folder: Path) -> Iterator[Problem]:
    """Gives a problem for each journalist who could not reach the box, or who shares another's key to it."""
    seen: dict[str, str] = {}
    for one in newsroom.recipients:
        key = _invited(folder / onion.CLIENTS / f"{one.name}.auth")
        if not key:
            yield _uninvited(one.name, folder)
        elif (other := seen.setdefault(key, one.name)) != one.name:
            renew = f"run `make rotate WHAT=clients WHO={one.name}`"
            yield problem(f"{one.name} and {other} have one key, so neither could be locked out alone", renew)


def _closed(folder: Path) -> bool:
    """Whether tor asks for a key there: with no client at all it lets everybody in."""
    return not folder.is_dir() or bool(_invited(folder / onion.CLIENTS / f"{NOBODY}.auth"))


def _open(folder: Path) -> Problem:
    said = f"{folder.name} lacks {onion.CLIENTS}/{NOBODY}.auth, which keeps it closed when nobody is invited"
    return problem(said, "bring the folder back from where you keep it")


def _operators(folder: Path, problems: list[Problem]) -> list[str]:
    """Gives the names of who may find the ssh onion; newsroom.yaml does not list them."""
    files = sorted(file for file in (folder / onion.CLIENTS).glob("*.auth") if file.stem != NOBODY)
    problems += [_uninvited(file.stem, folder) for file in files if not _invited(file)]
    return [file.stem for file in files]


def _invited(file: Path) -> str:
    """Gives the key that an invitation's half for the box holds, or nothing."""
    try:
        text = file.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
    return text.strip() if _CLIENT.fullmatch(text) else ""


def _uninvited(name: str, folder: Path) -> Problem:
    invite = f"run `desk invite {name} --onion ADDRESS`"
    move = f"{invite}, and move {name}.auth into {folder / onion.CLIENTS}"
    return problem(f"{name} has no invitation to the {folder.name.replace('-', ' ')}", move)


def _torproject(folder: Path) -> Iterator[Problem]:
    """Gives a problem when the Tor Project's key is not there, or is not the only one in its file."""
    try:
        there = torproject.fingerprints((folder / torproject.FILE).read_text())
    except (OSError, UnicodeDecodeError):
        there = []
    if there != [torproject.FINGERPRINT]:
        said = f"{torproject.FILE} is not the key of the Tor Project's packages"
        yield problem(said, f"fetch it from {torproject.URL} into {folder}")


def _through_tor(address: str, host: str) -> dict[str, str]:
    """Gives the way to the ssh onion; the box is known by the key that it had as `host`."""
    proxy = shlex.join([sys.executable, str(ROOT / "provision/through_tor.py"), "%h", "%p"])
    words = ["-o", f"ProxyCommand={proxy}", "-o", f"HostKeyAlias={host}"]
    return {"ansible_host": address, "ansible_ssh_common_args": shlex.join(words)}


def _edition(newsroom: Newsroom, folder: Path, problems: list[Problem]) -> str:
    """Gives the name under which the box keeps the edition, after its manifest, which names every byte."""
    build = "run `./build.py newsroom.yaml -o out --sign masthead.key`"
    try:
        masthead = Masthead.parse(newsroom.masthead)
        edition.verify(folder, masthead, datetime.now(UTC).date(), newsroom.id)
        built = Newsroom.from_json((folder / "newsroom.json").read_bytes())
    except (BadEdition, Forged) as bad:
        late = "set `expires` to a later day, raise `edition`, and " if "expired" in bad.detail else ""
        problems.append(
            problem(f"the edition in {folder} is refused: {bad.detail or bad.__doc__}", late + build)
        )
        return ""
    for name in _AGREED:
        if getattr(built, name) != getattr(newsroom, name):
            said = f"the edition in {folder} was built when newsroom.yaml said something else of `{name}`"
            problems.append(problem(said, f"raise `edition` and {build}"))
    return f"{newsroom.edition}-{hashlib.sha256((folder / edition.MANIFEST).read_bytes()).hexdigest()[:16]}"


def main() -> None:
    given = os.environ.get("NEWSROOM", "")
    if sys.argv[1:2] != ["--list"]:
        sys.exit("box: error: this is Ansible's inventory\nbox: hint: run `make box NEWSROOM=newsroom.yaml`")
    if not given:
        sys.exit("box: error: NEWSROOM names no file\nbox: hint: run `make box NEWSROOM=newsroom.yaml`")
    host = inventory(Path(given).expanduser().absolute())
    print(json.dumps({"_meta": {"hostvars": {"box": host}}, "all": {"hosts": ["box"]}}))


if __name__ == "__main__":
    main()
