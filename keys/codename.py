"""Twelve words to the keys of a thread and back (FORMAT.md section 3)."""

from __future__ import annotations

import hashlib
import secrets
import unicodedata
from functools import cache

from mnemonic import Mnemonic

from keys.errors import BadCodename
from keys.stanza import hkdf

WORDS = 12
_BITS = 11  # of each word
# BIP39's own lists, by the language tags of a page; a page in any other language shows English words.
_LISTS = {
    "cs": "czech",
    "es": "spanish",
    "fr": "french",
    "it": "italian",
    "ja": "japanese",
    "ko": "korean",
    "pt": "portuguese",
    "zh": "chinese_simplified",
    "zh-Hant": "chinese_traditional",
    "zh-HK": "chinese_traditional",
    "zh-TW": "chinese_traditional",
}


def new() -> bytes:
    """Gives the 128 random bits of a new codename."""
    return secrets.token_bytes(16)


def words(entropy: bytes, language: str) -> str:
    """Gives the codename of these 16 bytes in a language, its words parted by spaces."""
    bits = int.from_bytes(entropy) << 4 | _checksum(entropy)
    chosen = (bits >> _BITS * at & 0x7FF for at in reversed(range(WORDS)))
    return " ".join(_list(language)[number] for number in chosen)


def parse(typed: str, language: str) -> bytes:
    """Gives the 16 bytes of a codename as it was typed; raises BadCodename, which names the first word
    that is not in the language's list, or says that there are not twelve, or that the checksum finds one
    wrong."""
    places = {word: number for number, word in enumerate(_list(language))}
    chosen = []
    for word in typed.split():
        number = places.get(folded(word))
        if number is None:
            raise BadCodename(f"{word[:40]!r} is not in the list of words", word=word)
        chosen.append(number)
    if len(chosen) != WORDS:
        raise BadCodename(f"there are {len(chosen)} of them", count=len(chosen))
    bits = sum(number << _BITS * at for at, number in enumerate(reversed(chosen)))
    entropy = (bits >> 4).to_bytes(16)
    if bits & 15 != _checksum(entropy):
        raise BadCodename("one of them is wrong, or two are swapped")
    return entropy


def folded(word: str) -> str:
    """Gives a word as the lists have it, however it was typed."""
    return unicodedata.normalize("NFKD", word.casefold())


def thread_key(entropy: bytes, newsroom: str) -> bytes:
    """Gives the 32-byte key of the thread that a codename has at a newsroom."""
    return hkdf(entropy, newsroom.encode(), b"knothole/v1/thread")


def thread_id(key: bytes) -> str:
    """Gives the 16 hex digits by which a desk names a thread; they tell nothing about its key."""
    return hkdf(key, b"", b"knothole/v1/thread-id")[:8].hex()


def _checksum(entropy: bytes) -> int:
    return hashlib.sha256(entropy).digest()[0] >> 4


def word_list(language: str) -> str:
    """Gives the name of the BIP39 list whose words a page in this language shows."""
    while language not in _LISTS and "-" in language:
        language = language.rpartition("-")[0]
    return _LISTS.get(language, "english")


@cache
def _list(language: str) -> tuple[str, ...]:
    return tuple(Mnemonic(word_list(language)).wordlist)
