"""`desk admit` and `desk revoke`: newsroom.yaml and the key files beside it, and nothing else of them."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from support.newsdesk import run

from keys.desk import keeper
from keys.errors import BadNewsroom, BadRecipient, DeskError
from keys.identity import Journalist, parse_public
from keys.masthead import MastheadKey
from keys.newsroom import load

TODAY = date(2026, 11, 22)
NAMES = ("ada", "bea", "cyn")
YAML = """\
# Ours. Ask Olga before you change it.
name: The Harbour Post
operator: We run it.
address: https://harbourpost.example/tips
languages: [en]
recipients:                      # who can read
  - recipients/ada.pub           # the news desk
  # Bea works from Tuesday.
  - {file: recipients/bea.pub, title: "Bea, crime"}
  - file: recipients/cyn.pub
    title: Cyn
# The masthead is in the safe.
masthead: masthead.pub
edition: 3
expires: 2199-06-30
partners:
  - {name: harbour, title: Harbour, recipients: [ada, bea]}
  - name: valley
    title: Valley
    recipients:
      - cyn                      # alone for now
      - bea
"""


class Folder:
    def __init__(self, folder: Path) -> None:
        self.journalists = {name: Journalist.generate(name) for name in NAMES}
        (folder / "recipients").mkdir()
        for name in NAMES:
            (folder / f"recipients/{name}.pub").write_text(self.journalists[name].public_file())
        (folder / "masthead.pub").write_text(MastheadKey.generate().public.to_file())
        self.folder = folder
        self.yaml = folder / "newsroom.yaml"
        self.yaml.write_text(YAML)
        self.clients = folder / "desk-onion/authorized_clients"
        self.clients.mkdir(parents=True)
        for name in (*NAMES, "nobody"):
            (self.clients / f"{name}.auth").write_text("descriptor:x25519:X\n")

    def signer(self, name: str) -> str:
        return self.journalists[name].public.signer.hex()

    def given(self, journalist: Journalist) -> Path:
        path = self.folder / "mail.pub"
        path.write_text(journalist.public_file())
        return path

    def files(self) -> dict[str, bytes]:
        return {
            str(path.relative_to(self.folder)): path.read_bytes()
            for path in self.folder.rglob("*")
            if path.is_file() and path.name != "mail.pub"
        }


@pytest.fixture
def place(tmp_path: Path) -> Folder:
    return Folder(tmp_path)


def test_a_rotated_key_takes_the_place_of_the_one_that_signed_it(place: Folder) -> None:
    new = place.journalists["ada"].rotated()
    before = place.files()
    admitted = keeper.admit(place.yaml, place.given(new), TODAY, lost=False)
    assert admitted.number == new.public.number
    line = f"  - {{name: ada, signer: {place.signer('ada')}, until: 2026-11-22}}\n"
    after = place.files()
    assert after.pop("newsroom.yaml").decode() == f"{YAML}\nformer:\n{line}"
    assert after.pop("recipients/ada.pub").decode() == new.public_file()
    assert after.items() <= before.items()
    newsroom = load(place.yaml)
    (former,) = newsroom.former or ()
    assert former.rotation
    assert former.rotation.holds(newsroom.recipients[0].public)
    assert (former.name, former.signer, former.until) == ("ada", place.signer("ada"), TODAY)


def test_a_second_rotation_is_signed_by_the_first_and_the_first_key_stays_former(place: Folder) -> None:
    one = place.journalists["ada"].rotated()
    two = one.rotated()
    keeper.admit(place.yaml, place.given(one), TODAY, lost=False)
    keeper.admit(place.yaml, place.given(two), TODAY, lost=False)
    first, second = load(place.yaml).former or ()
    assert first.signature is None
    assert second.rotation
    assert second.signer == one.public.signer.hex()


def by_another_key(place: Folder) -> str:
    return Journalist.generate("ada").rotated().public_file()


def by_nobody(place: Folder) -> str:
    return Journalist.generate("ada").public_file()


def by_a_colleague(place: Folder) -> str:
    bea = place.journalists["bea"]
    return Journalist("ada", Journalist.generate("ada").identity, (bea.identity,)).public_file()


def of_a_rotation_that_was_replaced(place: Folder) -> str:
    """Its signature holds, and is by a key that is no longer the one listed."""
    spare, one = place.journalists["ada"].rotated(), place.journalists["ada"].rotated()
    keeper.admit(place.yaml, place.given(one), TODAY, lost=False)
    return spare.public_file()


@pytest.mark.parametrize(
    "forged", [by_another_key, by_nobody, by_a_colleague, of_a_rotation_that_was_replaced]
)
def test_a_key_that_the_listed_one_did_not_sign_changes_nothing(
    place: Folder, forged: Callable[[Folder], str]
) -> None:
    text = forged(place)
    before = place.files()
    pub = place.folder / "mail.pub"
    pub.write_text(text)
    with pytest.raises(DeskError, match="the key of ada that is listed did not sign this one"):
        keeper.admit(place.yaml, pub, TODAY, lost=False)
    assert place.files() == before


def test_a_signature_that_was_made_for_another_key_or_name_is_no_pub_file(place: Folder) -> None:
    new = place.journalists["ada"].rotated()
    signed = new.public_file().splitlines()[2]
    other = Journalist.generate("ada").public_file().splitlines()
    pub = place.folder / "mail.pub"
    for lines in (
        [*other[:2], signed, other[2]],
        ["# name: bea", *new.public_file().splitlines()[1:]],
        [*new.public_file().splitlines()[:2], signed[:-1] + ("0" if signed[-1] != "0" else "1"), other[2]],
        [*new.public_file().splitlines()[:2], signed[:-2], new.public_file().splitlines()[3]],
        [*new.public_file().splitlines()[:3], signed, new.public_file().splitlines()[3]],
    ):
        pub.write_text("\n".join(lines) + "\n")
        with pytest.raises(BadRecipient):
            keeper.admit(place.yaml, pub, TODAY, lost=True)


def test_a_key_that_ended_does_not_come_back(place: Folder) -> None:
    old = place.journalists["ada"]
    keeper.admit(place.yaml, place.given(old.rotated()), TODAY, lost=False)
    for lost in (False, True):
        with pytest.raises(DeskError, match="this key of ada has ended"):
            keeper.admit(place.yaml, place.given(old), TODAY, lost=lost)
    place.folder.joinpath("recipients/ada.pub").write_text(old.public_file())
    with pytest.raises(
        BadNewsroom, match=r"newsroom\.yaml:7: recipients: this key of 'ada' ended on 2026-11"
    ):
        load(place.yaml)


def test_a_lost_key_ends_too_and_nothing_claims_to_be_signed_by_it(place: Folder) -> None:
    new = Journalist.generate("bea")
    keeper.admit(place.yaml, place.given(new), TODAY, lost=True)
    newsroom = load(place.yaml)
    assert newsroom.recipients[1].public == new.public
    (former,) = newsroom.former or ()
    assert (former.signer, former.signature) == (place.signer("bea"), None)


def test_who_is_not_listed_is_not_let_in_this_way(place: Folder) -> None:
    with pytest.raises(DeskError, match="dan is not listed"):
        keeper.admit(place.yaml, place.given(Journalist.generate("dan")), TODAY, lost=True)
    with pytest.raises(DeskError, match="listed already"):
        keeper.admit(place.yaml, place.given(place.journalists["ada"]), TODAY, lost=True)


def test_who_is_revoked_is_out_of_every_list_and_every_other_word_stays(place: Folder) -> None:
    keeper.revoke(place.yaml, "bea", TODAY)
    expected = YAML.replace('  - {file: recipients/bea.pub, title: "Bea, crime"}\n', "")
    expected = expected.replace("[ada, bea]", "[ada]").replace("      - bea\n", "")
    line = f"  - {{name: bea, signer: {place.signer('bea')}, until: 2026-11-22}}\n"
    assert place.yaml.read_text() == f"{expected}\nformer:\n{line}"
    assert {path.stem for path in place.clients.iterdir()} == {"ada", "cyn", "nobody"}
    newsroom = load(place.yaml)
    assert [one.name for one in newsroom.recipients] == ["ada", "cyn"]
    assert not list(place.folder.glob(".*"))


def test_the_last_one_of_a_partner_or_of_all_stays(place: Folder) -> None:
    keeper.revoke(place.yaml, "bea", TODAY)
    before = place.files()
    with pytest.raises(DeskError, match="nobody else of valley"):
        keeper.revoke(place.yaml, "cyn", TODAY)
    assert place.files() == before
    text = "".join(line for line in YAML.splitlines(keepends=True) if "ada.pub" not in line)
    text = text.partition("partners")[0].replace('  - {file: recipients/bea.pub, title: "Bea, crime"}\n', "")
    place.yaml.write_text(text)
    with pytest.raises(DeskError, match="cyn is the only one who can read"):
        keeper.revoke(place.yaml, "cyn", TODAY)


@pytest.mark.parametrize(
    "listed",
    [
        "recipients: [recipients/ada.pub, recipients/bea.pub, {file: recipients/cyn.pub}]\n",
        'recipients: ["recipients/cyn.pub", recipients/bea.pub, recipients/ada.pub,]\n',
        "recipients:\n- recipients/bea.pub\n- recipients/cyn.pub\n\n\n- recipients/ada.pub\n",
        "recipients:\n  -\n    file: recipients/bea.pub\n  - recipients/ada.pub\n",
    ],
)
@pytest.mark.parametrize("former", ["", "former:\n- {name: x, signer: SIGNER, until: 2026-01-01}\n"])
def test_however_the_list_is_written_it_says_the_right_thing_or_stays(
    place: Folder, listed: str, former: str
) -> None:
    text = (
        "name: N\noperator: O\naddress: https://n.example/tips\nlanguages: [en]\n"
        + former.replace("SIGNER", "0" * 64)
        + listed
        + "masthead: masthead.pub\nedition: 1\nexpires: 2199-01-01"
    )
    for name in ("bea", "ada"):
        place.yaml.write_text(text)
        known = load(place.yaml)
        if name == "bea" and listed.startswith("recipients:\n  -\n"):
            with pytest.raises(DeskError, match="cannot be changed by a program"):
                keeper.revoke(place.yaml, name, TODAY)
            assert place.yaml.read_text() == text
            continue
        keeper.revoke(place.yaml, name, TODAY)
        left = load(place.yaml)
        assert left.recipients == tuple(one for one in known.recipients if one.name != name)
        assert [one.name for one in left.former or ()] == [*["x"] * bool(former), name]


def test_the_commands_say_what_is_left_to_do(place: Folder) -> None:
    new = place.journalists["ada"].rotated()
    said = run("admit", place.given(new), place.yaml, passphrase=None)
    assert (said.status, said.err) == (0, "")
    assert new.public.number in said.out
    assert "raise `edition`" in said.out
    assert parse_public((place.folder / "recipients/ada.pub").read_text()).number == new.public.number
    lost = run("admit", place.given(Journalist.generate("bea")), place.yaml, "--lost", passphrase=None)
    assert "`desk restore bea`" in lost.out
    assert "a drop that only bea could open is lost" in lost.out
    said = run("revoke", "bea", place.yaml, passphrase=None)
    assert (said.status, said.err) == (0, "")
    assert "`desk handover bea NAME`" in said.out
    forged = run("admit", place.given(Journalist.generate("ada")), place.yaml, passphrase=None)
    assert forged.status == 1
    assert "did not sign this one" in forged.err
    assert "say --lost" in forged.err
