"""Joining a newsroom, and finding out a page that is not its own."""

import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from support.newsdesk import HEADERS, Newsdesk, Result, run, today
from support.wires import Message, Script, http

from keys import edition
from keys.masthead import MastheadKey


def verify(target: str | Path, house: Newsdesk, *more: str | Path) -> Result:
    return run("verify-edition", target, "--masthead", house.folder / "masthead.pub", *more, passphrase=None)


def test_a_genuine_folder(quiet: Newsdesk) -> None:
    done = verify(quiet.edition, quiet)
    assert (done.status, done.err) == (0, "")
    until = quiet.newsroom.expires
    assert done.out == f"genuine: edition 1 of {quiet.newsroom.id}, 4 files, until {until}\n"
    said = verify(quiet.edition, quiet, "--json").json
    assert said == {
        "genuine": True,
        "newsroom": quiet.newsroom.id,
        "edition": 1,
        "files": 4,
        "desk": [],
        "expires": str(until),
    }


def test_a_genuine_relay(house: Newsdesk) -> None:
    assert verify(house.relay.source_url, house).out.startswith("genuine: edition 1 of ")
    pinned = run("--home", house.home("ada"), "verify-edition", house.relay.source_url, passphrase=None)
    assert pinned.status == 0


def with_pages(house: Newsdesk) -> Path:
    """An edition as build.py leaves it: the pages for journalists are in `desk` beside it."""
    pages = {f"desk-{language}.html": f"<title>{language}</title>".encode() for language in ("en", "nl")}
    folder = house.folder / "out/edition"
    folder.mkdir(parents=True)
    files = {"/newsroom.json": edition.Content(house.newsroom.to_json(), "application/json", {})}
    edition.write(folder, house.newsroom, HEADERS, files, pages)
    edition.sign(folder, house.masthead)
    (house.folder / "out/desk").mkdir()
    for name, page in pages.items():
        (house.folder / "out/desk" / name).write_bytes(page)
    return folder


def test_the_pages_for_journalists_are_checked_with_their_edition(quiet: Newsdesk) -> None:
    folder = with_pages(quiet)
    assert verify(folder, quiet).out.startswith(
        f"genuine: edition 1 of {quiet.newsroom.id}, 1 file, desk-en.html, "
    )
    assert verify(folder, quiet, "--json").json["desk"] == ["desk-en.html", "desk-nl.html"]
    (folder.parent / "desk/desk-nl.html").unlink()
    (folder.parent / "desk/notes.txt").write_text("ours")
    assert verify(folder, quiet, "--json").json["desk"] == ["desk-en.html"]


def a_byte(page: Path) -> None:
    page.write_bytes(page.read_bytes().replace(b"<title>n", b"<title>m"))


def one_more_byte(page: Path) -> None:
    page.write_bytes(page.read_bytes() + b"\n")


def another_language(page: Path) -> None:
    page.write_bytes(page.with_name("desk-en.html").read_bytes())


def not_of_the_edition(page: Path) -> None:
    page.rename(page.with_name("desk-xx.html")).write_bytes(b"<title>x</title>")


@pytest.mark.parametrize("change", [a_byte, one_more_byte, another_language, not_of_the_edition])
def test_a_page_for_journalists_that_was_altered(quiet: Newsdesk, change: Callable[[Path], None]) -> None:
    folder = with_pages(quiet)
    change(folder.parent / "desk/desk-nl.html")
    done = verify(folder, quiet)
    assert (done.status, done.out) == (1, "")
    assert re.match(r"desk: error: this edition is not genuine: .*/out/desk/desk-(nl|xx).html: ", done.err)
    assert "desk: hint: do not open it; " in done.err


