"""The life of a key, played with the real build, a relay and every desk: rotated, lost, left, revoked."""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from support.newsdesk import PASSPHRASE, QUICK, Result, Source, run
from support.relay_process import RelayProcess, ask, new_id, send

from keys import drop as drops
from keys import line
from keys.age import NotForYou
from keys.casework import Said, statement
from keys.desk import editions, inbox, rotation
from keys.desk.answers import Listed
from keys.desk.desk import open_desk
from keys.desk.home import Home
from keys.drop import DropReader
from keys.errors import BadNewsroom
from keys.identity import Journalist, lock, parse_public, unlock
from keys.letter import Letter, Record
from keys.masthead import MastheadKey
from keys.newsroom import Newsroom, load
from keys.passphrase import Passphrases

ROOT = Path(__file__).parents[2]
NAMES = ("ada", "bea", "cyn")
NEW = b"another passphrase altogether"
YAML = """\
name: The Harbour Post
operator: The Harbour Post runs the box.
address: https://harbourpost.example/tips
languages: [en]
recipients:
  - ada.pub
  - bea.pub
  - cyn.pub
masthead: masthead.pub
edition: 1
expires: {expires}
"""


def today() -> str:
    return str(datetime.now(UTC).date())


class Typed(Passphrases):
    """Somebody who types the passphrase."""

    def ask(self, _: str) -> bytes:
        return PASSPHRASE


