"""`make demo`: a throwaway newsroom, the whole loop proved with the real programs, then a page to try."""

from __future__ import annotations

import argparse
import hashlib
import io
import json
import os
import secrets
import shutil
import signal
import sys
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import segno
from support.demo_room import (
    BIN,
    JOURNALISTS,
    ONION,
    Failed,
    Newsroom,
    make_edition,
    make_keys,
    make_onions,
    see,
)
from support.passage import passage
from support.public_onion import NoOnion, PublicOnions
from support.relay_process import RelayProcess
from support.sealer_process import SealerProcess

ALONE = "Nobody watches this page, and each fetch warns of it: `make demo ONION=1` has a watcher."
WATCHED = "Each fetch takes a minute or two, for the watcher meanwhile reads and writes like a person."
MESSAGE = "The harbour's soil reports were changed after the laboratory signed them."
ANSWER = "Thank you. Can you tell us which of the two reports came first?"


@dataclass(frozen=True)
class Way:
    """How the relay is reached: addresses for a desk, and the page's for a program that knows no SOCKS."""

    source: str
    desk: str
    page: str
    socks: tuple[str, ...] = ()

    @property
    def watched(self) -> bool:
        return bool(self.socks)  # only an edition that names its onion says where to look


def prove(room: Newsroom, way: Way) -> None:
    """The loop: sealed, stored, fetched, opened, answered, read."""
    masthead = room.folder / "masthead.pub"
    verified = room.run(BIN / "desk", "verify-edition", way.source, "--masthead", masthead, *way.socks)
    see("the relay serves that edition, byte for byte", verified.strip())
    for name in JOURNALISTS:
        keys = ("--identity", room.folder / f"{name}.key", "--relay", way.desk, *way.socks)
        room.desk(
            name, "join", room.folder / "out/edition", "--masthead", masthead, *keys, "--passphrase-fd", "FD"
        )

    file = room.folder / "soil report.csv"
    file.write_bytes(secrets.token_bytes(1_500_000))
    job = {"base_url": way.page, "message": MESSAGE, "files": [str(file)], "to": ["ada"]}
    sent = room.source(job | {"answers": {"evidence": "The two reports."}})
    told = f"{sent['parts']} parts, {sent['bytes']:,} bytes, codename: {sent['codename']}"
    see("a message and a file were sealed by the page's scripts and stored", told, sent["parts"] == 2)
    stored = b"".join(path.read_bytes() for path in (room.folder / "data").rglob("*") if path.is_file())
    hidden = (
        MESSAGE.encode() not in stored
        and file.name.encode() not in stored
        and b"age-encryption.org" in stored
    )
    see("what the relay keeps is ciphertext", f"{len(stored):,} bytes, none of them readable", hidden)

    fetched = json.loads(room.desk("ada", "fetch", "--json", "--passphrase-fd", "FD"))
    if way.watched:
        look = fetched["watch"]
        told = f"{look['compared']} answers compared, canary: {look['canary'] or 'none'}"
        see("meanwhile the watcher saw the page as a source does", told, not look["findings"])
    opened = read(room, sent["id"], file)
    see("ada fetched and opened it", f"{opened!r}, and the file's SHA-256 is the same")
    room.desk("ben", "fetch", "--passphrase-fd", "FD")
    others = json.loads(room.desk("ben", "list", "--json", "--passphrase-fd", "FD"))
    see("ben, who was not chosen, cannot open it", json.dumps(others), sent["id"] not in json.dumps(others))

    room.desk("ada", "reply", sent["id"], "--passphrase-fd", "FD", text=ANSWER)
    (reply,) = room.source({"base_url": way.page, "look": sent["codename"]})["replies"]
    right = reply["text"] == ANSWER and reply["author"] == "ada"
    see("the answer was read with the twelve words", f"{reply['author']}: {reply['text']}", right)


def read(room: Newsroom, drop: str, file: Path) -> str:
    """Gives ada's opened message once the file beside it is the one that was sent."""
    folder = room.folder / "opened"
    room.desk("ada", "open", drop, "-o", folder, "--passphrase-fd", "FD")
    (written,) = (folder / "files").iterdir()
    if hashlib.sha256(written.read_bytes()).digest() != hashlib.sha256(file.read_bytes()).digest():
        raise Failed("the opened file is another one")
    message = (folder / "message.txt").read_text()
    if message != MESSAGE:
        raise Failed("the opened message is another one")
    return message


