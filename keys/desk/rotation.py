"""The life of an identity: rotated, its former one kept for reading as long as the box may hold what only
that one opens, and deleted then (FORMAT.md section 9)."""

from __future__ import annotations

import os
from datetime import date, timedelta
from pathlib import Path

from keys.age import OpenReader
from keys.desk import files
from keys.desk.desk import Desk, acting, open_desk
from keys.desk.editions import today
from keys.desk.home import Home, read_identity
from keys.desk.terminal import Progress
from keys.drop import reseal
from keys.errors import DeskError, NotForYou
from keys.identity import Journalist, lock, signer_of
from keys.passphrase import Passphrases
from keys.recipients import HybridIdentity


def rotate(home: Home, passphrases: Passphrases) -> tuple[Path, Journalist]:
    """Puts a new identity before the others of the file, writes NAME.pub beside it, and gives that path and
    whose it is. While no edition lists the new one yet there is no other: NAME.pub is written again."""
    path = Path(home.settings.identity)
    with home.locked():
        files.outside_git(path.parent.resolve())
        journalist = read_identity(path, passphrases)
        if not acting(home.newsroom, journalist).coming:
            journalist = journalist.rotated()
            # Before the .pub: nothing is to be sealed to an identity that a crash has taken away.
            files.replace(path, lock(journalist.to_text(), passphrases.ask_new(path.name)))
        pub = path.parent / f"{journalist.name}.pub"
        files.replace(pub, journalist.public_file().encode())
    return pub, journalist


def note_former(desk: Desk) -> None:
    """Notes from which day on former identities are not acted with. The caller saves."""
    there = [signer_of(one).hex() for one in desk.journalist.former]
    desk.state.former = {signer: desk.state.former.get(signer, today()) for signer in there}


def last_day(desk: Desk, identity: HybridIdentity) -> date | None:
    """Gives the last day on which the box may hold what only this former identity opens; None until a sync
    has noted when it became one."""
    noted = desk.state.former.get(signer_of(identity).hex())
    return noted and noted + timedelta(days=desk.newsroom.retention.most)


def over(desk: Desk) -> list[HybridIdentity]:
    """Gives the former identities that nothing on the box needs any more."""
    days = ((one, last_day(desk, one)) for one in desk.journalist.former)
    return [one for one, day in days if day and day < today()]


def forget(home: Home, passphrases: Passphrases, progress: Progress) -> int:
    """Deletes the former identities whose time is over, and gives how many: what this desk keeps is sealed to
    the present one before. Raises DeskError when there is none."""
    remembered = _Remembered(passphrases)
    with open_desk(home, remembered) as desk:
        gone = over(desk)
        if not gone:
            raise _too_early(desk)
        kept = [one for one in desk.identities if one not in gone]
        drops = sorted(home.drops.glob("*.age"))
        for number, path in enumerate(drops, 1):
            progress(f"sealing anew: {number} of {len(drops)}")
            _seal_anew(path, kept, gone)
        for one in gone:
            desk.state.former.pop(signer_of(one).hex())
        desk.save()  # which seals it to the present one
        path = Path(home.settings.identity)
        journalist = read_identity(path, remembered)
        left = [one for one in journalist.identities if one not in gone]  # as they stand in the file
        fewer = Journalist(journalist.name, left[0], tuple(left[1:]))
        files.replace(path, lock(fewer.to_text(), remembered.typed))
    return len(gone)


def _too_early(desk: Desk) -> DeskError:
    if not desk.journalist.former:
        return DeskError("there is no former identity here")
    days = [day for one in desk.journalist.former if (day := last_day(desk, one))]
    if not days:
        return DeskError("no sync has begun to count yet", hint="`desk fetch`, and a month later this")
    return DeskError(
        f"the box may hold what only the former identity opens, until {min(days)}",
        hint="fetch as ever; this desk says when it is over",
    )


def _seal_anew(path: Path, kept: list[HybridIdentity], gone: list[HybridIdentity]) -> None:
    """Seals a drop to the present identity, if none that stays opens it."""
    with path.open("rb") as source:
        try:
            OpenReader(source, kept)
            return
        except NotForYou:
            source.seek(0)
        fresh = path.with_suffix(".anew")
        with fresh.open("wb") as out:
            reseal(source, out, gone, [kept[0].recipient()])
            out.flush()
            os.fsync(out.fileno())
    fresh.replace(path)
    files.flush_folder(path.parent)


class _Remembered(Passphrases):
    """Asks once, and has the answer for the file that is locked again."""

    typed = b""

    def __init__(self, asked: Passphrases) -> None:
        self._asked_first = asked

    def ask(self, what: str) -> bytes:
        self.typed = self.typed or self._asked_first.ask(what)
        return self.typed