class House:
    """A newsroom's folder, its box, and its journalists' desks; `publish` builds what the YAML says."""

    def __init__(self, folder: Path, journalists: Mapping[str, Journalist]) -> None:
        self.folder = folder
        self.journalists = dict(journalists)
        self.yaml = folder / "newsroom.yaml"
        self.edition = folder / "out/edition"

    @staticmethod
    def first(folder: Path) -> House:
        """One with its keys and its first edition, and without a box."""
        house = House(folder, {name: Journalist.generate(name) for name in NAMES})
        for name, journalist in house.journalists.items():
            house.write(journalist)
            (folder / f"{name}.pub").write_text(journalist.public_file())
        key = MastheadKey.generate()
        (folder / "masthead.pub").write_text(key.public.to_file())
        (folder / "masthead.key").write_bytes(lock(key.to_text(), PASSPHRASE, QUICK))
        house.yaml.write_text(YAML.format(expires=datetime.now(UTC).date() + timedelta(days=60)))
        house.build()
        return house

    def start(self) -> None:
        self.relay = RelayProcess(self.edition, self.folder / "data")
        for name in NAMES:
            assert self.join(name).status == 0

    def write(self, journalist: Journalist, name: str = "") -> Path:
        folder = self.folder / "laptops" / (name or journalist.name)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{journalist.name}.key"
        path.write_bytes(lock(journalist.to_text(), PASSPHRASE, QUICK))
        return path

    def build(self) -> subprocess.CompletedProcess[str]:
        sign = ["--sign", self.folder / "masthead.key", "--passphrase-fd", "0"]
        words = [sys.executable, ROOT / "build.py", self.yaml, "-o", self.folder / "out", *sign]
        done = subprocess.run(words, input=PASSPHRASE.decode() + "\n", capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done

    def publish(self) -> subprocess.CompletedProcess[str]:
        """Raises the edition, builds it, and has the box serve it."""
        number = self.newsroom.edition
        self.yaml.write_text(self.yaml.read_text().replace(f"edition: {number}", f"edition: {number + 1}"))
        done = self.build()
        self.relay.stop()
        self.relay = RelayProcess(self.edition, self.folder / "data")
        return done

    @property
    def newsroom(self) -> Newsroom:
        return load(self.yaml)

    def home(self, name: str) -> Path:
        return self.folder / f"{name}-home"

    def join(self, name: str, edition: Path | None = None) -> Result:
        key = self.folder / "laptops" / name / f"{name}.key"
        words = [
            "join",
            edition or self.edition,
            "--masthead",
            self.folder / "masthead.pub",
            "--identity",
            key,
        ]
        return run("--home", self.home(name), *words, "--relay", self.relay.desk_url)

    def desk(self, name: str, *words: str | Path, text: str = "", status: int = 0) -> str:
        done = run("--home", self.home(name), *words, text=text)
        assert done.status == status, done.err
        return done.out + done.err

    def list(self, name: str) -> Any:
        return run("--home", self.home(name), "list", "--json").json

    def fetch(self, *names: str) -> None:
        for name in names:
            self.desk(name, "fetch", "--all")

    def case(self, name: str, drop: str) -> str:
        return self.desk(name, "case", drop)

    def source(self, *to: str) -> Source:
        return Source(self, to)  # type: ignore[arg-type]

    def rotate(self, name: str) -> Path:
        """Has a journalist rotate, and gives the .pub; the file is locked quickly again."""
        key = self.folder / "laptops" / name / f"{name}.key"
        done = run("--home", self.home(name), "rotate", passphrase=PASSPHRASE + b"\n" + NEW)
        assert done.status == 0, done.err
        text = unlock(key.read_bytes(), NEW)
        key.write_bytes(lock(text, PASSPHRASE, QUICK))
        self.journalists[name] = Journalist.parse(text)
        pub = key.with_suffix(".pub")
        assert parse_public(pub.read_text()).number in done.out
        return pub

    def unlocked(self, name: str) -> Journalist:
        return Journalist.parse(unlock((self.folder / f"laptops/{name}/{name}.key").read_bytes(), PASSPHRASE))

    def admit(self, pub: Path, *more: str) -> Result:
        return run("admit", pub, self.yaml, *more, passphrase=None)

    def put(self, note: bytes) -> str:
        id_ = new_id()
        assert send(self.relay.source, note, id_).status == 201
        return id_

    def note(self, by: Journalist, thread: bytes, text: str, *, after: tuple[str, ...] = ()) -> bytes:
        """What somebody who has an identity and a thread's key can seal to everybody whom the page lists."""
        newsroom = self.newsroom
        recipients = {one.name: one.public.recipient for one in newsroom.recipients}
        said = Said(after, (statement(f"{today()}T00:00Z", "note", text=text),))
        letter = Letter(
            newsroom=newsroom.id,
            thread=thread,
            language="en",
            to=tuple(recipients),
            author=by.name,
            case=said,
        )
        out = io.BytesIO()
        drops.seal(out, letter, "", [], recipients, by.signing_key)
        return out.getvalue()

    def sealed(self) -> Sequence[str]:
        """The ids of all that the box has."""
        return [one["id"] for one in ask(self.relay.desk, "GET", "/drops").said["drops"]]

    def opens(self, journalist: Journalist, id_: str) -> bool:
        data = ask(self.relay.desk, "GET", f"/drops/{id_}").body
        try:
            DropReader(io.BytesIO(data), journalist.identities)
        except NotForYou:
            return False
        return True


@pytest.fixture(scope="module")
def first(tmp_path_factory: pytest.TempPathFactory) -> House:
    return House.first(tmp_path_factory.mktemp("first"))


@pytest.fixture
def house(first: House, tmp_path: Path) -> Iterator[House]:
    shutil.copytree(first.folder, tmp_path, dirs_exist_ok=True)
    made = House(tmp_path, first.journalists)
    try:
        made.start()
        yield made
    finally:
        made.relay.stop()


def later(monkeypatch: pytest.MonkeyPatch, days: int) -> None:
    """Has the desks' calendar go on."""
    day = datetime.now(UTC).date() + timedelta(days=days)
    for module in (editions, inbox, rotation):
        monkeypatch.setattr(module, "today", lambda: day)


def test_a_rotation(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    source = house.source("ada", "bea")
    drop = source.send("from the old days")
    house.fetch("ada", "bea")
    house.desk("ada", "case", drop, "note", text="said with the old key")
    house.desk("ada", "reply", drop, text="answered with the old key")
    unfetched = house.source("ada").send("sealed to the old key, not fetched yet")
    old = house.journalists["ada"]

    pub = house.rotate("ada")
    assert house.journalists["ada"].former == (old.identity,)
    assert str(house.journalists["ada"].identity) not in pub.read_text()
    # Until an edition lists the new key, all goes on with the old one.
    said = house.desk("ada", "case", drop, "note", text="said while it waited")
    assert "no edition lists your new key yet" in said
    assert "the newsroom needs ada.pub" in house.desk("ada", "fetch", "--all")
    assert house.desk("ada", "rotate").startswith(str(pub)), "again: the same one, without another question"
    assert house.unlocked("ada") == house.journalists["ada"]
    house.desk("bea", "fetch")

    assert house.admit(pub).status == 0
    assert house.publish().stderr == ""
    page = (house.edition / "en/send.html").read_text()
    assert house.journalists["ada"].public.signer.hex() in page
    assert old.public.signer.hex() not in page
    assert str(old.public.recipient) not in page
    assert "ada has a new key, which the one before it signed" in house.join("bea").out
    said_at_home = house.join("ada")
    assert (said_at_home.status, said_at_home.err) == (0, "")

    fresh = house.source("ada", "bea").send("to the new key")
    assert "no edition" not in house.desk("ada", "fetch")
    assert "sealed to the old key" in house.desk("ada", "show", unfetched)
    assert "to the new key" in house.desk("ada", "show", fresh)
    assert "from the old days" in house.desk("ada", "show", drop)
    assert not house.opens(old, fresh)
    # Lines of the old key are noise to sources now; the desk posts its reply again.
    newcomer = house.source("ada", "bea")
    newcomer.thread = source.thread
    house.desk("ada", "fetch")
    assert [(one.signer, one.text) for one in newcomer.look()] == [
        (house.journalists["ada"].public.signer, "answered with the old key")
    ]
    house.desk("ada", "case", drop, "note", text="said with the new key")
    house.fetch("ada", "bea")
    # What the old key said counts: at the desk that was there, and at one that begins anew.
    shutil.rmtree(house.home("bea"))
    assert house.join("bea").status == 0
    house.fetch("bea")
    for name in ("ada", "bea"):
        told = house.case(name, drop)
        for text in ("said with the old key", "said while it waited", "said with the new key"):
            assert told.count(f"| {text}\n") == 1, (name, told)
        assert "FORGED" not in told
        assert "REFUSED" not in told
    assert "FORGED" not in house.desk("bea", "show", drop)

    # The end of the old identity: not before the box can hold nothing that needs it.
    refused = house.desk("ada", "forget", status=1)
    assert "the box may hold what only the former identity opens" in refused
    retention = house.newsroom.retention.most
    later(monkeypatch, retention + 1)
    assert "`desk forget` deletes it" in house.desk("ada", "list")
    assert "1 former identity is deleted" in house.desk("ada", "forget")
    assert house.unlocked("ada").identities == (house.journalists["ada"].identity,)
    house.write(house.unlocked("ada"))  # locked quickly again
    for id_, text in (
        (drop, "from the old days"),
        (unfetched, "sealed to the old key"),
        (fresh, "to the new"),
    ):
        assert text in house.desk("ada", "show", id_)
        kept = (house.home("ada") / f"drops/{id_}.age").read_bytes()
        with pytest.raises(NotForYou):
            DropReader(io.BytesIO(kept), [old.identity])
    assert "there is no former identity" in house.desk("ada", "forget", status=1)


def test_a_rotation_that_somebody_forged(house: House) -> None:
    thief = Journalist.generate("ada").rotated()
    pub = house.folder / "mail.pub"
    for journalist in (thief, Journalist.generate("ada")):
        pub.write_text(journalist.public_file())
        said = house.admit(pub)
        assert said.status == 1
        assert "the key of ada that is listed did not sign this one" in said.err
    # And if the newsroom's folder is tricked all the same, every desk says so.
    (house.folder / "ada.pub").write_text(Journalist.generate("ada").public_file())
    house.publish()
    joined = house.join("bea")
    number = parse_public((house.folder / "ada.pub").read_text()).number
    assert "ada has a new key that the one before did not sign" in joined.err
    assert number in joined.err
    assert "does not list this identity" in house.join("ada").err


def test_an_edition_with_a_false_word_for_a_new_key_is_refused(house: House) -> None:
    assert house.admit(house.rotate("ada")).status == 0
    good = house.newsroom.to_json()
    assert Newsroom.from_json(good).former
    (signature,) = re.findall(rb'"signature": "([0-9a-f]{128})"', good)
    other = bytes(reversed(signature))
    with pytest.raises(BadNewsroom, match="'ada' did not sign the one that is listed"):
        Newsroom.from_json(good.replace(signature, other))


def test_leaving(house: House) -> None:
    shared = house.source("ada", "bea").send("for two")
    alone = house.source("bea").send("for bea alone")
    house.fetch("ada", "bea")
    house.desk("bea", "case", shared, "task", "--to", "bea", text="call the ministry")
    house.desk("bea", "reply", shared, text="thank you")
    house.fetch("bea", "ada")
    assert "the page lists" in house.desk("bea", "leave", "dan", text="x", status=1)
    said = house.desk("bea", "leave", "ada", text="I leave on Friday. Ada has my notes.")
    assert said.startswith("2 cases; kept")
    assert "nobody but you can read case" in said
    assert "your reply in case" in said
    assert "then `desk handover bea ada` for your tasks there" in said
    house.desk("bea", "case", alone, "widen", "ada")
    house.fetch("bea")
    house.fetch("ada")
    told = house.case("ada", shared)
    assert "bea: open tasks of bea are for ada" in told
    assert "| I leave on Friday. Ada has my notes.\n" in told
    assert re.search("open  for ada  +call the ministry", told)
    (copy,) = [one["id"] for one in house.list("ada") if one.get("begins") == "for bea alone"]
    assert "for bea alone" in house.desk("ada", "show", copy)


def test_a_removed_journalist_opens_nothing_that_was_sealed_afterwards(house: House) -> None:
    source = house.source("ada", "bea", "cyn")
    before = source.send("before")
    house.fetch("ada", "bea", "cyn")
    house.desk("bea", "case", before, "note", text="bea was here")
    house.fetch("bea")
    gone = house.journalists["bea"]
    then = house.sealed()
    assert house.opens(gone, before)

    revoked = run("revoke", "bea", house.yaml, passphrase=None)
    assert (revoked.status, revoked.err) == (0, "")
    house.publish()
    for name in ("ada", "cyn"):
        assert "bea is listed no longer: nothing is sealed to bea from now on" in house.join(name).out
    # Afterwards: a source's drop, replies, notes, covers, what is passed on, and canaries, all of it.
    again = Source(house, ("ada", "cyn"))  # type: ignore[arg-type]
    again.thread = source.thread
    after = again.send("after", {"a.txt": b"x" * 100})
    house.fetch("ada", "cyn")
    house.desk("ada", "reply", after, text="an answer")
    house.desk("cyn", "case", after, "note", text="a secret")
    house.desk("cyn", "case", before, "widen", "--again", "ada")
    house.fetch("ada", "cyn", "ada")
    sealed = [id_ for id_ in house.sealed() if id_ not in then]
    assert len(sealed) > 6
    assert [id_ for id_ in sealed if house.opens(gone, id_)] == []
    assert house.opens(gone, before), "what was sealed to bea before stays open to bea"
    # Bea's own desk is no desk of this newsroom any more; what it has can be read.
    assert "the key of this identity ended on " + today() in house.join("bea").err
    assert "before" in house.desk("bea", "show", before)
    # What bea said counts, also where it comes only now.
    shutil.rmtree(house.home("cyn"))
    house.join("cyn")
    house.fetch("cyn")
    for name in ("ada", "cyn"):
        told = house.case(name, before)
        assert "| bea was here\n" in told
        assert "FORGED" not in told


def test_a_revoked_key_says_nothing_new_that_counts(house: House) -> None:
    source = house.source("ada", "bea", "cyn")
    drop = source.send("hello")
    house.fetch("ada", "bea", "cyn")
    gone = house.journalists["bea"]
    # Made in time and seen by ada alone, then held back from cyn by the box until the key has ended.
    held = house.note(gone, source.thread, "in good time")
    first = house.put(held)
    house.fetch("ada")
    house.desk("ada", "case", drop, "note", text="ada had it")
    house.fetch("ada")
    assert ask(house.relay.desk, "DELETE", f"/drops/{first}").status == 204

    assert run("revoke", "bea", house.yaml, passphrase=None).status == 0
    yesterday = str(datetime.now(UTC).date() - timedelta(days=1))
    house.yaml.write_text(house.yaml.read_text().replace(f"until: {today()}", f"until: {yesterday}"))
    house.publish()
    for name in ("ada", "cyn"):
        house.join(name)
    house.put(house.note(gone, source.thread, "the last word of a thief"))
    record = Record("1" * 16, (7,))
    recipients = {one.name: one.public.recipient for one in house.newsroom.recipients}
    letter = Letter(
        newsroom=house.newsroom.id,
        thread=source.thread,
        language="en",
        to=tuple(recipients),
        author="bea",
        record=record,
    )
    out = io.BytesIO()
    drops.seal(out, letter, "a reply that bea never gave", [], recipients, gone.signing_key)
    house.put(out.getvalue())
    house.fetch("ada", "cyn")
    for name in ("ada", "cyn"):
        told = house.case(name, drop)
        assert "thief" not in told
        assert "REFUSED: a note by bea, whose key had ended when it came" in told
        assert "LATE: " in told
        shown = house.desk(name, "show", drop)
        assert "bea, note (LATE: it came when the key that signed it had ended)" in shown
        assert "bea, reply" not in shown
        assert "FORGED" not in told + shown
    # Nor on the board: a source's page knows only the keys that are listed.
    lines = line.seal_reply(source.thread, house.newsroom.id, gone.signing_key, [0], bytes(8), "not me")
    lines += [line.cover() for _ in range(house.newsroom.board.post - 1)]
    assert ask(house.relay.desk, "POST", "/board", b"".join(lines)).status == 204
    board = ask(house.relay.source, "GET", "/board").body
    signers = [one.public.signer for one in house.newsroom.recipients]
    found = line.open_board(board, source.thread, [*signers, gone.public.signer], house.newsroom.id)
    assert [one.text for one in found] == ["not me"], "it is there"
    assert line.open_board(board, source.thread, signers, house.newsroom.id) == []
    # What ada had in time counts at cyn's as soon as somebody passes it on: ada's note names it.
    out = io.BytesIO()
    drops.reseal(io.BytesIO(held), out, [gone.identity], list(recipients.values()))
    house.put(out.getvalue())
    house.fetch("cyn")
    assert "| in good time\n" in house.case("cyn", drop)


def test_a_box_cannot_date_a_note_back_for_a_desk_that_was_there(house: House) -> None:
    """The desk has seen today's listing, so nothing that comes now can be yesterday's."""
    source = house.source("ada", "bea")
    source.send("hello")
    house.fetch("ada")
    gone = house.journalists["bea"]
    assert run("revoke", "bea", house.yaml, passphrase=None).status == 0
    yesterday = datetime.now(UTC).date() - timedelta(days=1)
    house.yaml.write_text(house.yaml.read_text().replace(f"until: {today()}", f"until: {yesterday}"))
    house.publish()
    house.join("ada")
    id_ = house.put(house.note(gone, source.thread, "backdated"))
    data = ask(house.relay.desk, "GET", f"/drops/{id_}").body
    with open_desk(Home(house.home("ada")), Typed()) as desk:
        path = desk.home.drop(id_)
        path.write_bytes(data)
        entry = inbox.take_in(desk, Listed(id_, len(data), yesterday), path, desk.state.newest)
        assert entry is not None
        assert (entry.late, entry.forged) == (True, False)
        del desk.state.entries[id_]
        entry = inbox.take_in(desk, Listed(id_, len(data), yesterday), path)
        assert entry is not None
        assert not entry.late, "for a desk that was not there, the box's word is all there is"


def test_a_lost_identity(house: House) -> None:
    shared = house.source("ada", "bea").send("for two", {"papers.pdf": b"%PDF" * 1000})
    alone = house.source("ada").send("for ada alone")
    house.fetch("ada", "bea")
    house.desk("bea", "case", shared, "note", text="look at page 4")
    house.fetch("bea", "ada")
    house.desk("ada", "case", shared, "note", text="I have")
    house.fetch("ada", "bea")
    # The laptop is gone, and the stick with the copy.
    shutil.rmtree(house.home("ada"))
    lost = house.journalists["ada"]
    house.journalists["ada"] = Journalist.generate("ada")
    house.write(house.journalists["ada"])
    pub = house.folder / "ada-new.pub"
    pub.write_text(house.journalists["ada"].public_file())
    said = house.admit(pub, "--lost")
    assert "a drop that only ada could open is lost" in said.out
    house.publish()
    assert "did not sign" in house.join("bea").err
    joined = house.join("ada")
    assert "what was sealed to a key that you have lost stays closed" in joined.out
    house.fetch("ada")
    assert house.desk("ada", "cases") == "no cases\n"
    assert house.desk("bea", "restore", "ada") == (
        "1 case, sealed anew for ada; kept; the next `desk fetch` tells the others\n"
    )
    house.fetch("bea", "ada")
    (row,) = [one for one in house.list("ada") if one["kind"] == "drop"]
    assert row["begins"] == "for two"
    assert "papers.pdf" in house.desk("ada", "show", row["id"])
    told = house.case("ada", row["id"])
    assert "| look at page 4\n" in told
    assert "| I have\n" in told, "ada's own word under the lost key"
    assert "FORGED" not in told
    assert "REFUSED" not in told
    assert house.opens(lost, alone)
    assert not house.opens(house.journalists["ada"], alone)


def test_a_colleague_who_is_new_is_believed_once_the_edition_is_taken_over(house: House) -> None:
    """Ada rotates; her note comes to bea's desk before bea has the edition that lists her new key."""
    drop = house.source("ada", "bea").send("hello")
    house.fetch("ada", "bea")
    assert house.admit(house.rotate("ada")).status == 0
    before = shutil.copytree(house.edition, house.folder / "before")
    house.publish()
    house.join("ada")
    assert house.join("bea", before).status == 0, "the box is at another port now"
    house.desk("ada", "case", drop, "note", text="said early")
    house.fetch("ada", "bea")
    assert "FORGED" in house.case("bea", drop)
    house.join("bea")
    house.fetch("bea")
    told = house.case("bea", drop)
    assert "| said early\n" in told
    assert "FORGED" not in told