def test_a_lone_page_is_compared_with_the_edition_that_was_joined(quiet: Newsdesk, tmp_path: Path) -> None:
    quiet.edition = with_pages(quiet)
    page = tmp_path / "desk-en (1).html"
    page.write_bytes(b"<title>en</title>")
    alone = verify(page, quiet)
    assert (alone.status, "join first, without --masthead" in alone.err) == (1, True)
    assert quiet.join("ada", relay="http://127.0.0.1:1").status == 0
    done = quiet.desk("ada", "verify-edition", page, passphrase=None)
    until = quiet.newsroom.expires
    assert done.out == f"genuine: edition 1 of {quiet.newsroom.id}, desk-en.html, until {until}\n"
    page.write_bytes(b"<title>en</title><script></script>")
    done = quiet.desk("ada", "verify-edition", page, passphrase=None)
    assert (done.status, done.out) == (1, "")
    assert "(1).html: this is not the journalists' page that the newsroom signed in edition 1\n" in done.err


def altered(folder: Path) -> None:
    (folder / "en/send.html").write_bytes(b"<!doctype html><title>sent</title>")


def added(folder: Path) -> None:
    (folder / "extra.js").write_text("")


def removed(folder: Path) -> None:
    (folder / "index.html").unlink()


def unsigned(folder: Path) -> None:
    (folder / "manifest.json.minisig").unlink()


def signed_by_another(folder: Path) -> None:
    data = (folder / "manifest.json").read_bytes()
    (folder / "manifest.json.minisig").write_text(MastheadKey.generate().sign(data, "x"))


def no_manifest(folder: Path) -> None:
    (folder / "manifest.json").write_text("{}")


@pytest.mark.parametrize("change", [altered, added, removed, unsigned, signed_by_another, no_manifest])
def test_a_folder_that_was_touched(quiet: Newsdesk, change: Callable[[Path], None]) -> None:
    change(quiet.edition)
    done = verify(quiet.edition, quiet)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(
        ("desk: error: this edition is not genuine: ", "desk: error: a signature does not match: ")
    )
    assert quiet.join("ada", relay="http://127.0.0.1:1").status == 1
    assert not (quiet.home("ada") / "desk.json").exists()


def test_an_edition_that_expired(quiet: Newsdesk) -> None:
    old = quiet.publish(edition=2, expires=today() - timedelta(days=1))
    done = verify(old, quiet)
    assert done.status == 1
    assert f"it expired on {today() - timedelta(days=1)}" in done.err


def test_a_warning_before_it_expires(quiet: Newsdesk) -> None:
    quiet.edition = quiet.publish(edition=2, expires=today() + timedelta(days=3))
    assert verify(quiet.edition, quiet).err.startswith("desk: warning: the edition expires on ")
    quiet.join("ada", relay="http://127.0.0.1:1")
    done = quiet.desk("ada", "list")
    assert (done.status, done.out) == (0, "no drops\n")
    until = today() + timedelta(days=3)
    assert done.err == f"desk: warning: the edition expires on {until}; the newsroom owes you the next one\n"


def serve(
    house: Newsdesk, change: Callable[[str, bytes, list[str]], tuple[bytes, list[str]] | None]
) -> Script:
    """A relay that serves the edition, with changes to some answers."""

    def answer(request: Message) -> bytes:
        path = request.head.split()[1]
        name = path + "index.html" if path.endswith("/") else path
        file = house.edition / name[1:]
        headers = ["Content-Security-Policy: default-src 'none'", "Cache-Control: no-store"]
        kind = "application/json" if name == "/newsroom.json" else "text/html; charset=utf-8"
        headers.append(f"Content-Type: {kind}")
        headers += ["X-Robots: no"] * (name == "/newsroom.json")
        changed = change(path, file.read_bytes(), headers)
        return http(changed[0], more=changed[1]) if changed else http(b"", "404 Not Found")

    return Script(*[answer] * 20)


def test_the_relay_of_these_tests_is_genuine(quiet: Newsdesk) -> None:
    with serve(quiet, lambda _, body, headers: (body, headers)) as script:
        assert verify(script.url, quiet).status == 0
    asked = [request.head.split()[1] for request in script.asked]
    pages = {"/", "/index.html", "/en/", "/en/index.html", "/en/send.html", "/newsroom.json"}
    assert set(asked) == pages | {"/manifest.json", "/manifest.json.minisig"}
    assert len(asked) == 8


