"""Onion keys and addresses are tor's own."""

import base64
import subprocess
import time
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from nacl.public import PrivateKey
from support.tor import TOR

from keys import onion
from keys.errors import BadOnion
from keys.onion import ClientKey, ServiceKey

ADDRESS = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"
KEY = ServiceKey.generate()
CLIENT = ClientKey.generate()
HEAD = b"== ed25519v1-secret: type0 ==\0\0\0"


def let_tor_read(folder: Path) -> None:
    """Lets tor make a service of a folder without a `hostname`, which it writes last; no network is used."""
    torrc = folder.parent / "torrc"
    torrc.touch()
    words = ["-f", torrc, "--defaults-torrc", torrc, "--DataDirectory", folder.parent / "data"]
    words += ["--DisableNetwork", "1", "--SocksPort", "0", "--Log", "err stderr"]
    words += ["--HiddenServiceDir", folder, "--HiddenServicePort", "80 unix:/nowhere"]
    with subprocess.Popen([TOR, *words], stdout=subprocess.DEVNULL) as tor:
        while tor.poll() is None and not (folder / "hostname").exists():
            time.sleep(0.01)
        tor.terminate()


def service(folder: Path, key: ServiceKey) -> Path:
    folder.mkdir(mode=0o700)
    for name, data in key.files().items():
        (folder / name).write_bytes(data)
        (folder / name).chmod(0o600)
    return folder


def test_an_address_of_the_world_stands_for_its_key() -> None:
    assert onion.address(onion.parse_address(ADDRESS)) == ADDRESS


@pytest.mark.parametrize("at", range(56))
def test_every_typing_error_is_caught(at: int) -> None:
    wrong = "a" if ADDRESS[at] != "a" else "b"
    with pytest.raises(BadOnion):
        onion.parse_address(ADDRESS[:at] + wrong + ADDRESS[at + 1 :])


@pytest.mark.parametrize("public", [bytes(32), b"\1" + bytes(31), b"\xff" * 32], ids=["zero", "one", "past"])
def test_an_address_of_no_key_is_refused(public: bytes) -> None:
    with pytest.raises(BadOnion, match="stands for no key"):
        onion.parse_address(onion.address(public))


def test_a_second_address_of_the_same_service_is_refused() -> None:
    """A key plus the point of order two: tor would refuse it, and so do we."""
    flipped = 2**255 - 19 - int.from_bytes(KEY.public[:31] + bytes([KEY.public[31] & 127]), "little")
    public = bytearray(flipped.to_bytes(32, "little"))
    public[31] |= (KEY.public[31] & 128) ^ 128
    with pytest.raises(BadOnion, match="stands for no key"):
        onion.parse_address(onion.address(bytes(public)))


@given(
    st.text()
    | st.binary(min_size=35, max_size=35).map(lambda b: base64.b32encode(b).decode().lower() + ".onion")
)
@example(ADDRESS.upper())
@example(ADDRESS + "\n")
@example(ADDRESS.removesuffix(".onion"))
@example("www." + ADDRESS)
def test_any_text_is_refused_one_way(text: str) -> None:
    with pytest.raises(BadOnion):
        onion.parse_address(text)


@given(st.binary(max_size=120) | st.binary(min_size=64, max_size=64).map(lambda b: HEAD + b))
def test_any_bytes_are_a_service_key_or_refused(data: bytes) -> None:
    try:
        key = ServiceKey.parse(data)
    except BadOnion:
        return
    assert key.files()[onion.SECRET_FILE] == data
    assert onion.parse_address(key.address) == key.public


def test_a_service_key_is_read_as_it_is_written() -> None:
    assert ServiceKey.parse(KEY.files()[onion.SECRET_FILE]) == KEY
    assert ServiceKey.generate() != KEY


def test_a_key_is_of_one_address() -> None:
    data = KEY.files()[onion.SECRET_FILE]
    assert onion.is_key_of(data, KEY.address)
    for other, name in ((data, ServiceKey.generate().address), (data, ""), (b"", KEY.address)):
        assert not onion.is_key_of(other, name)


def test_secrets_are_not_shown() -> None:
    assert KEY.expanded.hex() not in repr(KEY)
    assert repr(KEY.expanded) not in repr(KEY)
    assert repr(CLIENT) == "ClientKey()"


def test_tor_takes_our_keys_and_keeps_the_address(tmp_path: Path) -> None:
    folder = service(tmp_path / "service", KEY)
    (folder / "hostname").unlink()
    let_tor_read(folder)
    files = {name: (folder / name).read_bytes() for name in KEY.files()}
    assert files == KEY.files()


def test_tors_own_keys_have_the_address_that_tor_says(tmp_path: Path) -> None:
    folder = tmp_path / "service"
    let_tor_read(folder)
    key = ServiceKey.parse((folder / "hs_ed25519_secret_key").read_bytes())
    assert key.files() == {name: (folder / name).read_bytes() for name in key.files()}


def test_a_clients_halves_belong_together() -> None:
    secret = base64.b32decode(CLIENT.prompt + "====")
    public = base64.b32encode(bytes(PrivateKey(secret).public_key)).decode().rstrip("=")
    assert CLIENT.public_line == f"descriptor:x25519:{public}"
    assert CLIENT.private_line(ADDRESS) == f"{ADDRESS[:56]}:descriptor:x25519:{CLIENT.prompt}"
    assert ClientKey.parse(CLIENT.private_line(ADDRESS) + "\n") == (ADDRESS, CLIENT)


def test_a_client_key_is_for_a_real_address() -> None:
    with pytest.raises(BadOnion):
        CLIENT.private_line(ADDRESS.replace("d", "e"))


LINE = CLIENT.private_line(ADDRESS)


@pytest.mark.parametrize(
    "text", ["", LINE[1:], LINE[:-1], LINE + "A", LINE.replace("x25519", "x448"), LINE[:-1] + "9", "a" + LINE]
)
def test_a_broken_auth_private_file_is_refused(text: str) -> None:
    with pytest.raises(BadOnion):
        ClientKey.parse(text)


def test_a_last_letter_with_bits_too_many_is_refused() -> None:
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    with pytest.raises(BadOnion, match="last letter"):
        ClientKey.parse(LINE[:-1] + letters[letters.index(LINE[-1]) | 1])


@given(st.text())
def test_any_text_is_no_client_key(text: str) -> None:
    with pytest.raises(BadOnion):
        ClientKey.parse(text)