def wait(room: Newsroom, relay: RelayProcess, watched: str, *where: str) -> None:
    """Leaves the page open until Ctrl-C; `watched` says what to expect of a fetch."""
    desk = f"{BIN / 'desk'} --home {room.folder / 'ada-desk'}"
    places = "\n    ".join(where)
    print(
        f"""
The page is open, until Ctrl-C ends it and deletes everything:

    {places}

Send something to Ada, then read and answer it as her. Her passphrase: {room.passphrase}

    {desk} fetch
    {desk} list
    {desk} show DROP
    {desk} open DROP -o {room.folder / "a-folder"}
    {desk} reply DROP

{watched}
""",
        flush=True,
    )
    try:
        relay.process.wait()
    except KeyboardInterrupt:
        print()


def on_this_computer(room: Newsroom, ends: bool) -> None:
    make_edition(room)
    with RelayProcess(room.folder / "out/edition", room.folder / "data") as relay:
        prove(room, Way(relay.source_url, relay.desk_url, relay.source_url))
        if not ends:
            wait(room, relay, ALONE, f"{relay.source_url}/")


def on_the_tor_network(room: Newsroom, options: argparse.Namespace) -> None:
    """The same through two real onions; refuses (NoOnion) when this computer cannot have them."""
    more = options.torrc.read_text().splitlines() if options.torrc else []
    services = source, desk = make_onions(room)
    folder = room.folder
    given = {
        "more": more,
        "patience": options.patience,
        "say": lambda said: print(f"      {said}", flush=True),
    }
    with ExitStack() as stack:
        onions = stack.enter_context(PublicOnions(folder, services, folder / "clients", **given))
        make_edition(room, ONION)
        sockets = {"source": f"unix:{source.socket}", "desk": f"unix:{desk.socket}", "circuits": "haproxy"}
        edition = folder / "out/edition"
        relay = stack.enter_context(RelayProcess(edition, folder / "data", **sockets))
        lane = {"listen": f"unix:{source.sealer}", "circuits": "haproxy"}
        stack.enter_context(SealerProcess(edition, relay.source, folder / "sealer.yaml", **lane))
        onions.reach()
        where = f"http://{source.address}"
        see("a visitor of the Tor network reaches it; so does Tor Browser", where)
        show_code(where)
        page = stack.enter_context(passage(onions.socks, source.address))
        print(
            "      each sync takes about a minute, for the watcher reads and writes like a person", flush=True
        )
        # Both desks are on this computer, so both use the one tor, which has ada's invitation.
        prove(room, Way(where, f"http://{desk.address}", page, ("--socks", onions.socks)))
        if not options.ci:
            wait(room, relay, WATCHED, f"{where}/", f"{where}:8080/ without JavaScript")


def show_code(address: str) -> None:
    """The address as a QR code, in the colours it needs where there are colours."""
    text = io.StringIO()
    segno.make(address, error="l").terminal(out=text, compact=True)
    colours = ("\x1b[97;40m", "\x1b[0m") if sys.stdout.isatty() else ("", "")
    print(*(line.join(colours) for line in text.getvalue().splitlines()), sep="\n", flush=True)


def demonstrate(room: Newsroom, options: argparse.Namespace) -> None:
    make_keys(room)
    if options.onion:
        try:
            return on_the_tor_network(room, options)
        except NoOnion as why:
            print(f"\nNo onion, for {why}; the demo goes on without, on this computer alone.\n", flush=True)
    return on_this_computer(room, options.ci)


def parse(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    add = parser.add_argument
    add("--ci", action="store_true", help="end after the proof")
    add("--onion", action="store_true", help="through two onions on the Tor network, if it can be reached")
    add("--torrc", type=Path, metavar="FILE", help="lines for tor's torrc, such as bridges or a proxy")
    add("--patience", type=float, default=60, metavar="SECONDS", help="how long tor may stand still (60)")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    options = parse(arguments)
    os.umask(0o077)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.default_int_handler)
    # Outside the checkout: `desk keygen` writes no secret inside a git work tree.
    folder = Path(tempfile.mkdtemp(prefix="knothole-demo-"))
    try:
        demonstrate(Newsroom(folder, "-".join(secrets.token_hex(2) for _ in range(4))), options)
    except Failed as failed:
        print(f"demo: error: {failed}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    finally:
        shutil.rmtree(folder)
    if options.ci:
        print("every step held")
    return 0


if __name__ == "__main__":
    sys.exit(main())
