"""Recipients and identities (C2SP age.md, "Native recipient types"), X-Wing's own vectors among them."""

import contextlib
import hashlib
import hmac
import json
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PrivateKey
from hypothesis import given
from hypothesis import strategies as st
from nacl.bindings import (
    crypto_aead_chacha20poly1305_ietf_decrypt,
    crypto_aead_chacha20poly1305_ietf_encrypt,
    crypto_scalarmult,
)

from keys import bech32
from keys.errors import BadAgeFile, BadIdentity, BadRecipient
from keys.recipients import (
    HYBRID,
    HybridIdentity,
    HybridRecipient,
    ScryptIdentity,
    ScryptRecipient,
    X25519Identity,
    X25519Recipient,
    parse_identity,
    parse_recipient,
)
from keys.stanza import Stanza, decode64, encode64

FILE_KEY = bytes(range(16))
# C2SP age.md's examples
HYBRID_TEXT = "AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR"
X25519_TEXT = "AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX"
X25519_RECIPIENT = "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

_DRAFT = Path(__file__).parent.parent.parent / "shared" / "vectors" / "xwing-draft.json"
ALL = 3


@pytest.fixture(scope="module")
def xwing() -> list[dict[str, bytes]]:
    if not _DRAFT.exists():
        pytest.skip(
            "the X-Wing draft's vectors are not beside this checkout, in ../shared/vectors/xwing-draft.json"
        )
    cases = json.loads(_DRAFT.read_text())
    assert len(cases) == ALL
    return [{key: bytes.fromhex(value) for key, value in case.items()} for case in cases]


def hpke_key_and_nonce(shared: bytes) -> tuple[bytes, bytes]:
    """HPKE's key schedule (RFC 9180 section 5.1, base mode) of age's suite: 0x647a is MLKEM768-X25519."""
    suite = b"HPKE" + bytes.fromhex("647a 0001 0003")

    def extract(salt: bytes, label: bytes, secret: bytes) -> bytes:
        return hmac.digest(salt or bytes(32), b"HPKE-v1" + suite + label + secret, "sha256")

    def expand(key: bytes, label: bytes, info: bytes, size: int) -> bytes:
        labelled = size.to_bytes(2, "big") + b"HPKE-v1" + suite + label + info
        return hmac.digest(key, labelled + b"\x01", "sha256")[:size]

    info = b"age-encryption.org/mlkem768x25519"
    context = b"\0" + extract(b"", b"psk_id_hash", b"") + extract(b"", b"info_hash", info)
    secret = extract(shared, b"secret", b"")
    return expand(secret, b"key", context, 32), expand(secret, b"base_nonce", context, 12)


def decapsulate(seed: bytes, share: bytes) -> bytes:
    """X-Wing's decapsulation (draft-connolly-cfrg-xwing-kem section 5.5), out of its parts."""
    stretched = hashlib.shake_256(seed).digest(96)
    lattice = MLKEM768PrivateKey.from_seed_bytes(stretched[:64]).decapsulate(share[:1088])
    curve = crypto_scalarmult(stretched[64:], share[1088:])
    public = HybridIdentity(seed).recipient().key[1184:]
    return hashlib.sha3_256(lattice + curve + share[1088:] + public + rb"\.//^\ "[:6]).digest()


def test_xwing_keys_derive_as_in_the_draft(xwing: list[dict[str, bytes]]) -> None:
    for case in xwing:
        assert HybridIdentity(case["sk"]).recipient().key == case["pk"]


def test_xwing_secrets_are_the_drafts(xwing: list[dict[str, bytes]]) -> None:
    """What is sealed under the draft's shared secret opens with its private key: we got that very secret."""
    for case in xwing:
        key, nonce = hpke_key_and_nonce(case["ss"])
        body = crypto_aead_chacha20poly1305_ietf_encrypt(FILE_KEY, None, nonce, key)
        stanza = Stanza(HYBRID, (encode64(case["ct"]),), body)
        assert HybridIdentity(case["sk"]).unwrap(stanza) == FILE_KEY
        assert HybridIdentity(case["eseed"][:32]).unwrap(stanza) is None


def test_xwing_shares_of_ours_decapsulate_as_in_the_draft(xwing: list[dict[str, bytes]]) -> None:
    for case in xwing:
        assert decapsulate(case["sk"], case["ct"]) == case["ss"]
        stanza = HybridRecipient(case["pk"]).wrap(FILE_KEY)
        key, nonce = hpke_key_and_nonce(decapsulate(case["sk"], decode64(stanza.args[0])))
        assert crypto_aead_chacha20poly1305_ietf_decrypt(stanza.body, None, nonce, key) == FILE_KEY


