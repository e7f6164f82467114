"""What a visit shows of the box: where it did what no honest box does (FORMAT.md section 7)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from keys import line
from keys.desk import boards as histories
from keys.desk import editions
from keys.desk.answers import begins_as_refusal, is_refusal
from keys.desk.boards import Boards, Doubt
from keys.desk.client import Client
from keys.desk.desk import Desk
from keys.desk.home import Home, Pinned
from keys.desk.outbox import ANSWER_DAYS, canary_labels
from keys.desk.watcher import evidence
from keys.desk.watcher.browser import Exchange
from keys.desk.watcher.evidence import Finding
from keys.desk.watcher.links import Answer
from keys.edition import MANIFEST, SIGNATURE, File, Manifest
from keys.errors import BadEdition, Forged, KnotholeError
from keys.line import LINE

today = editions.today

_MISSES = 2  # listings that an acknowledged drop may be missing from
_LOOKS = 5  # at the boards of a canary's week, of which one has an answer if a desk synced in good time
_FAILURES = frozenset({408, 500, 503, 507})  # that an honest relay says when it can do no better
_REFUSAL_HEADERS = {
    "content-type": "application/json",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
}
_WORD_HEADERS = _REFUSAL_HEADERS.keys()
_PAGE = (
    "A page that was altered can take what a source writes, and who they are. Whoever runs the box now, or "
    "broke into it, may have done it; or the box was set up with another edition than this desk knows."
)
_PAGE_CHECK = (
    f"`minisign -Vm {MANIFEST} -p masthead.pub` shows that the newsroom signed the manifest. It says for "
    "each path which SHA-256 and which headers belong to it: compare them with `sha256sum` of the answer's "
    "body, and with its head."
)
_BOARD = (
    "Sources read their answers on the board, and every visitor is to see the same one. A board that stands "
    "still, loses lines or differs between visitors keeps answers from sources, or tells visitors apart."
)
_BOARD_CHECK = (
    "A board is lines of 2,048 bytes, the oldest first. The later one must be the earlier one without some "
    "of its first lines, and with as many new ones at its end. Of a board that is remembered from before, "
    "only the first 16 bytes of each line's SHA-256 are kept."
)
_DROPS = (
    "The box said that it had stored a message, and no journalist can find it as it was sent. What sources "
    "send may be lost in the same way; or the box was replaced, or lost its disk, in these days."
)


# --- the page -----------------------------------------------------------------------------------------------


def of_pages(desk: Desk, url: str, exchanges: Sequence[Exchange]) -> tuple[list[Finding], int]:
    """Gives a finding if the page is another than the newest edition this desk has seen, and the number of a
    newer one that the box turns out to serve, which is remembered; 0 where it does not."""
    pinned = desk.home.pinned
    if pinned is None:
        return [], 0
    wrong = _wrong(exchanges, pinned.manifest, desk.home)
    served: Pinned | None = None
    why = ""
    if wrong:
        try:
            served = _served(desk, url)
        except (Forged, BadEdition) as error:
            why = f"; and its manifest is not genuine: {error.detail}"
        except KnotholeError:
            why = "; and its manifest could not be fetched"
    newest = pinned.manifest.edition
    if (
        served
        and served.manifest.edition > newest
        and not _wrong([one for one, _ in wrong], served.manifest, desk.home)
    ):
        desk.home.pin(served.data, served.signature)
        wrong, newest = [], served.manifest.edition
    newer = newest if newest > desk.newsroom.edition else 0
    if not wrong:
        return [], newer
    says = wrong[0][1] + (f", and {len(wrong) - 1} more" if len(wrong) > 1 else "") + why
    if served and served.manifest.edition < newest:
        says = f"the page is edition {served.manifest.edition}, and this desk has seen edition {newest}"
    return [_page_finding(desk, says, [one for one, _ in wrong], pinned, served)], newer


def _served(desk: Desk, url: str) -> Pinned:
    """Gives the edition that the box says it serves; asked for only when something is wrong, for no browser
    asks for it."""
    client = Client(url, desk.home.settings.socks)
    try:
        data, signature = editions.served_manifest(client)
    finally:
        client.close()
    manifest = Manifest.open(data, signature, desk.home.masthead, today())
    if manifest.newsroom != desk.newsroom.id:
        raise BadEdition("it is another newsroom's")
    return Pinned(manifest, data, signature)


def _wrong(exchanges: Sequence[Exchange], manifest: Manifest, home: Home) -> list[tuple[Exchange, str]]:
    """Gives the answers that are not what this edition has, each with a sentence."""
    found = ((one, _mistake(one, manifest, home)) for one in exchanges)
    return [(one, says) for one, says in found if says]


def _mistake(one: Exchange, manifest: Manifest, home: Home) -> str:
    path, answer = one.request.path, one.answer
    if not answer.status:
        return f"{path} is answered with what no relay says"
    if answer.status >= 400 and not refuses(answer):
        # Browsers show and run what comes under such a status, too.
        return f"{path} is answered {answer.status} with more than a relay's refusal"
    if answer.status in _FAILURES:
        return ""  # the visit says it
    if one.request.dest == "empty":
        more = {name.lower() for name, _ in answer.headers} - editions.FRAMING - _WORD_HEADERS
        if more:
            return f"{path} is answered with {', '.join(sorted(more))}, which is no header of it"
        other = len(answer.body) != manifest.terms.board_lines * LINE and not answer.broken
        if path == "/board" and (answer.status != 200 or other):
            return "the board has another size than the newsroom's, or is not there"
        return ""
    file = _file(manifest, path)
    if file is None:
        return "" if answer.status == 404 else f"{path} is no file of the edition"
    if answer.status != 200:
        return f"{path} is answered {answer.status}"
    if not _is(answer, file, home):
        return f"{path} is not what the newsroom signed"
    names = editions.wrong_headers(answer.headers, file, manifest.headers)
    return f"{path} is served with other headers than the newsroom's: {', '.join(names)}" if names else ""


def refuses(answer: Answer) -> bool:
    """Tells whether an answer is a relay's refusal in head and body (relay/PROTOCOL.md)."""
    said = {(name.lower(), value) for name, value in answer.headers if name.lower() not in editions.FRAMING}
    return (
        ("content-type", "application/json") in said
        and said <= _REFUSAL_HEADERS.items()
        and (begins_as_refusal(answer.body) if answer.broken else answer.whole and is_refusal(answer.body))
    )


