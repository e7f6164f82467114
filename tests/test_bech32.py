"""Bech32 (BIP173), with the valid and invalid strings of BIP173 that have no length limit in them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys import bech32

VALID = [
    "A12UEL5L",
    "a12uel5l",
    "an83characterlonghumanreadablepartthatcontainsthenumber1andtheexcludedcharactersbio1tt5tgs",
    "abcdef1qpzry9x8gf2tvdw0s3jn54khce6mua7lmqqqxw",
    "split1checkupstagehandshakeupstreamerranterredcaperred2y9e3w",
]
INVALID = [
    "\x201nwldj5",
    "\x7f1axkwrx",
    "\x801eym55h",
    "pzry9x0s0muk",
    "1pzry9x0s0muk",
    "x1b4n0q5v",
    "li1dgmt3",
    "de1lg7wt\xff",
    "A1G7SGD8",
    "10a06t8",
    "1qzzfhee",
    "A12uel5l",
    "",
    "1",
]
PREFIXES = st.text("abcdefghijklmnopqrstuvwxyz1-", min_size=1, max_size=20).filter(
    lambda s: s.lower() != s.upper()
)


@pytest.mark.parametrize("text", VALID)
def test_what_is_valid_is_read_and_written_alike(text: str) -> None:
    prefix, data = bech32.decode(text)
    assert bech32.encode(prefix, data) == text


@pytest.mark.parametrize("text", INVALID)
def test_what_is_invalid_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"mixed|cut short|no key|typing error|last letters"):
        bech32.decode(text)


@given(PREFIXES, st.binary(max_size=100), st.booleans())
def test_decoding_inverts_encoding(prefix: str, data: bytes, upper: bool) -> None:
    prefix = prefix.upper() if upper else prefix
    assert bech32.decode(bech32.encode(prefix, data)) == (prefix, data)


@given(PREFIXES, st.binary(max_size=60), st.data())
def test_a_wrong_letter_is_found(prefix: str, data: bytes, draw: st.DataObject) -> None:
    text = bech32.encode(prefix, data)
    at = draw.draw(st.integers(len(prefix) + 1, len(text) - 1))
    letter = draw.draw(
        st.sampled_from("qpzry9x8gf2tvdw0s3jn54khce6mua7l").filter(lambda one: one != text[at])
    )
    with pytest.raises(ValueError, match="typing error"):
        bech32.decode(text[:at] + letter + text[at + 1 :])


@given(st.text(max_size=40))
def test_any_text_is_read_or_refused_one_way(text: str) -> None:
    for one in (text, "age1" + text):
        try:
            prefix, data = bech32.decode(one)
        except ValueError:
            continue
        assert bech32.encode(prefix, data) == one
