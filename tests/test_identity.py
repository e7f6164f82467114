"""Identity files, signing keys and `.pub` files (FORMAT.md section 1)."""

import contextlib
import re
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey, VerifyKey
from support.age_programs import age, age_at_terminal
from support.vectors import cases

from keys.age import HybridIdentity, X25519Identity, seal_bytes
from keys.errors import BadAgeFile, BadIdentity, BadRecipient, WrongPassphrase
from keys.identity import MOST_FORMER, Journalist, lock, parse_public, unlock

PASSPHRASE = "correct horse bättery".encode()
FAST = 4  # work factor
ADA = Journalist("ada", HybridIdentity(bytes(range(32))))


def test_a_locked_identity_unlocks_to_the_same_journalist() -> None:
    locked = lock(ADA.to_text(), PASSPHRASE, FAST)
    assert str(ADA.identity).encode() not in locked
    assert Journalist.parse(unlock(locked, PASSPHRASE)) == ADA


def test_locking_takes_ages_own_work_factor_unless_told() -> None:
    assert b" 18\n" in lock("text", PASSPHRASE)[:80]


@pytest.mark.parametrize("passphrase", [b"", b"correct horse", PASSPHRASE + b"\n", PASSPHRASE.upper()])
def test_a_wrong_passphrase_is_told_from_a_broken_file(passphrase: bytes) -> None:
    locked = lock(ADA.to_text(), PASSPHRASE, FAST)
    with pytest.raises(WrongPassphrase):
        unlock(locked, passphrase)
    for broken in (locked[:-1], locked[:100], locked + b"\0", b"", ADA.to_text().encode()):
        with pytest.raises(BadAgeFile):
            unlock(broken, PASSPHRASE)


def test_a_file_that_is_not_locked_with_a_passphrase_is_refused() -> None:
    with pytest.raises(BadAgeFile, match="passphrase"):
        unlock(seal_bytes(b"", [ADA.identity.recipient()]), PASSPHRASE)


@given(st.binary(max_size=200))
def test_any_bytes_are_refused_one_way(data: bytes) -> None:
    for locked in (data, b"age-encryption.org/v1\n-> scrypt " + data):
        with pytest.raises(BadAgeFile):
            unlock(locked, PASSPHRASE)


def test_debians_age_opens_a_drop_with_an_identity_locked_here(tmp_path: Path) -> None:
    """Debian's `age` knows no post-quantum identity yet, so the locked file holds an X25519 one."""
    identity = X25519Identity.generate()
    key, sealed, opened = tmp_path / "ada.key", tmp_path / "drop.age", tmp_path / "drop"
    key.write_bytes(lock(f"# name: ada\n{identity}\n", PASSPHRASE, 10))
    sealed.write_bytes(seal_bytes(b"a drop", [identity.recipient()]))
    age_at_terminal("-d", "-i", key, "-o", opened, sealed, typed=PASSPHRASE)
    assert opened.read_bytes() == b"a drop"


@pytest.mark.parametrize("armor", [[], ["-a"]], ids=["binary", "armored"])
def test_an_identity_locked_by_debians_age_unlocks_here(armor: list[str], tmp_path: Path) -> None:
    plain, locked = tmp_path / "ada.txt", tmp_path / "ada.key"
    plain.write_text(ADA.to_text())
    age_at_terminal("-p", *armor, "-o", locked, plain, typed=PASSPHRASE, prompts=2)
    assert Journalist.parse(unlock(locked.read_bytes(), PASSPHRASE)) == ADA


def test_the_signing_key_derives_as_the_format_says() -> None:
    seed = HKDF(SHA256(), 32, salt=None, info=b"knothole/v1/sign").derive(bytes(range(32)))
    assert ADA.signing_key == SigningKey(seed)
    assert ADA.public.signer == bytes(SigningKey(seed).verify_key)


def test_a_public_file_is_read_as_it_is_written() -> None:
    lines = ADA.public_file().split("\n")
    assert lines == ["# name: ada", f"# signer: {ADA.public.signer.hex()}", str(ADA.identity.recipient()), ""]
    assert parse_public(ADA.public_file()) == ADA.public
    assert parse_public("# a friend's\r\n\n" + "\r\n".join([lines[2], lines[1], lines[0]])) == ADA.public


def test_age_takes_a_public_file_of_its_own_kind_as_a_list_of_recipients(tmp_path: Path) -> None:
    identity = X25519Identity.generate()
    public = tmp_path / "ada.pub"
    public.write_text(ADA.public_file().replace(str(ADA.identity.recipient()), str(identity.recipient())))
    assert age("-R", public, data=b"text").startswith(b"age-encryption.org/v1\n-> X25519 ")