def missing(_body: bytes, _headers: list[str]) -> None:
    return None


CHANGES = {
    "another page": ("/en/send.html", lambda body, headers: (body.replace(b"send", b"sent"), headers)),
    "a longer page": ("/en/send.html", lambda body, headers: (body + b" ", headers)),
    "another page at the folder's address": ("/en/", lambda body, headers: (b"x" * len(body), headers)),
    "a weaker policy": ("/en/send.html", lambda body, headers: (body, headers[1:])),
    "another policy": (
        "/",
        lambda body, headers: (body, ["Content-Security-Policy: default-src *", *headers[1:]]),
    ),
    "a second policy": ("/", lambda body, headers: (body, [*headers, headers[0]])),
    "a cookie": ("/", lambda body, headers: (body, [*headers, "Set-Cookie: a=b"])),
    "a refresh": ("/", lambda body, headers: (body, [*headers, "Refresh: 0; url=http://x"])),
    "another type": ("/", lambda body, headers: (body, [*headers[:2], "Content-Type: text/plain"])),
    "a page that is missing": ("/en/send.html", missing),
    "no newsroom": ("/newsroom.json", missing),
}


@pytest.mark.parametrize(("path", "change"), CHANGES.values(), ids=CHANGES)
def test_a_relay_that_serves_anything_else_is_found_out(
    quiet: Newsdesk, path: str, change: Callable[..., tuple[bytes, list[str]] | None]
) -> None:
    with serve(
        quiet, lambda at, body, headers: change(body, headers) if at == path else (body, headers)
    ) as script:
        done = verify(script.url, quiet)
    assert (done.status, done.out) == (1, "")
    assert done.err.startswith(
        ("desk: error: this edition is not genuine: ", "desk: error: the relay refused: ")
    )


def test_an_older_edition_is_found_out(quiet: Newsdesk) -> None:
    first = quiet.edition
    quiet.edition = quiet.publish(edition=2)
    assert quiet.join("ada", relay="http://127.0.0.1:1").status == 0
    done = run("--home", quiet.home("ada"), "verify-edition", first, passphrase=None)
    assert done.status == 1
    assert "it is edition 1, and this desk has seen edition 2" in done.err
    quiet.edition = first
    assert (
        "it is edition 1, and this desk has seen edition 2"
        in quiet.join("ada", relay="http://127.0.0.1:1").err
    )
    assert verify(first, quiet).status == 0, "by itself it is genuine"


def test_another_newsroom_is_another_home(quiet: Newsdesk, tmp_path: Path) -> None:
    other = Newsdesk(tmp_path / "other")
    assert quiet.join("ada", relay="http://127.0.0.1:1").status == 0
    done = other.join("ada", home=quiet.home("ada"), relay="http://127.0.0.1:1")
    assert done.status == 1
    assert done.err.endswith(
        "this home is a desk of The Harbour Post, and the edition is another newsroom's\n"
        "desk: hint: use --home\n"
    )


def test_an_identity_the_page_does_not_list(quiet: Newsdesk) -> None:
    quiet.edition = quiet.publish(edition=2, recipients=quiet.newsroom.recipients[1:])
    done = quiet.join("ada", relay="http://127.0.0.1:1")
    assert done.status == 1
    assert done.err == (
        "desk: error: the page of The Harbour Post does not list this identity\n"
        "desk: hint: give the newsroom its .pub file\n"
    )
    assert not quiet.home("ada").exists()


@pytest.mark.parametrize("name", ["masthead.pub", "ada.key"])
def test_files_that_are_not_what_they_should_be(quiet: Newsdesk, name: str) -> None:
    (quiet.folder / name).write_bytes(b"\xff" * 100)
    done = quiet.join("ada", relay="http://127.0.0.1:1")
    assert (done.status, done.out) == (1, "")
    assert done.err.count("desk: error: ") == 1
    (quiet.folder / name).unlink()
    assert done.err.count("desk: error: ") == 1
    assert "no such file or directory" in quiet.join("ada", relay="http://127.0.0.1:1").err
