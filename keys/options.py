"""What a newsroom decides: each option is one typed line with one sentence, so this file is the manual.

`./build.py --schema` prints the same as a JSON Schema for editors.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from keys.kinds import LANGUAGE, Address, Day, Localized, Number, OneOf, Onion, Pattern, Size, Text, YesNo
from keys.schema import ListOf, Section, option

MIB, GIB = 1 << 20, 1 << 30

NAME = Pattern(r"[a-z][a-z0-9-]{0,31}", "ada or desk-2")
SIGNER = Pattern("[0-9a-f]{64}", "64 hex digits")
NEWSROOM_ID = Pattern(r"[a-z0-9][a-z0-9-]{0,62}", "1f2e3d4c5b6a7988")


def translatable(text: str) -> Mapping[str, str]:
    """Marks an English text for the catalogues and serves it to every language until it is translated."""
    return {"*": text}


@dataclass(frozen=True, kw_only=True)
class Question:
    id: str = option(NAME, "The name under which the desk finds the answer.")
    ask: Mapping[str, str] = option(Localized(), "The question, as a text or one text a language.")
    type: str = option(OneOf(("text", "choice")), "A line to write, or one of the choices.", "text")
    choices: tuple[Mapping[str, str], ...] = option(
        ListOf(Localized(120), 0, 20), "What can be chosen, in the page's order.", ()
    )
    required: bool = option(YesNo(), "Whether a drop cannot be sent without an answer.", False)


@dataclass(frozen=True, kw_only=True)
class Partner:
    name: str = option(NAME, "The partner's short name.")
    title: str = option(Text(80), "The partner's name as the page shows it.")
    beat: Mapping[str, str] | None = option(
        Localized(160), "What this partner works on, in a few words.", None
    )
    languages: tuple[str, ...] = option(ListOf(LANGUAGE, 0, 20), "The languages this partner reads.", ())
    recipients: tuple[str, ...] = option(ListOf(NAME, 1, 64), "The names of this partner's journalists.")


@dataclass(frozen=True, kw_only=True)
class Limits:
    drop: int = option(Size(MIB, 64 * GIB), "The largest drop the relay takes.", 2 * GIB)


@dataclass(frozen=True, kw_only=True)
class Board:
    lines: int = option(Number(64, 4096), "How many reply lines the board always holds.", 512)
    post: int = option(Number(4, 64), "How many lines every desk sync posts.", 4)


@dataclass(frozen=True, kw_only=True)
class Retention:
    days: int = option(Number(2, 365), "How many days the box keeps a drop, and up to a fifth more.", 30)

    @property
    def most(self) -> int:
        """The most days a drop is kept: each has its own (relay/PROTOCOL.md, "What is kept")."""
        return self.days + self.days // 5


@dataclass(frozen=True, kw_only=True)
class Listed:
    file: str = option(Text(500), "The journalist's .pub file, relative to newsroom.yaml.")
    title: str | None = option(
        Text(120), "How the page names this journalist; without it, the short name.", None
    )


@dataclass(frozen=True, kw_only=True)
class Former:
    """A key that ended: of somebody who rotated it, lost it, or left (FORMAT.md section 9)."""

    name: str = option(NAME, "Whose it was.")
    signer: str = option(SIGNER, "The key, as the .pub file had it.")
    until: date = option(Day(), "The last day on which what it signed may come.")


QUESTIONS = (
    Question(
        id="evidence",
        ask=translatable("What supports this: documents, witnesses, your own observation?"),
        required=True,
    ),
    Question(
        id="others",
        ask=translatable("How many other people know this, or have these documents?"),
        type="choice",
        choices=(
            translatable("I do not know"),
            translatable("Nobody else"),
            translatable("A few people"),
            translatable("Many people"),
        ),
    ),
)


@dataclass(frozen=True, kw_only=True)
class Common:
    """What newsroom.yaml and newsroom.json share."""

    name: str = option(Text(80), "The newsroom's name, as readers know it.")
    operator: Mapping[str, str] = option(Localized(), "Who runs the box, in one sentence.")
    address: str = option(Address(), "The page on the ordinary web that shows the onion address.")
    onion: str | None = option(Onion(), "The onion address, once there is one.", None)
    elsewhere: Mapping[str, str] | None = option(
        Localized(), "A second place, such as the printed paper, where the onion address stands.", None
    )
    contact: Mapping[str, str] | None = option(
        Localized(), "How to ask a question that is no secret, such as a telephone number.", None
    )
    languages: tuple[str, ...] = option(
        ListOf(LANGUAGE, 1, 60), "The page's languages; the first is the default."
    )
    edition: int = option(Number(1, 10**9), "The number of this edition; each one is higher than the last.")
    expires: date = option(Day(), "The last day of this edition; desks refuse it afterwards.")
    partners: tuple[Partner, ...] = option(ListOf(Section(Partner), 0, 64), "The outlets of an alliance.", ())
    choose: int | None = option(
        Number(1, 64), "How many partners a source may choose; without it, any number.", None
    )
    questions: tuple[Question, ...] = option(
        ListOf(Section(Question), 0, 30), "What the send page asks beside the message.", QUESTIONS
    )
    limits: Limits = option(Section(Limits), "What the relay takes.", Limits())
    board: Board = option(Section(Board), "The file of replies.", Board())
    retention: Retention = option(Section(Retention), "How long the box keeps things.", Retention())
    without_javascript: str = option(
        OneOf(("seal", "refuse")),
        "For sources without JavaScript: seal, and so see their text for a moment; or refuse all but files "
        "that they sealed themselves.",
        # That the box never sees a word holds for every source until the newsroom itself decides otherwise.
        "refuse",
    )


@dataclass(frozen=True, kw_only=True)
class Box:
    """Where the machine is, and how it gets on there: for provision/ alone; no page and no desk learns it."""

    host: str = option(
        Pattern(r"[A-Za-z0-9][A-Za-z0-9.:-]{0,252}", "203.0.113.7 or box.example"),
        "The address or name at which ssh reaches the box while it is made.",
    )
    user: str = option(
        Pattern(r"[a-z_][a-z0-9_-]{0,31}", "root"),
        "Whom ssh logs in as: root, or one who may use sudo.",
        "root",
    )
    ssh: str = option(
        OneOf(("open", "onion")),
        "Whether ssh reaches the box at port 22 of `host`, or only at the onion of ssh-onion/.",
        # Nobody is locked out by a first run; the second proves the onion by coming through it.
        "open",
    )
    tor: str = option(
        OneOf(("debian", "torproject")),
        "Whose tor it runs: Debian's, or what the Tor Project publishes, which is newer.",
        "debian",
    )
    reserve: int = option(Size(64 * MIB, 64 * GIB), "Disk space that drops never get.", 512 * MIB)
    disk: str | None = option(
        # The kernel's own names change with the order in which disks are found.
        Pattern(r"/dev/disk/by-(id|partuuid|path)/[A-Za-z0-9:._+-]{1,200}", "/dev/disk/by-id/usb-…"),
        "An empty disk or partition of the box, which is locked with LUKS and keeps the drops.",
        None,
    )
    bridges: tuple[str, ...] = option(
        ListOf(
            Pattern(
                r"((obfs4|snowflake) )?[0-9A-Fa-f.:\[\]]{3,50}:[0-9]{1,5}"
                r"( [0-9A-Fa-f]{40})?( [a-z-]+=[!$-~]+)*",
                "obfs4 192.0.2.1:443 FINGERPRINT cert=… iat-mode=0",
            ),
            0,
            20,
        ),
        "Bridges for a place that blocks Tor, each a line as bridges.torproject.org gives it.",
        (),
    )


@dataclass(frozen=True, kw_only=True)
class Options(Common):
    """newsroom.yaml: what the newsroom shares with the world, files where keys are meant, and its box."""

    id: str | None = option(
        NEWSROOM_ID, "The newsroom's name in every format; without it, the masthead's hash.", None
    )
    masthead: str = option(Text(500), "The file masthead.pub, relative to newsroom.yaml.")
    onion: str | None = option(
        Text(500), "The source onion's file `hostname`, relative to newsroom.yaml, or its address.", None
    )
    desk_onion: str | None = option(
        Text(500), "The same of the desk onion: for desk.html alone, which no source is given.", None
    )
    recipients: tuple[Listed, ...] = option(
        ListOf(Section(Listed, alone="file"), 1, 64),
        "The .pub files of all who can read, in the page's order.",
    )
    former: tuple[Former, ...] | None = option(
        ListOf(Section(Former), 1, 500),
        "Keys that ended; `desk admit` and `desk revoke` write them here.",
        None,
    )
    box: Box | None = option(Section(Box), "The machine, for `make box`.", None)
