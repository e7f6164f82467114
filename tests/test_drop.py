"""Drops: what is sealed opens, and what is hostile does not (FORMAT.md section 2)."""

import contextlib
import io
import subprocess
import sys
import tarfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey
from support.vectors import cases

from keys.age import HybridIdentity, OpenReader, open_bytes, read_header, seal_bytes
from keys.drop import MOST_FILES, Attachment, DropReader, padded, seal, seal_cover
from keys.errors import BadAgeFile, BadDrop, NotForYou
from keys.letter import Letter
from keys.tar import TarWriter

ADA, BEA, EVE = HybridIdentity.generate(), HybridIdentity.generate(), HybridIdentity.generate()
RECIPIENTS = {"ada": ADA.recipient(), "bea": BEA.recipient()}
LETTER = Letter(newsroom="5d41402abc4b2a76", thread=bytes(32), language="en", to=("bea",))
NOTE = replace(LETTER, author="ada", to=("ada", "bea"))
SIGNING = SigningKey(b"a" * 32)


def sealed(
    letter: Letter = LETTER,
    text: str = "hello",
    files: dict[str, bytes] | None = None,
    signing: SigningKey | None = None,
) -> bytes:
    out = io.BytesIO()
    attachments = [Attachment(name, len(data), io.BytesIO(data)) for name, data in (files or {}).items()]
    seal(out, letter, text, attachments, RECIPIENTS, signing)
    return out.getvalue()


def opened(
    data: bytes, who: HybridIdentity = BEA, at: int | None = None
) -> tuple[Letter, str, dict[str, bytes]]:
    drop = DropReader(io.BytesIO(data), [who], at)
    files = {file.name: file.read(file.size) for file in drop.files()}
    return drop.letter, drop.text, files


@cases("padding")
def test_padding_vectors(case: dict[str, Any]) -> None:
    assert padded(case["length"]) == case["padded"]


@given(st.integers(1024, 1 << 40))
def test_padding_costs_little_and_is_stable(length: int) -> None:
    size = padded(length)
    assert length <= size <= max(16384, length * 1.12)
    assert padded(size) == size


TEXTS = st.text(st.characters(codec="utf-8"), max_size=200)
FILES = st.dictionaries(
    st.from_regex(r"[a-z]{1,8}\.[a-z]{1,3}", fullmatch=True), st.binary(max_size=3000), max_size=4
)


@settings(max_examples=30, deadline=None)
@given(TEXTS, FILES)
def test_open_inverts_seal(text: str, files: dict[str, bytes]) -> None:
    files = {
        name: data for name, data in files.items() if name.split(".")[0] not in ("con", "prn", "aux", "nul")
    }
    assert opened(sealed(text=text, files=files)) == (LETTER, text, files)


