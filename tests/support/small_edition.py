"""An edition of two pages, and drops that a relay which serves it takes: nothing in them is sealed."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

STANZAS = 3
TERMS = {
    "stanzas": STANZAS,
    "drop_bytes": 64 << 20,
    "retention_days": 30,
    "board_lines": 32,
    "board_post": 4,
}
PAGES = {
    "/index.html": b"<!doctype html><title>home</title>",
    "/en/index.html": b"<!doctype html><title>home in English</title>",
    "/en/send.html": b"<!doctype html><title>send</title>" + b"<p>guidance</p>" * 9000,
}
POLICY = "default-src 'none'"
_MAC = b"--- " + b"m" * 43 + b"\n"


def write_edition(folder: Path, **terms: int) -> Path:
    """The folder, filled with an edition whose terms are `TERMS` but for those given."""
    for path, page in PAGES.items():
        file = folder / path[1:]
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(page)
    (folder / "manifest.json").write_text(
        json.dumps(manifest(TERMS | terms), sort_keys=True, indent=1) + "\n"
    )
    return folder


def manifest(terms: dict[str, int]) -> dict[str, Any]:
    files = [
        {
            "path": path,
            "size": len(page),
            "sha256": hashlib.sha256(page).hexdigest(),
            "type": "text/html; charset=utf-8",
            "headers": {"Cache-Control": "no-cache"},
        }
        for path, page in sorted(PAGES.items())
    ]
    headers = {"Content-Security-Policy": POLICY, "Cache-Control": "no-store"}
    return {
        "version": 1,
        "newsroom": "test",
        "edition": 7,
        "expires": "2099-12-31",
        "terms": terms,
        "headers": headers,
        "files": files,
    }


def age_head(stanzas: int = STANZAS, kind: bytes = b"mlkem768x25519") -> bytes:
    """The head of an age file as keys/FORMAT.md, section 2, asks for it."""
    stanza = b"-> " + kind + b" " + b"e" * 1494 + b"\n" + b"k" * 43 + b"\n"
    return b"age-encryption.org/v1\n" + stanza * stanzas + _MAC


def some_drop(size: int = 20_000, stanzas: int = STANZAS) -> bytes:
    """`size` bytes that begin as a drop does; the rest is random."""
    head = age_head(stanzas)
    return head + os.urandom(size - len(head))
