"""The tar of a drop (FORMAT.md section 2)."""

import io
import tarfile
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.vectors import cases

from keys import tar
from keys.errors import BadDrop


class Trickle(io.BytesIO):
    """Gives at most so many bytes a read."""

    def __init__(self, data: bytes, most: int) -> None:
        super().__init__(data)
        self.most = most

    def read(self, n: int | None = -1) -> bytes:
        return super().read(self.most if n is None or n < 0 else min(n, self.most))


def read(data: bytes, most: int = 1 << 20) -> list[tuple[str, bytes]]:
    reader = tar.TarReader(Trickle(data, most))
    members = []
    while member := reader.next():
        members.append((member[0], reader.all(1 << 20)))
        assert len(members[-1][1]) == member[1]
    return members


def write(members: list[tuple[str, bytes]], extra: int = 0) -> bytes:
    out = io.BytesIO()
    writer = tar.TarWriter(out)
    for name, data in members:
        writer.add(name, data)
    writer.end(lambda length: length + extra)
    return out.getvalue()


MEMBERS = st.lists(st.tuples(st.text("abé", min_size=1, max_size=40), st.binary(max_size=1100)), max_size=4)


@cases("tar")
def test_vectors(case: dict[str, Any]) -> None:
    header = bytes.fromhex(case["header"])
    assert tar.header(case["name"], case["size"]) == header
    assert tar.TarReader(io.BytesIO(header)).next() == (case["name"], case["size"])


@given(MEMBERS, st.integers(0, 3000), st.integers(1, 600))
def test_reading_inverts_writing_however_it_arrives(
    members: list[tuple[str, bytes]], extra: int, most: int
) -> None:
    assert read(write(members, extra), most) == members


@given(MEMBERS)
def test_tarfile_reads_what_we_write(members: list[tuple[str, bytes]]) -> None:
    with tarfile.open(fileobj=io.BytesIO(write(members))) as other:
        found = [(info.name, other.extractfile(info)) for info in other.getmembers()]
        assert [(name, file.read() if file else b"") for name, file in found] == members


@given(
    st.binary(max_size=4096)
    | st.tuples(MEMBERS, st.integers(0, 5000), st.binary(max_size=20)).map(
        lambda given: (whole := write(given[0]))[: given[1]] + given[2] + whole[given[1] + len(given[2]) :]
    )
)
def test_any_bytes_are_a_tar_or_refused_in_one_way(data: bytes) -> None:
    try:
        members = read(data)
    except BadDrop:
        return
    assert write(members) == data[: len(write(members))]


@given(MEMBERS, st.data())
def test_no_truncated_tar_is_read(members: list[tuple[str, bytes]], data: st.DataObject) -> None:
    whole = write(members)
    with pytest.raises(BadDrop):
        read(whole[: data.draw(st.integers(0, len(whole) - 1))])


@pytest.mark.parametrize(("name", "size"), [("", 0), ("a" * 101, 0), ("a\0b", 0), ("a", -1), ("a", 8**11)])
def test_what_fits_no_header_is_refused(name: str, size: int) -> None:
    with pytest.raises(ValueError, match="does not fit"):
        tar.header(name, size)


def test_a_source_that_became_shorter_is_refused() -> None:
    with pytest.raises(BadDrop, match="became shorter"):
        tar.TarWriter(io.BytesIO()).copy("a", 10, io.BytesIO(b"nine byte"))


def test_what_is_left_of_a_member_is_skipped() -> None:
    reader = tar.TarReader(io.BytesIO(write([("a", b"x" * 5000), ("b", b"y")])))
    assert reader.next() == ("a", 5000)
    assert reader.read(10) == b"x" * 10
    assert reader.next() == ("b", 1)
    assert reader.read(10) == b"y"
    assert reader.read(10) == b""
    assert reader.next() is None


def test_a_member_over_its_limit_is_refused_unread() -> None:
    reader = tar.TarReader(io.BytesIO(tar.header("a", tar.LARGEST)))
    reader.next()
    with pytest.raises(BadDrop, match="larger than 10 bytes"):
        reader.all(10)


@pytest.mark.parametrize("at", [3, 511, 512 + 3])
def test_hidden_bytes_are_refused(at: int) -> None:
    whole = bytearray(write([("a", b"x")], extra=512))
    whole[len(whole) - 1536 + at] = 1
    with pytest.raises(BadDrop, match=r"hidden behind its end|header"):
        read(bytes(whole))


def test_bytes_behind_a_file_are_refused() -> None:
    whole = bytearray(write([("a", b"x")]))
    whole[512 + 1] = 1
    with pytest.raises(BadDrop, match="hidden behind a file"):
        read(bytes(whole))