def _file(manifest: Manifest, path: str) -> File | None:
    wanted = path + "index.html" if path.endswith("/") else path
    return next((file for file in manifest.files if file.path == wanted), None)


def _same(body: bytes, file: File) -> bool:
    return len(body) == file.size and hashlib.sha256(body).hexdigest() == file.sha256


def _is(answer: Answer, file: File, home: Home) -> bool:
    """Whether this is the file; of an answer that broke off, whether the file begins so, as far as this desk
    knows: it keeps those of the edition it joined."""
    if not answer.broken:
        return answer.whole and _same(answer.body, file)
    known = home.page(file.sha256)
    return known.startswith(answer.body) if known is not None else len(answer.body) < file.size


def _page_finding(
    desk: Desk, says: str, wrong: Sequence[Exchange], pinned: Pinned, served: Pinned | None
) -> Finding:
    shown = evidence.of_exchanges(wrong)
    shown |= {MANIFEST: pinned.data, SIGNATURE: pinned.signature.encode()}
    shown["masthead.pub"] = desk.home.masthead.to_file().encode()
    if served:
        shown |= {f"served-{MANIFEST}": served.data, f"served-{SIGNATURE}": served.signature.encode()}
    files = [(one, _file(pinned.manifest, one.request.path)) for one in wrong]
    facts = {
        "edition": pinned.manifest.edition,
        "answers": [
            {
                "path": one.request.path,
                "status": one.answer.status,
                "sha256": hashlib.sha256(one.answer.body).hexdigest(),
                "expected": file and file.sha256,
            }
            for one, file in files
        ],
    }
    return Finding("page", says, _PAGE, _PAGE_CHECK, facts, shown)


# --- the board ----------------------------------------------------------------------------------------------


def of_boards(boards: Boards) -> list[Finding]:
    """Gives a finding for each way in which the sights of the board contradict one another."""
    told: dict[str, Doubt] = {}
    for doubt in boards.doubts():
        told.setdefault(doubt.says, doubt)
    return [_board_finding(doubt) for doubt in told.values()]


def _board_finding(doubt: Doubt) -> Finding:
    shown = {}
    for name, sight in (("earlier", doubt.earlier), ("later", doubt.later)):
        # Of a board that is remembered only a hash of each line is.
        shown[f"{name}-board" if sight.data else f"{name}-board-hashes"] = sight.data or b"".join(sight.lines)
    facts = {"earlier": f"at the {doubt.earlier.where} onion", "later": f"at the {doubt.later.where} onion"}
    return Finding("board", doubt.says, _BOARD, _BOARD_CHECK, facts, shown)


# --- canaries -----------------------------------------------------------------------------------------------


def answered(desk: Desk, boards: Sequence[bytes]) -> list[str]:
    """Gives the canaries whose answer is on one of the boards as a source sees them."""
    signers = list(desk.signers.values())
    found = []
    for canary in desk.state.canaries.values():
        wanted = canary_labels(desk, canary.thread)
        if any(
            wanted & set(histories.labels(board))
            and any(one.text for one in line.find(board, canary.thread, signers, desk.newsroom.id))
            for board in boards
        ):
            found.append(canary.drop)
    return found


def unanswered(desk: Desk) -> list[date]:
    """Counts one more board without an answer, and gives the days of the canaries whose week is over and had
    many: each once."""
    days = []
    for id_, canary in desk.state.canaries.items():
        over = canary.day + timedelta(days=ANSWER_DAYS) < today()
        if over and canary.looks >= _LOOKS:
            days.append(canary.day)
        desk.state.canaries[id_] = replace(canary, looks=0 if over else canary.looks + 1)
    return days


def of_canaries(desk: Desk) -> list[Finding]:
    """Gives a finding for each canary that the box took and does not have, or has otherwise; forgets those,
    and what is too old to tell."""
    findings = []
    oldest = today() - timedelta(days=desk.newsroom.retention.days)
    for canary in list(desk.state.canaries.values()):
        facts = {"drop": canary.drop, "sent": str(canary.day)}
        shown = {"answer-head.txt": canary.receipt.encode("latin-1")}
        file = desk.home.drop(canary.drop)
        if canary.missed >= _MISSES and canary.day > oldest:
            says = f"a message that the box took on {canary.day} is not there: it swallows what sources send"
        elif canary.drop in desk.state.entries and file.exists():
            says = f"a message that the box took on {canary.day} came back altered"
            shown["drop.age"] = file.read_bytes()
        else:
            if canary.day < oldest:
                del desk.state.canaries[canary.drop]
            continue
        del desk.state.canaries[canary.drop]
        findings.append(Finding("drops", says, _DROPS, "", facts, shown))
    return findings
