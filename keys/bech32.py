"""Bech32 (BIP173) without its length limit: how keys are written as text."""

from __future__ import annotations

_ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
_VALUES = {letter: value for value, letter in enumerate(_ALPHABET)}
_GENERATORS = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)


def encode(prefix: str, data: bytes) -> str:
    """Gives data as Bech32 text, upper case where the prefix is."""
    values = _regroup(data, 8, 5)
    wanted = _checksum(prefix.lower(), [*values, 0, 0, 0, 0, 0, 0]) ^ 1
    values += [wanted >> 5 * (5 - i) & 31 for i in range(6)]
    text = "1" + "".join(_ALPHABET[value] for value in values)
    return prefix + (text.upper() if prefix.isupper() else text)


def decode(text: str) -> tuple[str, bytes]:
    """Gives the prefix, in the case it is written in, and the data; ValueError for text with a mistake."""
    if not text.isascii() or text not in (text.lower(), text.upper()):
        raise ValueError("upper and lower case are mixed, or there is a foreign character")
    prefix, _, coded = text.rpartition("1")
    if not prefix or not prefix.isprintable() or " " in prefix or len(coded) < 6:
        raise ValueError("it is cut short")
    try:
        values = [_VALUES[letter] for letter in coded.lower()]
    except KeyError:
        raise ValueError("there is a letter that no key has") from None
    if _checksum(prefix.lower(), values) != 1:
        raise ValueError("there is a typing error in it")
    return prefix, bytes(_regroup(values[:-6], 5, 8, padded=True))


def _checksum(prefix: str, values: list[int]) -> int:
    expanded = [ord(c) >> 5 for c in prefix] + [0] + [ord(c) & 31 for c in prefix]
    state = 1
    for value in expanded + values:
        top = state >> 25
        state = (state & 0x1FFFFFF) << 5 ^ value
        for bit, generator in enumerate(_GENERATORS):
            if top >> bit & 1:
                state ^= generator
    return state


def _regroup(values: bytes | list[int], width: int, into: int, *, padded: bool = False) -> list[int]:
    """Gives the same bits in groups of another width. A last part is padded, or with `padded` is padding."""
    held = bits = 0
    groups = []
    for value in values:
        held = held << width | value
        bits += width
        while bits >= into:
            bits -= into
            groups.append(held >> bits)
            held &= (1 << bits) - 1
    if padded and (bits >= width or held):
        raise ValueError("its last letters do not end a key")
    if not padded and bits:
        groups.append(held << into - bits)
    return groups
