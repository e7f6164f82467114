"""desk.html: a desk in one file, its script, style and policy inside. It is signed and never served: the
newsroom gives it to its journalists, who open it from a disk."""

from __future__ import annotations

import base64
import hashlib
from typing import Any

from markupsafe import Markup

from keys.schema import plain

IDLE_MINUTES = 15  # after which it locks itself


def inside(sheet: bytes, program: bytes, relay: str) -> dict[str, Any]:
    """Gives what the template puts into the page's head; raises ValueError for what would end it early."""
    for text in (sheet, program):
        if any(end in text.lower() for end in (b"</script", b"</style", b"<!--")):
            raise ValueError("the page's script or style holds markup")
    return {
        "sheet": Markup(sheet.decode()),  # noqa: S704 - ours, and without markup
        "program": Markup(program.decode()),  # noqa: S704
        "policy": (
            f"default-src 'none'; script-src '{_digest(program)}'; style-src '{_digest(sheet)}'; "
            f"connect-src {relay}; img-src data:; form-action 'none'; base-uri 'none'; "
            "require-trusted-types-for 'script'; trusted-types 'none'"
        ),
    }


def data(block: dict[str, Any], newsroom: Any, relay: str, messages: dict[str, str]) -> dict[str, Any]:
    """Gives the data block of this page (site/scripts/README.md) from that of the sources' pages."""
    language = block["language"]
    kept = {key: block[key] for key in ("newsroom", "language", "recipients", "partners", "terms")}
    questions = [{"id": one.id, "ask": one.ask[language]} for one in newsroom.questions]
    kept["former"] = plain(newsroom.former or ())
    own = {"relay": relay, "edition": newsroom.edition, "expires": plain(newsroom.expires)}
    own["idle_minutes"] = IDLE_MINUTES
    return kept | own | {"questions": questions, "messages": messages}


def _digest(text: bytes) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(text).digest()).decode()