FILE = ADA.public_file()
NAME, SIGNER, KEY, _ = FILE.split("\n")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "name"),
        (FILE.replace(NAME, ""), "name"),
        (FILE.replace("ada", "Ada"), "name"),
        (FILE.replace("ada", "a" * 33), "name"),
        (FILE.replace("ada", "../ada"), "name"),
        (FILE + "# name: bea\n", "name"),
        (FILE.replace(SIGNER, ""), "signer"),
        (FILE.replace(SIGNER, SIGNER[:-1]), "signer"),
        (FILE + SIGNER, "signer"),
        (FILE.replace(KEY, ""), "one post-quantum recipient"),
        (FILE + KEY, "one post-quantum recipient"),
        (FILE.replace(KEY, str(X25519Identity(bytes(32)).recipient())), "one post-quantum recipient"),
        (FILE.replace(KEY, KEY[:-1] + "q"), "typing error"),
        (FILE.replace(KEY, str(ADA.identity)), "age1pq1"),
    ],
)
def test_a_public_file_with_a_mistake_is_refused_with_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(BadRecipient, match=said) as caught:
        parse_public(text)
    assert str(ADA.identity) not in str(caught.value)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "# name: ada\n",
        str(ADA.identity),
        ADA.to_text() + str(ADA.identity),
        f"# name: ada\n{X25519Identity(bytes(32))}\n",
        f"# name: -ada\n{ADA.identity}\n",
        FILE,
    ],
)
def test_no_other_text_is_a_journalist(text: str) -> None:
    with pytest.raises(BadIdentity) as caught:
        Journalist.parse(text)
    assert str(ADA.identity) not in str(caught.value)


@given(st.text(max_size=60), st.sampled_from(["", NAME + "\n", f"{NAME}\n{SIGNER}\n", FILE]))
def test_any_text_is_read_or_refused_one_way(text: str, begin: str) -> None:
    with contextlib.suppress(BadRecipient):
        assert parse_public(begin + text) == ADA.public
    with pytest.raises(BadIdentity):
        Journalist.parse(begin + text)


def test_a_secret_stays_out_of_reprs() -> None:
    assert str(ADA.identity) not in repr(ADA)
    assert repr(ADA.identity.seed)[2:-1] not in repr(ADA)


def test_a_rotated_identity_stands_before_the_others_and_is_signed_by_the_last() -> None:
    one = ADA.rotated()
    two = one.rotated()
    assert Journalist.parse(two.to_text()) == two
    assert two.identities == (two.identity, one.identity, ADA.identity)
    for new, old in ((one, ADA), (two, one)):
        public = parse_public(new.public_file())
        assert public.rotation is not None
        assert public.rotation.signer == old.public.signer
        signed = b"knothole/v1/rotate\x03ada" + public.signer + public.recipient.key
        VerifyKey(old.public.signer).verify(signed, public.rotation.signature)
    assert parse_public(ADA.public_file()).rotation is None


def test_a_file_holds_eight_identities_and_none_twice() -> None:
    full = ADA
    for _ in range(MOST_FORMER):
        full = full.rotated()
    assert Journalist.parse(full.to_text()) == full
    with pytest.raises(BadIdentity, match="no more fit"):
        full.rotated()
    key = str(HybridIdentity.generate())
    for text in (
        full.to_text() + key,
        f"{ADA.to_text()}{ADA.identity}",
        f"{ADA.to_text()}{X25519Identity.generate()}",
    ):
        with pytest.raises(BadIdentity):
            Journalist.parse(text)


def test_who_acts_knows_which_identities_were_before_and_which_come() -> None:
    file = ADA.rotated().rotated()
    new, middle, old = file.identities
    acting = list(file.acting())
    assert [(one.identity, one.former, one.coming) for one in acting] == [
        (new, (middle, old), ()),
        (middle, (old,), (new,)),
        (old, (), (new, middle)),
    ]
    assert all(set(one.identities) == set(file.identities) for one in acting)
    assert all(list(one.acting()) == acting for one in acting), "whoever of them is asked"


def test_the_number_of_a_key_is_eight_groups_and_changes_with_either_half() -> None:
    public = ADA.public
    assert re.fullmatch("[0-9a-f]{4}( [0-9a-f]{4}){7}", public.number)
    others = [
        replace(public, signer=bytes(32)),
        replace(public, recipient=HybridIdentity.generate().recipient()),
    ]
    assert public.number not in [one.number for one in others]


@cases("rotation")
def test_rotation_vectors(case: dict[str, str]) -> None:
    old, new = (HybridIdentity(bytes.fromhex(case[f"{which}_identity"])) for which in ("old", "new"))
    public = parse_public(Journalist(case["name"], new, (old,)).public_file())
    assert public.rotation is not None
    assert f"{public.rotation.signer.hex()} {public.rotation.signature.hex()}" == case["former"]
    assert (public.recipient.key.hex(), public.signer.hex()) == (case["recipient"], case["signer"])
    assert public.number == case["number"]
