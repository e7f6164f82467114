"""Sealing and opening (C2SP age.md): against other programs, at every size and split, with any bytes."""

import contextlib
import hashlib
import io
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from support.age_programs import age, typage_opens, typage_seals
from support.trickle import Trickle

from keys.age import (
    HybridIdentity,
    Identity,
    OpenReader,
    Recipient,
    ScryptIdentity,
    ScryptRecipient,
    SealWriter,
    Stanza,
    X25519Identity,
    open_bytes,
    read_header,
    seal_bytes,
)
from keys.armor import ArmorWriter
from keys.errors import BadAgeFile, BadRecipient, NotForYou
from keys.stanza import LONGEST, VERSION, serialize_header

CHUNK = 65536
SIZES = [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 200_000]
HYBRID = HybridIdentity(bytes(range(32)))
CURVE = X25519Identity(bytes(range(32)))


def content(size: int) -> bytes:
    return hashlib.shake_128(size.to_bytes(4, "big")).digest(size)


def payload_at(sealed: bytes) -> int:
    """Where the first chunk begins: after the header and a nonce of 16 bytes."""
    return sealed.index(b"\n", sealed.index(b"\n---") + 1) + 1 + 16


@pytest.fixture(params=[HYBRID, CURVE], ids=["hybrid", "X25519"])
def identity(request: pytest.FixtureRequest) -> HybridIdentity | X25519Identity:
    return request.param


def test_typage_opens_what_we_seal_and_we_what_it_seals(identity: HybridIdentity | X25519Identity) -> None:
    plain = [content(size) for size in SIZES]
    assert typage_opens([(str(identity), seal_bytes(one, [identity.recipient()])) for one in plain]) == plain
    sealed = typage_seals([(str(identity.recipient()), one) for one in plain])
    assert [open_bytes(one, [identity]) for one in sealed] == plain