@pytest.mark.parametrize("size", [65536 - 4096, 65536 - 3072, (1 << 20) - 3072, 1 << 20, (1 << 20) + 1])
def test_files_around_the_chunks_of_age(size: int) -> None:
    data = bytes(range(256)) * (size // 256) + b"x" * (size % 256)
    assert opened(sealed(files={"a.bin": data}))[2] == {"a.bin": data}


def test_the_stanza_count_never_tells_who_was_chosen() -> None:
    one, all_of_them = sealed(), sealed(replace(LETTER, to=("ada", "bea")))
    for data in (one, all_of_them):
        stanzas = read_header(io.BytesIO(data)).stanzas
        assert [(stanza.type, len(stanza.body)) for stanza in stanzas] == [("mlkem768x25519", 32)] * 2
    assert len(one) == len(all_of_them)


def test_only_the_chosen_open_it() -> None:
    assert opened(sealed())[0] == LETTER
    for other in (ADA, EVE):
        with pytest.raises(NotForYou):
            opened(sealed(), other)


@pytest.mark.parametrize("at", [None, 0, 1, 7])
def test_the_own_place_is_only_a_hint(at: int | None) -> None:
    assert opened(sealed(), at=at)[1] == "hello"


def test_short_messages_are_all_alike() -> None:
    note = sealed(NOTE, "x" * 7660, signing=SIGNING)
    cover = io.BytesIO()
    seal_cover(cover, 2)
    assert len(sealed(text="")) == len(sealed(text="x" * 9000)) == len(note) == len(cover.getvalue())
    for nobody in (ADA, BEA):
        with pytest.raises(NotForYou):
            opened(cover.getvalue(), nobody)


def test_gnu_tar_extracts_what_age_decrypts(tmp_path: Path) -> None:
    files = {"a b.txt": b"one", "é.bin": b"\0" * 70_000, "x" * 94: b""}
    plain = open_bytes(sealed(files=files, text="hello\n"), [BEA])
    subprocess.run(["tar", "x", "-C", tmp_path], input=plain, check=True)
    assert {path.name: path.read_bytes() for path in (tmp_path / "files").iterdir()} == files
    assert (tmp_path / "message.txt").read_text() == "hello\n"
    assert (tmp_path / "files" / "a b.txt").stat().st_mode & 0o777 == 0o600


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_no_cut_or_altered_drop_opens(data: st.DataObject) -> None:
    whole = bytearray(sealed(files={"a.txt": b"x" * 100}))
    at = data.draw(st.integers(0, len(whole) - 1))
    if data.draw(st.booleans()):
        del whole[at:]
    else:
        whole[at] ^= data.draw(st.integers(1, 255))
    with pytest.raises((BadAgeFile, NotForYou)):
        opened(bytes(whole))


@settings(max_examples=60, deadline=None)
@given(st.binary(max_size=3000))
def test_any_plaintext_is_a_drop_or_refused_in_one_way(plain: bytes) -> None:
    with contextlib.suppress(BadDrop):
        opened(seal_bytes(plain, [BEA.recipient()]))


class Trickle(io.BytesIO):
    def read(self, n: int | None = -1) -> bytes:
        return super().read(min(7, 7 if n is None or n < 0 else n))


def test_it_opens_alike_however_it_arrives() -> None:
    data = sealed(files={"a.txt": b"x" * 600})
    drop = DropReader(Trickle(data), [BEA])
    assert [file.read(600) for file in drop.files()] == [b"x" * 600]


# Hostile tars, one by one.


def tarred(build: Callable[[TarWriter, io.BytesIO], None], letter: Letter = LETTER) -> bytes:
    """A drop whose tar begins as it must and goes on as `build` says."""
    plain = io.BytesIO()
    writer = TarWriter(plain)
    writer.add("drop.json", letter.to_json())
    writer.add("message.txt", b"hello")
    build(writer, plain)
    writer.end(padded)
    return seal_bytes(plain.getvalue(), [BEA.recipient()])


def named(*names: str) -> Callable[[TarWriter, io.BytesIO], None]:
    def build(writer: TarWriter, _: io.BytesIO) -> None:
        for name in names:
            writer.add(name, b"x")

    return build


def other(
    kind: bytes = tarfile.REGTYPE, form: int = tarfile.USTAR_FORMAT, **fields: Any
) -> Callable[..., None]:
    """A member as another program might write it."""

    def build(_: TarWriter, plain: io.BytesIO) -> None:
        info = tarfile.TarInfo("files/a")
        info.type, info.mode = kind, 0o600
        for name, value in fields.items():
            setattr(info, name, value)
        plain.write(info.tobuf(form))
        plain.write(bytes(-(-info.size // 512) * 512 if kind in tarfile.REGULAR_TYPES else 0))

    return build


def patched(at: int, value: bytes, *, summed: bool = True) -> Callable[..., None]:
    """A member whose header is altered, with or without a checksum to match."""

    def build(writer: TarWriter, plain: io.BytesIO) -> None:
        start = plain.tell()
        writer.add("files/a", b"x")
        block = bytearray(plain.getvalue()[start : start + 512])
        block[at : at + len(value)] = value
        if summed:
            block[148:156] = b"%06o\0 " % (sum(block[:148]) + 256 + sum(block[156:]))
        plain.seek(start)
        plain.write(block)
        plain.seek(0, io.SEEK_END)

    return build


ZOO = {
    "parent": named("files/.."),
    "path upwards": named("files/../../etc/cron.d/x"),
    "absolute": named("/etc/passwd"),
    "absolute inside": named("files//etc/passwd"),
    "sub-folder": named("files/a/b"),
    "beside files": named("other.txt"),
    "files alone": named("files/"),
    "second message": named("message.txt"),
    "second drop.json": named("drop.json"),
    "signature on a drop": named("drop.sig"),
    "hidden": named("files/.bashrc"),
    "option": named("files/-rf"),
    "backslash": named("files/a\\b"),
    "escape sequence": named("files/a\x1b]0;x\x07"),
    "line feed": named("files/a\nb"),
    "bidi override": named("files/a\u202efdp.exe"),
    "device name": named("files/CON.txt"),
    "decomposed": named("files/e\u0301"),
    "case duplicate": named("files/a.txt", "files/A.TXT"),
    "folded duplicate": named("files/straße", "files/STRASSE"),
    "same twice": named("files/a", "files/a"),
    "too many": named(*(f"files/{number}" for number in range(MOST_FILES + 1))),
    "name not UTF-8": patched(6, b"\xff"),
    "symbolic link": other(tarfile.SYMTYPE, linkname="/etc/passwd"),
    "hard link": other(tarfile.LNKTYPE, linkname="message.txt"),
    "character device": other(tarfile.CHRTYPE, devmajor=1, devminor=3),
    "block device": other(tarfile.BLKTYPE, devmajor=8),
    "pipe": other(tarfile.FIFOTYPE),
    "folder": other(tarfile.DIRTYPE),
    "contiguous file": other(tarfile.CONTTYPE),
    "old regular file": other(tarfile.AREGTYPE),
    "pax header": other(form=tarfile.PAX_FORMAT, pax_headers={"path": "/etc/passwd"}),
    "pax global header": patched(156, b"g"),
    "pax type": patched(156, b"x"),
    "long name": other(form=tarfile.GNU_FORMAT, name="files/" + "a" * 200),
    "long link": patched(156, b"K"),
    "sparse": patched(156, b"S"),
    "multi-volume": patched(156, b"M"),
    "volume label": patched(156, b"V"),
    "gnu magic": patched(257, b"ustar  \0"),
    "no magic": patched(257, bytes(8)),
    "prefix": patched(345, b"/etc"),
    "link name": patched(157, b"x"),
    "owner's name": patched(265, b"root"),
    "owner": patched(108, b"0000001\0"),
    "time": patched(136, b"14000000000\0"),
    "executable": patched(100, b"0000755\0"),
    "set-uid": patched(100, b"0004600\0"),
    "device number": patched(329, b"0000001\0"),
    "spaces in the size": patched(124, b"          1\0"),
    "negative size": patched(124, b"-0000000001\0"),
    "binary size": patched(124, b"\x80" + bytes(10) + b"\x01"),
    "size too large": patched(124, b"77777777777\0"),
    "size lies upwards": patched(124, b"00000200001\0"),
    "size lies downwards": patched(124, b"00000000000\0"),
    "wrong checksum": patched(0, b"g", summed=False),
    "bytes after the header": patched(500, b"x"),
    "name behind a NUL": patched(20, b"x"),
}  # fmt: skip


@pytest.mark.parametrize("build", ZOO.values(), ids=ZOO)
def test_hostile_tars_are_refused(build: Callable[..., None]) -> None:
    with pytest.raises(BadDrop):
        opened(tarred(build))


def test_the_zoo_is_refused_for_what_it_holds() -> None:
    assert opened(tarred(named("files/a", "files/b")))[2] == {"a": b"x", "b": b"x"}
    assert opened(tarred(patched(0, b"files/c")))[2] == {"c": b"x"}
    assert len(opened(tarred(named(*(f"files/{number}" for number in range(MOST_FILES)))))[2]) == MOST_FILES


@pytest.mark.parametrize(
    "members",
    [
        [],
        [("message.txt", b"")],
        [("message.txt", b""), ("drop.json", LETTER.to_json())],
        [("drop.json", LETTER.to_json())],
        [("drop.json", LETTER.to_json()), ("files/a", b"x"), ("message.txt", b"")],
        [("drop.json", b"{}"), ("message.txt", b"")],
        [("drop.json", LETTER.to_json()), ("message.txt", b"\xff")],
        [("drop.json", LETTER.to_json()), ("message.txt", b"x" * ((256 << 10) + 1))],
        [("drop.json", LETTER.to_json().ljust((256 << 10) + 1)), ("message.txt", b"")],
    ],
)
def test_members_out_of_place_or_too_large_are_refused(members: list[tuple[str, bytes]]) -> None:
    plain = io.BytesIO()
    writer = TarWriter(plain)
    for name, data in members:
        writer.add(name, data)
    writer.end(padded)
    with pytest.raises(BadDrop):
        opened(seal_bytes(plain.getvalue(), [BEA.recipient()]))


def test_a_file_is_read_in_its_turn_or_not_at_all() -> None:
    drop = DropReader(io.BytesIO(sealed(files={"a": b"one", "b": b"two"})), [BEA])
    first, second = drop.files()
    for file in (first, second):
        with pytest.raises(ValueError, match="turn"):
            file.read(3)


# Notes.


def test_a_note_is_signed_by_its_author() -> None:
    drop = DropReader(io.BytesIO(sealed(NOTE, "for bea", {"a.txt": b"x"}, SIGNING)), [BEA])
    assert [file.name for file in drop.files()] == ["a.txt"]
    assert drop.signed_by(bytes(SIGNING.verify_key))
    assert not drop.signed_by(bytes(SigningKey(b"b" * 32).verify_key))
    assert not drop.signed_by(b"no key")


def signature_of(note: bytes) -> bytes:
    plain = open_bytes(note, [BEA])
    with tarfile.open(fileobj=io.BytesIO(plain)) as members:
        signature = members.extractfile("drop.sig")
        assert signature is not None
        return signature.read()


def with_signature(letter: Letter, *signatures: bytes, behind: str = "") -> bytes:
    def build(writer: TarWriter, _: io.BytesIO) -> None:
        for signature in signatures:
            writer.add("drop.sig", signature)
        if behind:
            writer.add(behind, b"x")

    return tarred(build, letter)


def test_a_signature_covers_everything_before_it() -> None:
    signature = signature_of(sealed(NOTE, "hello", signing=SIGNING))
    for letter, right in ((NOTE, True), (replace(NOTE, to=("bea",)), False)):
        drop = DropReader(io.BytesIO(with_signature(letter, signature)), [BEA])
        assert list(drop.files()) == []
        assert drop.signed_by(bytes(SIGNING.verify_key)) is right


@pytest.mark.parametrize(
    "note",
    [
        with_signature(NOTE),
        with_signature(NOTE, bytes(63)),
        with_signature(NOTE, bytes(65)),
        with_signature(NOTE, bytes(64), bytes(64)),
        with_signature(NOTE, bytes(64), behind="files/a"),
        with_signature(LETTER, bytes(64)),
    ],
    ids=["none", "short", "long", "twice", "not last", "on a drop"],
)
def test_misplaced_signatures_are_refused(note: bytes) -> None:
    with pytest.raises(BadDrop):
        opened(note)


# What is not sealed.


@pytest.mark.parametrize(
    ("letter", "text", "names", "signing"),
    [
        (replace(LETTER, to=("eve",)), "", [], None),
        (replace(LETTER, to=()), "", [], None),
        (replace(LETTER, newsroom="../x"), "", [], None),
        (LETTER, "x" * ((256 << 10) + 1), [], None),
        (LETTER, "", ["../x"], None),
        (LETTER, "", ["a", "A"], None),
        (LETTER, "", [f"{number}" for number in range(MOST_FILES + 1)], None),
        (LETTER, "", [], SIGNING),
        (NOTE, "", [], None),
    ],
)
def test_what_no_reader_takes_is_not_sealed(
    letter: Letter, text: str, names: list[str], signing: SigningKey | None
) -> None:
    out = io.BytesIO()
    with pytest.raises(BadDrop):
        seal(out, letter, text, [Attachment(name, 0, io.BytesIO()) for name in names], RECIPIENTS, signing)
    assert out.getvalue() == b""


def test_a_file_that_became_shorter_leaves_no_whole_drop() -> None:
    out = io.BytesIO()
    with pytest.raises(BadDrop, match="became shorter"):
        seal(out, LETTER, "", [Attachment("a", 100_000, io.BytesIO(b"x" * 99_999))], RECIPIENTS)
    with pytest.raises(BadAgeFile):
        opened(out.getvalue())


MEMORY = """
import sys, resource
from keys.age import HybridIdentity
from keys.drop import Attachment, DropReader, seal
from keys.letter import Letter

class Endless:
    def read(self, n):
        return b"x" * n

identity = HybridIdentity.generate()
letter = Letter(newsroom="n", thread=bytes(32), language="en", to=("ada",))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
size = 300 << 20
with open(sys.argv[1], "wb") as out:
    seal(out, letter, "", [Attachment("a", size, Endless())], {"ada": identity.recipient()})
with open(sys.argv[1], "rb") as source:
    for file in DropReader(source, [identity]).files():
        read = sum(map(len, iter(lambda: file.read(1 << 20), b"")))
assert read == size, read
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_memory_stays_flat(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", MEMORY, tmp_path / "drop.age"], capture_output=True, text=True, check=True
    )
    (tmp_path / "drop.age").unlink()
    assert int(done.stdout) < 24 << 10, "KiB more than before a drop of 300 MiB"


def test_no_byte_is_given_before_it_is_authenticated() -> None:
    whole = bytearray(sealed(files={"a.bin": b"x" * 200_000}))
    whole[-20_000] ^= 1
    reader = OpenReader(io.BytesIO(bytes(whole)), [BEA])
    drop = DropReader(io.BytesIO(bytes(whole)), [BEA])
    assert drop.text == "hello"
    with pytest.raises(BadAgeFile):
        list(drop.files())
    with pytest.raises(BadAgeFile):
        reader.read()
