#!/usr/bin/env python3
"""Makes new keys in a newsroom's folder, in the place of those that left or were lost. The box is not asked:
`make box` brings them there."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

try:
    from ansible.errors import AnsibleError
    from ansible.parsing.dataloader import DataLoader
    from ansible.parsing.vault import PromptVaultSecret, VaultLib, VaultSecret, get_file_vault_secret

    from keys.desk import files
    from keys.desk.keygen import DESK_ONION, NOBODY, SOURCE_ONION, SSH_ONION, new_client
    from keys.errors import DeskError, KnotholeError
    from keys.newsroom import load, load_with_box
    from keys.onion import CLIENTS, NAME_FILE, SECRET_FILE, ClientKey, ServiceKey
except ModuleNotFoundError as missing:
    sys.exit(f"rotate: error: {missing.name} is not installed here\nrotate: hint: run `make setup`")

DRILLS = {
    "clients": "new keys to the desk onion, for every journalist or for those in WHO; their old ones end",
    "operators": "the same for the ssh onion",
    SOURCE_ONION: "a new address for sources; at the old one a page says where it is",
    DESK_ONION: "a new address for desks, and new keys to it for every journalist",
    SSH_ONION: "a new address for ssh, and new keys to it for every operator",
}
GUESTS = {"clients": DESK_ONION, "operators": SSH_ONION}
INVITATIONS = "invitations"


def invited(path: Path, onion: str) -> list[str]:
    """Gives who has keys to one of the closed onions."""
    if onion == DESK_ONION:
        return [one.name for one in load(path).recipients]
    there = (path.parent / onion / CLIENTS).glob("*.auth")
    return sorted(file.stem for file in there if file.stem != NOBODY)


def undelivered(folder: Path, names: Sequence[str]) -> None:
    """Raises DeskError for an invitation that still lies here: it would be void before it is used."""
    for name in names:
        place = folder / INVITATIONS / name
        if place.is_dir() and any(place.iterdir()):
            raise DeskError(
                f"{place} still holds keys that were to be handed over",
                hint="delete what is there, whether it was handed over or not",
            )


def by_another_way(path: Path, onion: str) -> None:
    """Raises DeskError when `make box` would come by the very keys that end: it would lock itself out."""
    _, box = load_with_box(path)
    if onion == SSH_ONION and box is not None and box.ssh == "onion":
        raise DeskError(
            "`make box` comes by the keys that this would end",
            hint="write `ssh: open` under `box:`, and run `make box THROUGH=onion` unless the box is lost",
        )


def invite(folder: Path, onion: str, names: Sequence[str]) -> None:
    """Makes each a new key to an onion; the box's half takes the old one's place."""
    address = (folder / onion / NAME_FILE).read_text().strip()
    for name in names:
        theirs = folder / INVITATIONS / name
        theirs.mkdir(mode=0o700, parents=True, exist_ok=True)
        auth, *_ = new_client(name, address, theirs)
        auth.replace(folder / onion / CLIENTS / auth.name)
        print(f"{name}: hand the two files in {theirs} over in secret, and delete them here")


def renew(folder: Path, onion: str, secret: VaultSecret) -> None:
    """Makes an onion with a new key, locked before it is written; the old folder stays as `former-…`."""
    place, former = folder / onion, folder / f"former-{onion}"
    if former.exists():
        raise DeskError(f"{former} is there already", hint="delete it, if nobody comes to that address now")
    key = ServiceKey.generate()
    made = key.files()
    made[SECRET_FILE] = VaultLib().encrypt(made[SECRET_FILE], secret)
    with tempfile.TemporaryDirectory(dir=folder, prefix=f".{onion}.") as scratch:
        fresh = Path(scratch, onion)
        fresh.mkdir(mode=0o700)
        for name, data in made.items():
            files.create(fresh / name, data)
        if onion != SOURCE_ONION:
            (fresh / CLIENTS).mkdir(mode=0o700)
            files.create(
                fresh / CLIENTS / f"{NOBODY}.auth", ClientKey.generate().public_line.encode() + b"\n"
            )
        place.rename(former)
        fresh.rename(place)
    files.flush_folder(folder)
    print(f"{place} is {key.address} now; {former} is what it was")


def passphrase(folder: Path, file: Path | None) -> VaultSecret:
    """Gives what locks the onions' keys, once it has opened one of them."""
    asked = PromptVaultSecret(prompt_formats=["passphrase of the onions' keys: "])
    secret: VaultSecret = get_file_vault_secret(str(file), loader=DataLoader()) if file else asked
    secret.load()
    locked = folder / SOURCE_ONION / SECRET_FILE
    try:
        ServiceKey.parse(VaultLib([("default", secret)]).decrypt(locked.read_bytes()))
    except (AnsibleError, OSError):
        hint = "give the passphrase of `make box`; `ansible-vault encrypt` locks a key that lies open"
        raise DeskError(f"{locked} cannot be opened", hint=hint) from None
    return secret


def rotate(path: Path, drill: str, names: Sequence[str], vault: Path | None) -> None:
    folder = path.parent
    files.outside_git(folder.resolve())
    onion = GUESTS.get(drill, drill)
    names = names or ([] if onion == SOURCE_ONION else invited(path, onion))
    undelivered(folder, names)
    if drill == onion or set(names) & set(invited(path, onion)):
        by_another_way(path, onion)
    if drill == onion:
        renew(folder, onion, passphrase(folder, vault))
    invite(folder, onion, names)
    if onion == SOURCE_ONION:
        print("next: raise `edition`, build and sign it, `make box`, and publish out/landing")
    else:
        print("next: `make box`; from then on the old keys find nothing")


def main(argv: Sequence[str] | None = None) -> int:
    lines = [f"  {name:<14}{says}" for name, says in DRILLS.items()]
    form = argparse.RawDescriptionHelpFormatter
    epilog = "\n".join(["drills:", *lines, "", "provision/README.md has the others, which need no new key."])
    parser = argparse.ArgumentParser(
        "rotate.py", description=str(__doc__), epilog=epilog, formatter_class=form
    )
    parser.add_argument("newsroom", type=Path, help="newsroom.yaml")
    parser.add_argument("drill", choices=DRILLS, metavar="DRILL")
    parser.add_argument("names", nargs="*", metavar="WHO", help="only these; also one who is new")
    parser.add_argument(
        "--vault", type=Path, metavar="FILE", help="holds the passphrase, else it is asked for"
    )
    given = parser.parse_args(argv)
    if given.names and given.drill not in GUESTS:
        parser.error(f"{given.drill} is for all at once")
    try:
        rotate(given.newsroom.absolute(), given.drill, given.names, given.vault)
    except OSError as error:
        print(f"rotate: error: {error.filename}: {error.strerror}", file=sys.stderr)
        return 1
    except (KnotholeError, AnsibleError) as error:
        print(f"rotate: error: {error}", file=sys.stderr)
        if hint := getattr(error, "hint", ""):
            print(f"rotate: hint: {hint}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
