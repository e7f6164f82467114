"""C2SP's age vectors (CCTV), each with the stage at which it must fail and what may come out until then."""

import base64
import hashlib
import io
import zlib
from dataclasses import dataclass, field

import pytest
from support.age_programs import javascript
from support.trickle import Trickle

from keys.age import (
    Identity,
    OpenReader,
    ScryptIdentity,
    open_bytes,
    parse_identity,
    read_header,
)
from keys.armor import ArmorReader, ArmorWriter
from keys.errors import BadAgeFile, NotForYou
from keys.stanza import serialize_header
from keys.streams import ExactReader, Readable

ALL = 143
SMALL = 8192  # bytes: what is read in every way


@dataclass
class Vector:
    """One vector: `expect` is the label, `payload` the SHA-256 of all plaintext that may be released."""

    file: bytes
    expect: str = ""
    payload: str = ""
    file_key: bytes = b""
    armored: bool = False
    identities: list[Identity] = field(default_factory=list)


def parse(data: bytes) -> Vector:
    head, _, file = data.partition(b"\n\n")
    vector = Vector(file)
    for line in head.decode().split("\n"):
        key, _, value = line.partition(": ")
        match key:
            case "expect" | "payload":
                setattr(vector, key, value)
            case "file key":
                vector.file_key = bytes.fromhex(value)
            case "armored":
                vector.armored = value == "yes"
            case "identity":
                vector.identities.append(parse_identity(value))
            case "passphrase":
                vector.identities.append(ScryptIdentity(value.encode()))
            case "compressed":
                vector.file = zlib.decompress(file)
            case _:
                assert key == "comment", f"a vector has an unknown key, {key}"
    return vector


@pytest.fixture(scope="module")
def vectors() -> dict[str, Vector]:
    return {name: parse(base64.b64decode(data)) for name, data in javascript({"vectors": True}).items()}


def outcome(src: Readable, identities: list[Identity], step: int) -> tuple[str, str]:
    """Gives the label that describes what happened, and the hash of what was released."""
    released = hashlib.sha256()
    try:
        reader = OpenReader(src, identities)
    except NotForYou:
        return "no match", ""
    except BadAgeFile as bad:
        return _label(bad), ""
    try:
        while piece := reader.read(step):
            released.update(piece)
    except BadAgeFile as bad:
        with pytest.raises(BadAgeFile):
            reader.read(step)
        return _label(bad), released.hexdigest()
    return "success", released.hexdigest()


def _label(bad: BadAgeFile) -> str:
    stage = bad.detail.partition(":")[0]
    return {"header MAC": "HMAC failure"}.get(stage, f"{stage} failure")


def test_every_vector_ends_as_it_says(vectors: dict[str, Vector], subtests: pytest.Subtests) -> None:
    assert len(vectors) == ALL
    for name, vector in vectors.items():
        with subtests.test(name):
            src = io.BytesIO(vector.file)
            label, released = outcome(ArmorReader(src) if vector.armored else src, vector.identities, 4096)
            assert label == vector.expect
            assert released in (vector.payload, "")
            if label in ("success", "payload failure"):
                assert released == vector.payload


def test_armor_is_found_by_itself(vectors: dict[str, Vector], subtests: pytest.Subtests) -> None:
    for name, vector in vectors.items():
        with subtests.test(name):
            label, _ = outcome(io.BytesIO(vector.file), vector.identities, 4096)
            # Garbage before armor makes it no armor at all, nor anything else.
            assert label == ("header failure" if name == "armor_garbage_leading" else vector.expect)


def test_short_reads_change_nothing(vectors: dict[str, Vector], subtests: pytest.Subtests) -> None:
    small = {name: vector for name, vector in vectors.items() if len(vector.file) <= SMALL}
    assert len(small) > 100
    for name, vector in small.items():
        with subtests.test(name):
            whole = outcome(io.BytesIO(vector.file), vector.identities, 1000)
            assert outcome(Trickle(vector.file), vector.identities, 7) == whole


def test_headers_are_written_as_they_were_read(vectors: dict[str, Vector], subtests: pytest.Subtests) -> None:
    for name, vector in vectors.items():
        if vector.expect in ("success", "no match", "payload failure") and vector.file_key:
            with subtests.test(name):
                header = read_header(io.BytesIO(vector.file))
                written = serialize_header(header.stanzas, vector.file_key)
                assert written.startswith(header.signed)
                assert vector.armored or vector.file.startswith(written)


def test_armor_is_written_as_it_was_read(vectors: dict[str, Vector], subtests: pytest.Subtests) -> None:
    for name, vector in vectors.items():
        if vector.armored and vector.expect == "success":
            with subtests.test(name):
                plain = ExactReader(ArmorReader(io.BytesIO(vector.file))).read(SMALL)
                out = io.BytesIO()
                writer = ArmorWriter(out)
                for at in range(0, len(plain), 31):
                    writer.write(plain[at : at + 31])
                writer.close()
                assert out.getvalue().strip() == vector.file.replace(b"\r\n", b"\n").strip()
                assert open_bytes(out.getvalue(), vector.identities) == open_bytes(plain, vector.identities)
