"""Whose key a file holds, before apt is told to trust all that is in it."""

import base64
from pathlib import Path

import pytest
import torproject
from support.box_room import inventory

# The first packet of Debian's key for its stable release 12.
DEBIAN = base64.b64decode("mDMEY865UxYJKwYBBAHaRw8BAQdAd7Z0srwuhlB6JKFkcf4HU4SSS/xcRfwEQWzrcrf6AEq0")[:-1]
KNOWN = "4D64FEC119C2029067D6E791F8D2585B8783D481"
BODY = DEBIAN[2:]
NAME = b"\xb4\x04Name"


def armored(data: bytes, head: str = "", tail: str = "\n=AAAA") -> str:
    text = base64.b64encode(data).decode()
    lines = "\n".join(text[at : at + 64] for at in range(0, len(text), 64))
    return (
        f"-----BEGIN PGP PUBLIC KEY BLOCK-----\n{head}\n{lines}{tail}\n-----END PGP PUBLIC KEY BLOCK-----\n"
    )


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (DEBIAN, [KNOWN]),
        (DEBIAN + NAME, [KNOWN]),
        (DEBIAN + NAME + DEBIAN, [KNOWN, KNOWN]),
        (b"\x99" + len(BODY).to_bytes(2) + BODY, [KNOWN]),
        (b"\x9a" + len(BODY).to_bytes(4) + BODY, [KNOWN]),
        (b"\xc6" + bytes([len(BODY)]) + BODY, [KNOWN]),
        (b"\xc6\xff" + len(BODY).to_bytes(4) + BODY, [KNOWN]),
        (NAME, []),
        (DEBIAN[:-1], []),
        (b"\x9b" + BODY, []),
        (b"\xc6\xe1" + BODY, []),
        (b"\xc6\xff\0", []),
        (b"\x33" + DEBIAN, []),
    ],
)
def test_every_key_of_a_file_is_seen_or_none(data: bytes, found: list[str]) -> None:
    assert torproject.fingerprints(armored(data)) == found


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (armored(DEBIAN, head="Version: 1\n"), [KNOWN]),
        (armored(DEBIAN, tail=""), [KNOWN]),
        (armored(DEBIAN).replace("\n", "\r\n"), [KNOWN]),
        (armored(DEBIAN) * 2, []),
        (armored(DEBIAN)[:-9], []),
        ("", []),
        (armored(DEBIAN).replace("mDME", "mD*E"), []),
    ],
)
def test_one_block_and_nothing_beside_it(text: str, found: list[str]) -> None:
    assert torproject.fingerprints(text) == found


def test_without_that_very_key_there_is_no_tor_of_theirs(
    newsroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = newsroom.read_text()
    assert inventory(newsroom)["newsroom_torproject"] is False
    newsroom.write_text(text.replace("{host: 192.0.2.7}", "{host: 192.0.2.7, tor: torproject}"))
    (missing,) = inventory(newsroom)["newsroom_problems"]
    assert missing["sentence"] == "torproject.asc is not the key of the Tor Project's packages"
    assert torproject.FINGERPRINT in missing["remedy"]
    (newsroom.parent / "torproject.asc").write_text(armored(DEBIAN))
    assert inventory(newsroom)["newsroom_problems"] == [missing]
    monkeypatch.setattr(torproject, "FINGERPRINT", KNOWN)
    assert inventory(newsroom)["newsroom_problems"] == []