@pytest.mark.parametrize("size", SIZES)
def test_debians_age_opens_what_we_seal_and_we_what_it_seals(size: int, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(f"{CURVE}\n")
    assert age("-d", "-i", key, data=seal_bytes(content(size), [CURVE.recipient()])) == content(size)
    for armor in ([], ["-a"]):
        sealed = age(*armor, "-r", str(CURVE.recipient()), data=content(size))
        assert open_bytes(sealed, [CURVE]) == content(size)


def test_debians_age_reads_our_armor(tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(f"{CURVE}\n")
    out = io.BytesIO()
    armor = ArmorWriter(out)
    with SealWriter(armor, [CURVE.recipient()]) as writer:
        writer.write(content(1000))
    armor.close()
    assert age("-d", "-i", key, data=out.getvalue()) == content(1000)


@settings(max_examples=60)
@given(
    size=st.one_of(st.sampled_from(SIZES), st.integers(0, 3 * CHUNK)),
    writes=st.lists(st.integers(0, 2 * CHUNK), max_size=5),
    reads=st.lists(st.integers(1, 2 * CHUNK), min_size=1, max_size=5),
    pieces=st.lists(st.integers(1, 3 * CHUNK), min_size=1, max_size=5),
)
def test_opening_inverts_sealing_however_it_is_split(
    size: int, writes: list[int], reads: list[int], pieces: list[int]
) -> None:
    plain, out, at = content(size), io.BytesIO(), 0
    with SealWriter(out, [CURVE.recipient()]) as writer:
        for step in writes:
            writer.write(plain[at : at + step])
            at += step
        writer.write(plain[at:])
    sealed = out.getvalue()
    assert len(sealed) == payload_at(sealed) + size + 16 * max(1, -(-size // CHUNK))
    reader = OpenReader(Trickle(sealed, tuple(pieces)), [CURVE])
    got = bytearray()
    for step in reads:
        piece = reader.read(step)
        assert len(piece) == min(step, size - len(got))
        got += piece
    got += reader.read()
    assert got == plain
    assert reader.read() == reader.read(1) == b""


@pytest.mark.parametrize("step", [1, 2, 3, 47, 48, 49, 1000])
def test_armor_opens_however_it_is_split(step: int) -> None:
    for size in (0, 1, 2, 3, 47, 48, 49, 1000):
        out = io.BytesIO()
        armor = ArmorWriter(out)
        with SealWriter(armor, [CURVE.recipient()]) as writer:
            writer.write(content(size))
        armor.close()
        assert OpenReader(Trickle(out.getvalue(), (step,)), [CURVE]).read() == content(size)


@given(st.binary(max_size=300))
def test_any_bytes_are_refused_one_way(data: bytes) -> None:
    for file in (
        data,
        VERSION + data,
        VERSION + b"-> " + data,
        b"-----BEGIN AGE ENCRYPTED FILE-----\n" + data,
    ):
        with pytest.raises((BadAgeFile, NotForYou)):
            open_bytes(file, [CURVE, HYBRID])


@pytest.fixture(scope="module")
def sealed_to_two() -> bytes:
    return seal_bytes(content(CHUNK + 100), [HYBRID.recipient(), HybridIdentity.generate().recipient()])


@settings(max_examples=300)
@given(data=st.data())
def test_no_altered_file_opens(sealed_to_two: bytes, data: st.DataObject) -> None:
    # What matters is at the ends: all in between is one long random string.
    places = st.one_of(st.integers(0, 5000), st.integers(len(sealed_to_two) - 300, len(sealed_to_two) - 1))
    at, new = data.draw(places), data.draw(st.binary(max_size=3))
    altered = sealed_to_two[:at] + new + sealed_to_two[at + data.draw(st.integers(0, 3)) :]
    if altered != sealed_to_two:
        with pytest.raises((BadAgeFile, NotForYou)):
            open_bytes(altered, [HYBRID])


def test_a_file_cut_anywhere_raises(sealed_to_two: bytes) -> None:
    header = payload_at(sealed_to_two)
    edges = [header + n * (CHUNK + 16) + d for n in range(2) for d in (-1, 0, 1, 15, 16, 17)]
    for cut in {*range(0, header, 7), *edges, len(sealed_to_two) - 1}:
        with pytest.raises(BadAgeFile):
            open_bytes(sealed_to_two[:cut], [HYBRID])


@pytest.mark.parametrize("size", SIZES)
def test_a_file_cut_or_lengthened_after_whole_chunks_raises(size: int) -> None:
    sealed = seal_bytes(content(size), [CURVE.recipient()])
    start = payload_at(sealed)
    for cut in range(start, len(sealed), CHUNK + 16):
        with pytest.raises(BadAgeFile):
            open_bytes(sealed[:cut], [CURVE])
    for more in (b"\0", sealed[start:]):
        with pytest.raises(BadAgeFile):
            open_bytes(sealed + more, [CURVE])


def test_chunks_cannot_change_places() -> None:
    sealed = seal_bytes(content(3 * CHUNK), [CURVE.recipient()])
    start, step = payload_at(sealed), CHUNK + 16
    chunks = [sealed[at : at + step] for at in range(start, len(sealed), step)]
    for order in ([1, 0, 2], [0, 2], [0, 0, 1, 2], [2], [0, 1]):
        with pytest.raises(BadAgeFile):
            open_bytes(sealed[:start] + b"".join(chunks[n] for n in order), [CURVE])


def test_only_authentic_bytes_come_out_and_a_broken_file_stays_broken() -> None:
    sealed = bytearray(seal_bytes(content(3 * CHUNK), [CURVE.recipient()]))
    sealed[payload_at(bytes(sealed)) + CHUNK + 100] ^= 1
    reader = OpenReader(io.BytesIO(sealed), [CURVE])
    assert reader.read(CHUNK) == content(3 * CHUNK)[:CHUNK]
    for _ in range(3):
        with pytest.raises(BadAgeFile, match="payload"):
            reader.read(1)


def test_an_unfinished_file_does_not_open() -> None:
    out = io.BytesIO()
    with contextlib.suppress(ZeroDivisionError), SealWriter(out, [CURVE.recipient()]) as writer:
        writer.write(content(2 * CHUNK))
        raise ZeroDivisionError
    writer.close()
    with pytest.raises(BadAgeFile):
        open_bytes(out.getvalue(), [CURVE])
    with pytest.raises(ValueError, match="closed"):
        writer.write(b"more")


class Watched:
    """An identity that notes which stanzas it is asked about."""

    def __init__(self, identity: Identity) -> None:
        self.identity = identity
        self.asked: list[bytes] = []

    def unwrap(self, stanza: Stanza) -> bytes | None:
        self.asked.append(stanza.body)
        return self.identity.unwrap(stanza)


@pytest.mark.parametrize(
    ("at", "order"), [(None, [0, 1, 2]), (2, [2]), (1, [1, 0, 2]), (0, [0, 1, 2]), (9, [0, 1, 2])]
)
def test_the_stanza_at_its_own_place_is_tried_first(at: int | None, order: list[int]) -> None:
    others = [HybridIdentity.generate().recipient() for _ in range(2)]
    sealed = seal_bytes(b"text", [*others, HYBRID.recipient()])
    watched = Watched(HYBRID)
    reader = OpenReader(io.BytesIO(sealed), [watched], at=at)
    assert reader.read() == b"text"
    assert watched.asked == [reader.header.stanzas[n].body for n in order]


def with_header(stanzas: list[Stanza], file_key: bytes) -> bytes:
    return serialize_header(stanzas, file_key) + bytes(16)


def test_a_malformed_stanza_of_anothers_matters_unless_ones_own_place_is_known() -> None:
    file_key = bytes(16)
    own = HYBRID.recipient().wrap(file_key)
    for bad in (Stanza("", (), b""), own._replace(args=(b"",)), Stanza("X25519", (b"\x7f",), b"")):
        header = with_header([bad, own], file_key)
        with pytest.raises(BadAgeFile):
            read_header(io.BytesIO(header)).unwrap([HYBRID])
        assert read_header(io.BytesIO(header)).unwrap([HYBRID], at=1) == file_key
        with pytest.raises(BadAgeFile):
            read_header(io.BytesIO(header)).unwrap([HYBRID], at=0)
        with pytest.raises(BadAgeFile):
            read_header(io.BytesIO(header)).unwrap([CURVE], at=1)


@pytest.mark.parametrize("at", [None, 0, 1])
def test_a_passphrase_beside_another_stanza_is_refused(at: int | None) -> None:
    file_key = bytes(16)
    stanzas = [ScryptRecipient(b"pw", 1).wrap(file_key), CURVE.recipient().wrap(file_key)]
    header = with_header(stanzas, file_key)
    with pytest.raises(BadAgeFile, match="only stanza"):
        read_header(io.BytesIO(header)).unwrap([ScryptIdentity(b"pw")], at)


def test_a_wrong_mac_is_refused_though_the_stanza_opens() -> None:
    header = serialize_header([CURVE.recipient().wrap(bytes(16))], bytes(15) + b"1")
    for at in (None, 0):
        with pytest.raises(BadAgeFile, match="MAC"):
            read_header(io.BytesIO(header)).unwrap([CURVE], at)


def test_a_file_for_others_is_not_for_you() -> None:
    sealed = seal_bytes(b"text", [HybridIdentity.generate().recipient()])
    for identities in ([HYBRID], [CURVE], [HYBRID, CURVE], []):
        with pytest.raises(NotForYou):
            open_bytes(sealed, identities)


@pytest.mark.parametrize(
    "recipients",
    [
        [],
        [HYBRID.recipient(), CURVE.recipient()],
        [ScryptRecipient(b"pw", 1), CURVE.recipient()],
        [ScryptRecipient(b"pw", 1), ScryptRecipient(b"pw", 1)],
    ],
    ids=["nobody", "not all post-quantum", "a passphrase and a key", "two passphrases"],
)
def test_recipients_that_cannot_share_a_file_are_refused(recipients: list[Recipient]) -> None:
    out = io.BytesIO()
    with pytest.raises(BadRecipient):
        SealWriter(out, recipients)
    assert out.getvalue() == b""


def test_two_files_share_nothing() -> None:
    one, two = (read_header(io.BytesIO(seal_bytes(b"", [HYBRID.recipient()]))) for _ in range(2))
    assert one.unwrap([HYBRID]) != two.unwrap([HYBRID])
    assert one.stanzas[0].args != two.stanzas[0].args


class Endless:
    """A file whose header never ends."""

    def __init__(self, begin: bytes) -> None:
        self.begin = begin
        self.given = 0

    def read(self, n: int, /) -> bytes:
        piece, self.begin = self.begin or b"A" * n, b""
        self.given += len(piece)
        return piece


@pytest.mark.parametrize(
    "begin", [VERSION, VERSION + b"-> X25519 ", b"-----BEGIN AGE ENCRYPTED FILE-----\n", b"garbage", b" "]
)
def test_a_header_without_end_is_given_up(begin: bytes) -> None:
    endless = Endless(begin)
    with pytest.raises(BadAgeFile):
        read_header(endless)
    assert endless.given <= 2 * LONGEST


def test_memory_stays_flat(tmp_path: Path) -> None:
    block, file = content(1 << 18), tmp_path / "big.age"
    tracemalloc.start()
    try:
        with file.open("wb") as out, SealWriter(out, [CURVE.recipient()]) as writer:
            for _ in range(64):
                writer.write(block)
        with file.open("rb") as src:
            reader = OpenReader(src, [CURVE])
            while piece := reader.read(len(block)):
                assert piece == block
        assert tracemalloc.get_traced_memory()[1] < 2 << 20
    finally:
        tracemalloc.stop()
