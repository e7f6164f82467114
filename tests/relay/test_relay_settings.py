"""The settings: every mistake at once, and any bytes read or are refused."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from relay.errors import BadSettings
from relay.settings import Address, load, parse

BASE = Path("/srv/relay")
WHOLE = """
edition: edition
data: /var/lib/relay
source: unix:/run/relay/source
desk: 127.0.0.1:8001
"""


def mistakes(text: str) -> list[str]:
    with pytest.raises(BadSettings) as refused:
        parse(text, BASE)
    return str(refused.value).splitlines()


def test_paths_are_relative_to_the_file() -> None:
    settings = parse(WHOLE, BASE)
    assert settings.edition == BASE / "edition"
    assert settings.data == Path("/var/lib/relay")
    assert settings.source == Address(Path("/run/relay/source"))
    assert settings.desk == Address(None, 8001)
    assert settings.connections == 512


def test_limits_are_set_by_name() -> None:
    settings = parse(WHOLE + "connections: 9\nreserve_bytes: 1_000_000\nidle_seconds: 5\n", BASE)
    assert (settings.connections, settings.reserve_bytes, settings.idle_seconds) == (9, 1_000_000, 5)


def test_all_mistakes_at_once() -> None:
    said = mistakes("edtion: x\ndata:\nsource: 0.0.0.0:80\nidle_seconds: soon\n")
    assert said == [
        "edtion: there is no such setting; the nearest is edition",
        "edition: missing",
        "desk: missing",
        "data: name a folder",
        "source: write unix:/PATH or 127.0.0.1:PORT; the relay listens nowhere else",
        "idle_seconds: write a positive whole number",
    ]


ELSEWHERE = """
    0.0.0.0:80 localhost:80 [::1]:80 127.0.0.1 127.0.0.1: 127.0.0.1:65536 127.0.0.1:-1 unix: unix:relative
    :80 80 192.168.0.1:80 127.0.0.1:80/ 127.0.0.2:80
"""


@pytest.mark.parametrize("address", ELSEWHERE.split())
def test_it_listens_on_loopback_or_a_unix_socket_only(address: str) -> None:
    assert mistakes(WHOLE.replace("127.0.0.1:8001", f"'{address}'"))[0].startswith("desk: write unix:/PATH")


ONION = "a" * 55 + "d.onion"


def test_tor_is_asked_at_its_control_socket() -> None:
    named = f"source_onion: {ONION}\ndesk_onion: {ONION.replace('a', 'b')}\n"
    settings = parse(WHOLE + "control: unix:/run/tor/control\n" + named, BASE)
    assert settings.control == Address(Path("/run/tor/control"))
    assert (settings.source_onion, settings.desk_onion) == (ONION, "b" * 55 + "d.onion")
    assert parse(WHOLE + "control: 127.0.0.1:9051\n", BASE).control == Address(None, 9051)
    assert parse(WHOLE, BASE).control is None


@pytest.mark.parametrize("address", [*ELSEWHERE.split(), "127.0.0.1:0"])
def test_tor_is_asked_on_this_machine_only(address: str) -> None:
    said = "control: write unix:/PATH or 127.0.0.1:PORT, as tor's ControlSocket or ControlPort"
    assert mistakes(WHOLE + f"control: '{address}'\n") == [said]


@pytest.mark.parametrize(
    "onion", ["", "x", ONION[:-6], ONION.upper(), "a" * 56 + ".onion", f"{ONION}\\n", "[]"]
)
def test_what_is_no_onion(onion: str) -> None:
    said = "source_onion: write what stands in the service's file hostname"
    assert mistakes(WHOLE + f'source_onion: "{onion}"\n') == [said]


def test_two_sockets_need_two_addresses() -> None:
    text = WHOLE.replace("unix:/run/relay/source", "127.0.0.1:8001")
    assert mistakes(text) == ["desk: two sockets need two addresses"]
    assert parse(text.replace("8001", "0"), BASE).source.port == 0  # two free ports


@pytest.mark.parametrize(
    "text", ["", "just words", "- a\n- b", "a: [", "a: {}: b", "\x00", "? [a]\n: b", "[" * 5000]
)
def test_what_is_no_mapping(text: str) -> None:
    assert mistakes(text)


def test_a_mistake_in_the_yaml_has_its_line() -> None:
    assert mistakes(WHOLE + "a: [\n")[0].startswith("line ")


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="No such file"):
        load(tmp_path / "relay.yaml")


@given(st.binary(max_size=300) | st.text(max_size=300))
def test_any_bytes_are_settings_or_are_refused(text: bytes | str) -> None:
    with suppress(BadSettings):
        assert parse(text, BASE).connections > 0


@given(
    st.dictionaries(
        st.sampled_from(["edition", "data", "source", "desk", "connections", "conections", "\n"]),
        st.text(max_size=20) | st.integers() | st.lists(st.integers(), max_size=2) | st.none(),
    )
)
def test_any_values_are_settings_or_are_refused(given_: dict[str, object]) -> None:
    with suppress(BadSettings):
        assert parse(json.dumps(given_), BASE).connections > 0
