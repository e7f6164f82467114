"""A drop sealed as it arrives is the same file that `seal` writes of files it knows beforehand."""

from __future__ import annotations

import io
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from keys.age import CHUNK, HybridIdentity, OpenReader
from keys.arriving import Arriving
from keys.drop import Attachment, DropReader, seal
from keys.errors import BadDrop
from keys.letter import Letter

ADA, BO = HybridIdentity(bytes(32)), HybridIdentity(bytes([1]) * 32)
READERS = {"ada": ADA.recipient(), "bo": BO.recipient()}
LETTER = Letter(newsroom="post", thread=bytes(32), language="en", to=("ada",), answers={"when": "now"})
EDGES = [0, 1, 511, 512, 513, CHUNK - 1024, CHUNK - 512, CHUNK - 511, CHUNK, CHUNK + 1, 2 * CHUNK + 512]


class File:
    """Takes bytes at their places, and refuses to take any twice."""

    def __init__(self) -> None:
        self.data = bytearray()
        self.taken: set[range] = set()

    def __call__(self, at: int, data: bytes) -> None:
        place = range(at, at + len(data))
        assert not any(set(place[:1]) & set(other) or at in other for other in self.taken)
        self.taken.add(place)
        self.data.extend(bytes(max(0, place.stop - len(self.data))))
        self.data[at : place.stop] = data


def arrive(text: str, files: Sequence[tuple[str, Sequence[bytes]]]) -> bytes:
    """The age file, once every byte of it was handed over once."""
    out = File()
    arriving = Arriving(out, LETTER, text, READERS)
    for name, pieces in files:
        arriving.begin(name)
        for piece in pieces:
            arriving.write(piece)
        arriving.end()
    for _ in arriving.close():
        pass
    assert sum(map(len, out.taken)) == len(out.data) == arriving.size
    return bytes(out.data)


def plain(sealed: bytes) -> bytes:
    return OpenReader(io.BytesIO(sealed), [ADA]).read()


def content(size: int, seed: int) -> bytes:
    return bytes((seed + n) % 251 for n in range(size))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(EDGES) | st.integers(0, 3 * CHUNK), st.integers(1, CHUNK)), max_size=4
    ),
    st.text("aé", max_size=40),
)
def test_it_is_the_tar_that_seal_writes(files: list[tuple[int, int]], text: str) -> None:
    whole = [(f"{n}.bin", content(size, n), step) for n, (size, step) in enumerate(files)]
    sealed = arrive(
        text,
        [(name, [data[at : at + step] for at in range(0, len(data), step)]) for name, data, step in whole],
    )
    known = io.BytesIO()
    attached = [Attachment(name, len(data), io.BytesIO(data)) for name, data, _ in whole]
    seal(known, LETTER, text, attached, READERS)
    assert plain(sealed) == plain(known.getvalue())
    assert len(sealed) == len(known.getvalue())


def test_many_small_files_and_a_large_one_share_chunks() -> None:
    files = [(f"{n}.txt", [content(n, n)]) for n in range(300)] + [("large", [content(CHUNK, 3)] * 5)]
    reader = DropReader(io.BytesIO(arrive("hello", files)), [ADA])
    found = [(file.name, file.read(1 << 30)) for file in _read(reader)]
    assert [name for name, _ in found] == [name for name, _ in files]
    assert found[-1][1].startswith(content(CHUNK, 3))


def _read(reader: DropReader):  # type: ignore[no-untyped-def]
    yield from reader.files()


def test_only_the_chosen_can_open_it() -> None:
    sealed = arrive("for ada", [])
    assert OpenReader(io.BytesIO(sealed), [ADA]).header.stanzas
    with pytest.raises(Exception, match="none of these identities"):
        OpenReader(io.BytesIO(sealed), [BO])


def test_two_files_of_one_name_are_told_apart() -> None:
    reader = DropReader(
        io.BytesIO(arrive("", [("a.txt", [b"1"]), ("A.TXT", [b"2"]), ("../a", [b"3"])])), [ADA]
    )
    assert [file.name for file in reader.files()] == ["a.txt", "A-2.TXT", "_a"]


def test_at_most_one_chunk_waits_in_the_clear() -> None:
    out = File()
    arriving = Arriving(out, LETTER, "", READERS)
    arriving.begin("large")
    for n in range(1, 20):
        arriving.write(bytes(CHUNK))
        kept = arriving.size - sum(map(len, out.taken))
        assert kept <= 2 * (CHUNK + 16), n


@pytest.mark.parametrize(
    "misuse",
    [
        lambda one: (one.begin("a"), one.begin("b")),
        lambda one: one.end(),
        lambda one: (one.begin("a"), list(one.close())),
    ],
)
def test_out_of_order_is_a_mistake(misuse) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(ValueError, match="arriving"):
        misuse(Arriving(File(), LETTER, "", READERS))


def test_what_no_reader_takes_is_refused() -> None:
    with pytest.raises(BadDrop):
        Arriving(File(), LETTER, "a" * (256 << 10) + "a", READERS)
    with pytest.raises(BadDrop):
        Arriving(File(), LETTER, "", {"bo": BO.recipient()})
    with pytest.raises(BadDrop):
        Arriving(File(), LETTER, "", READERS).write(b"of no file")