def test_the_specifications_examples_are_read_and_written_alike() -> None:
    hybrid, curve = parse_identity(HYBRID_TEXT), parse_identity(X25519_TEXT)
    assert isinstance(hybrid, HybridIdentity)
    assert isinstance(curve, X25519Identity)
    assert (str(hybrid), str(curve)) == (HYBRID_TEXT, X25519_TEXT)
    assert str(curve.recipient()) == X25519_RECIPIENT
    recipient = str(hybrid.recipient())
    assert recipient.startswith(
        "age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95paef6caq5aapd"
    )
    assert recipient.endswith("7saeq0d3fzv49zc0k")  # its checksum among them, so the rest is right too
    assert parse_recipient(recipient) == hybrid.recipient()
    assert parse_recipient(X25519_RECIPIENT) == curve.recipient()


@pytest.mark.parametrize("kind", [HybridIdentity, X25519Identity])
def test_identities_are_random_and_stay_out_of_reprs(kind: Any) -> None:
    one, other = kind.generate(), kind.generate()
    assert one != other
    assert isinstance(parse_identity(str(one)), kind)
    assert parse_identity(str(one)) == one
    secret = getattr(one, "seed", None) or one.secret
    for text in (repr(one), repr([one]), repr(ScryptRecipient(secret)), repr(ScryptIdentity(secret))):
        assert str(one) not in text
        assert repr(secret)[2:-1] not in text


def point(last: int, first: int = 0) -> bytes:
    return bytes([first, *bytes(30), last])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ada",
        X25519_TEXT,
        X25519_RECIPIENT.upper(),
        X25519_RECIPIENT[:-1] + "k",
        bech32.encode("age", bytes(31)),
        bech32.encode("age", point(0)),
        bech32.encode("age", point(0, 1)),
        bech32.encode("age1pq", bytes(32)),
        bech32.encode("age1pq", bytes(1184) + point(0)),
        bech32.encode("age1pq", b"\xff" * 1184 + point(9)),
        bech32.encode("age1tag", bytes(33)),
    ],
)
def test_no_other_text_is_a_recipient(text: str) -> None:
    with pytest.raises(BadRecipient):
        parse_recipient(text)


@pytest.mark.parametrize(
    "text",
    [
        "",
        X25519_RECIPIENT,
        X25519_TEXT.lower(),
        HYBRID_TEXT[:-1] + "Q",
        bech32.encode("AGE-SECRET-KEY-", bytes(31)),
        bech32.encode("AGE-SECRET-KEY-PQ-", bytes(33)),
        bech32.encode("AGE-PLUGIN-X-", bytes(32)),
    ],
)
def test_no_other_text_is_an_identity(text: str) -> None:
    with pytest.raises(BadIdentity) as caught:
        parse_identity(text)
    assert not text or text not in str(caught.value)


@given(st.text(max_size=30), st.sampled_from(["age1", "age1pq1", "AGE-SECRET-KEY-1", ""]))
def test_any_text_is_refused_one_way(text: str, begin: str) -> None:
    with pytest.raises(BadRecipient):
        parse_recipient(begin + text)
    with pytest.raises(BadIdentity):
        parse_identity(begin + text)


TYPES = st.sampled_from([HYBRID, "X25519", "scrypt", "grease"])
SHARES = st.one_of(st.binary(max_size=40), st.sampled_from([bytes(32), bytes(1120), bytes(16)])).map(encode64)
ARGUMENTS = st.one_of(SHARES, st.text("0123456789+-", max_size=3).map(str.encode))


@given(TYPES, st.lists(ARGUMENTS, max_size=3), st.binary(max_size=40) | st.just(bytes(32)))
def test_any_stanza_is_refused_one_way(kind: str, args: list[bytes], body: bytes) -> None:
    stanza = Stanza(kind, tuple(args), body)
    for identity in (HybridIdentity(bytes(32)), X25519Identity(bytes(32)), ScryptIdentity(b"pw", 2)):
        with contextlib.suppress(BadAgeFile):
            assert identity.unwrap(stanza) is None


@pytest.mark.parametrize(
    "work_factor", ["0", "23", "99", "100", "1000000000000", "-1", "04", "", "4 ", "٤", "0x4"]
)
def test_a_work_factor_over_the_most_or_malformed_is_refused(work_factor: str) -> None:
    stanza = Stanza("scrypt", (encode64(bytes(16)), work_factor.encode()), bytes(32))
    with pytest.raises(BadAgeFile, match="work factor"):
        ScryptIdentity(b"pw").unwrap(stanza)


def test_a_passphrase_unwraps_only_its_own() -> None:
    stanza = ScryptRecipient(b"pw", 1).wrap(FILE_KEY)
    assert ScryptIdentity(b"pw").unwrap(stanza) == FILE_KEY
    assert ScryptIdentity(b"pW").unwrap(stanza) is None


def test_a_low_order_key_is_no_recipient() -> None:
    for key in (
        point(0),
        point(0, 1),
        bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
    ):
        with pytest.raises(BadRecipient):
            X25519Recipient(key)
