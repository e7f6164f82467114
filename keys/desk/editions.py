"""Editions as a desk meets them: joined from a folder, checked there or at the relay, where sources get
theirs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from keys import edition
from keys.desk.client import Client
from keys.desk.desk import acting
from keys.desk.home import Home, Settings, read_identity
from keys.desk.roster import Change, changes
from keys.desk.terminal import read_file
from keys.edition import MANIFEST, SIGNATURE, Manifest
from keys.errors import BadEdition, DeskError, Refused
from keys.masthead import Masthead
from keys.newsroom import Newsroom
from keys.passphrase import Passphrases

_LONGEST_SIGNATURE = 8 << 10
_PAGE = "do not open it; ask the newsroom for the page, and compare by another way"
_ALONE = "join first, without --masthead; or name the folder of an edition, with the page in `desk` beside it"
# What HTTP itself needs; every other header is the edition's to say.
FRAMING = frozenset({"content-length", "connection", "keep-alive"})


def today() -> date:
    return datetime.now(UTC).date()


def join(
    home: Home, folder: Path, masthead: Masthead, settings: Settings, passphrases: Passphrases
) -> tuple[Newsroom, list[Change]]:
    """Makes a home the desk of the newsroom whose edition this is, and gives the newsroom and what changed in
    it. Raises BadEdition or Forged for an edition that is not genuine or older than the last, and DeskError
    for an identity it does not list."""
    Client(settings.relay, settings.socks).close()
    manifest = edition.verify(folder, masthead, today())
    newsroom = Newsroom.from_json((folder / "newsroom.json").read_bytes())
    if home.joined:
        _same(home, manifest, masthead)
    known = home.newsroom if home.joined else None
    journalist = acting(newsroom, read_identity(Path(settings.identity), passphrases))
    with home.locked():
        home.write(settings, newsroom, masthead)
        data, signature = (folder / name for name in (MANIFEST, SIGNATURE))
        home.pin(data.read_bytes(), signature.read_text())
        home.keep_pages((folder / file.path.lstrip("/")).read_bytes() for file in manifest.files)
    return newsroom, list(changes(known, newsroom, journalist.name))


def verify_folder(folder: Path, masthead: Masthead, home: Home | None) -> Manifest:
    """Gives the manifest of a genuine edition in a folder; raises BadEdition or Forged for another."""
    manifest = edition.verify(folder, masthead, today())
    if home:
        _same(home, manifest, masthead)
    return manifest


def verify_pages(folder: Path, manifest: Manifest) -> list[str]:
    """Gives the names of the journalists' pages that a build has put beside its edition; raises BadEdition,
    which names it, for one that is not what the newsroom signed, or has another's name."""
    names = []
    for page in sorted((folder.resolve().parent / "desk").glob("desk-*.html")):
        names.append(page.name)
        try:
            found = manifest.check_desk(read_file(page, edition.LONGEST_FILE))
        except BadEdition as error:
            raise BadEdition(f"{page}: {error.detail}", hint=_PAGE) from None
        if found != page.name:
            raise BadEdition(f"{page}: it is {found}", hint=_PAGE)
    return names


def verify_page(page: Path, masthead: Masthead, home: Home | None) -> tuple[Manifest, str]:
    """Gives the newest edition that this desk has seen, and the name under which the journalists' page is
    part of it; raises BadEdition for another page."""
    if home is None or (pinned := home.pinned) is None:
        raise DeskError("a lone page is compared with the edition that a desk has joined", hint=_ALONE)
    manifest = Manifest.open(pinned.data, pinned.signature, masthead, today())
    try:
        return manifest, manifest.check_desk(read_file(page, edition.LONGEST_FILE))
    except BadEdition as error:
        raise BadEdition(f"{page}: {error.detail} in edition {manifest.edition}", hint=_PAGE) from None


def verify_relay(
    url: str, proxy: str, masthead: Masthead, home: Home | None, report: Callable[[str], None]
) -> Manifest:
    """Gives the manifest of the edition that a relay serves to sources, once every byte and header that a
    source gets is the newsroom's; raises BadEdition or Forged for anything else."""
    client = Client(url, proxy)
    try:
        data, signature = served_manifest(client)
        manifest = Manifest.open(data, signature, masthead, today())
        if home:
            _same(home, manifest, masthead)
        for number, file in enumerate(manifest.files, 1):
            report(f"{number} of {len(manifest.files)}: {file.path}")
            for path in _addresses(file.path):
                body = _fetched(client, path, file, manifest.headers)
                manifest.check(file.path, body)
                if file.path == "/newsroom.json":
                    manifest.check_newsroom(body, masthead)
        manifest.file("/newsroom.json")
    finally:
        client.close()
    return manifest


def served_manifest(client: Client) -> tuple[bytes, str]:
    """Gives the manifest that a relay serves to sources and its signature, neither of them checked."""
    _, data = client.page(f"/{MANIFEST}", edition.LONGEST_MANIFEST)
    _, signature = client.page(f"/{SIGNATURE}", _LONGEST_SIGNATURE)
    return data, signature.decode(errors="replace")


def _addresses(path: str) -> list[str]:
    """Gives every address under which the relay serves a file."""
    folder = path.removesuffix("index.html")
    return [path] if folder == path else [path, folder]


def _fetched(client: Client, path: str, file: edition.File, common: Mapping[str, str]) -> bytes:
    try:
        headers, body = client.page(path, file.size)
    except Refused as error:
        raise BadEdition(f"{path} is not served: {error.detail}") from None
    if names := wrong_headers(headers, file, common):
        raise BadEdition(f"{path} is served with other headers than the newsroom's: {', '.join(names)}")
    return body


def wrong_headers(
    headers: Iterable[tuple[str, str]], file: edition.File, common: Mapping[str, str]
) -> list[str]:
    """Gives the names of the headers in which an answer differs from what the edition says of a file."""
    wanted = {name.lower(): value for name, value in {**common, **file.headers}.items()} | {
        "content-type": file.type
    }
    served = sorted((name.lower(), value) for name, value in headers if name.lower() not in FRAMING)
    if served == sorted(wanted.items()):
        return []
    return sorted({name for name, _ in set(served) ^ set(wanted.items())}) or ["one of them, twice"]


def _same(home: Home, manifest: Manifest, masthead: Masthead) -> None:
    known = home.newsroom
    if masthead != home.masthead or manifest.newsroom != known.id:
        raise DeskError(
            f"this home is a desk of {known.name}, and the edition is another newsroom's", hint="use --home"
        )
    newest = max(known.edition, home.pinned.manifest.edition if home.pinned else 0)
    if manifest.edition < newest:
        raise BadEdition(f"it is edition {manifest.edition}, and this desk has seen edition {newest}")
