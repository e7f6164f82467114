"""desk.html as build.py makes it: one file that holds all it runs, listed and signed, and none that a relay
serves."""

import base64
import hashlib
import json
import re
import runpy
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.builds import KEY, ONION, ROOT, YAML, Page, build, fill
from support.desk_page import DESK_ONION, WITH_DESK

from keys import edition
from keys.desk.keygen import new_onions


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    yaml = fill(folder, YAML + f"onion: {ONION}\n" + WITH_DESK)
    done = build(yaml, "-o", folder / "out", "--sign", folder / "masthead.key")
    assert done.returncode == 0, done.stderr
    assert f"{folder}/out/desk: the page for journalists, and for nobody else\n" in done.stdout
    return folder / "out"


def inline(page: str, tag: str) -> str:
    return page.partition(f"<{tag}>")[2].partition(f"</{tag.split()[0]}>")[0]


def digest(text: str) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(text.encode()).digest()).decode()


@pytest.mark.parametrize("language", ["en", "nl"])
def test_it_is_one_file_whose_policy_names_what_it_holds(built: Path, language: str) -> None:
    text = (built / f"desk/desk-{language}.html").read_text()
    page = Page(text)
    (policy,) = (meta["content"] for meta in page.all("meta") if "http-equiv" in meta)
    rules = dict(rule.split(" ", 1) for rule in (policy or "").split("; "))
    assert rules["default-src"] == rules["form-action"] == rules["base-uri"] == "'none'"
    assert rules["connect-src"] == f"http://{DESK_ONION}"
    for name, tag in (("script-src", 'script type="module"'), ("style-src", "style")):
        assert rules[name] == f"'{digest(inline(text, tag))}'"
    assert rules["require-trusted-types-for"] == "'script'"
    # The policy counts for what comes after it.
    assert text.index("Content-Security-Policy") < text.index("<style>") < text.index("<script")
    for tag, attributes in page.tags:
        assert not {name for name in attributes if name.startswith("on") or name in ("src", "style")}, tag
        assert tag not in ("img", "iframe", "object", "embed", "base")
        assert (attributes.get("href") or "#").startswith(("#", "data:,"))


def test_it_is_listed_and_signed_and_not_among_the_files_of_the_relay(built: Path) -> None:
    manifest = edition.verify(built / "edition", KEY.public, datetime.now(UTC).date())
    pages = {path.name: path.read_bytes() for path in (built / "desk").iterdir()}
    assert {one.name: (one.size, one.sha256) for one in manifest.desk or ()} == {
        name: (len(page), hashlib.sha256(page).hexdigest()) for name, page in pages.items()
    }
    assert sorted(pages) == ["desk-en.html", "desk-nl.html"]
    assert not [file.path for file in manifest.files if "desk" in file.path]


def test_nothing_that_sources_get_names_the_desk_onion(built: Path) -> None:
    name = DESK_ONION.removesuffix(".onion").encode()
    holding = [path for path in built.rglob("*") if path.is_file() and name in path.read_bytes()]
    assert sorted(path.relative_to(built).as_posix() for path in holding) == [
        "desk/desk-en.html",
        "desk/desk-nl.html",
    ]


def test_a_check_finds_a_page_that_was_altered(built: Path) -> None:
    yaml = built.parent / "newsroom.yaml"
    assert build(yaml, "-o", built, "--check").returncode == 0
    page = built / "desk/desk-en.html"
    whole = page.read_text()
    page.write_text(whole.replace("connect-src", "connect-src *"))
    assert "desk/desk-en.html differs\n" in build(yaml, "-o", built, "--check").stderr
    page.write_text(whole)


def test_without_the_onion_of_the_desks_there_is_none(tmp_path: Path) -> None:
    assert build(fill(tmp_path), "-o", tmp_path / "out").returncode == 0
    assert not (tmp_path / "out/desk").exists()
    assert "desk" not in json.loads((tmp_path / "out/edition/manifest.json").read_bytes())


def test_the_onion_is_the_one_in_its_file_and_not_the_sources(tmp_path: Path) -> None:
    new_onions(tmp_path)
    yaml = fill(tmp_path, YAML + "onion: source-onion/hostname\ndesk_onion: source-onion/hostname\n")
    assert (
        "newsroom.yaml:10: desk_onion: it is the source onion's" in build(yaml, "-o", tmp_path / "o").stderr
    )
    yaml.write_text(YAML + "onion: source-onion/hostname\ndesk_onion: desk-onion/hostname\n")
    assert build(yaml, "-o", tmp_path / "out").returncode == 0
    address = (tmp_path / "desk-onion/hostname").read_text().strip()
    assert f"connect-src http://{address};" in (tmp_path / "out/desk/desk-en.html").read_text()


@pytest.mark.parametrize("text", [b"a</SCRIPT>b", b"</style", b"<!-- x"])
def test_a_script_that_would_end_early_is_not_written(text: bytes) -> None:
    with pytest.raises(ValueError, match="markup"):
        runpy.run_path(str(ROOT / "desk_page.py"))["inside"](b"", text, "http://x")


def test_the_data_block_is_what_the_script_reads(built: Path) -> None:
    readme = (ROOT / "site/scripts/desk.md").read_text()
    wanted = set(re.findall(r"^\| `([a-z_]+)` \| .* \|", readme.partition("## Messages")[2], re.M))
    for language in ("en", "nl"):
        page = (built / f"desk/desk-{language}.html").read_text()
        data = json.loads(page.partition('id="edition">')[2].partition("</script>")[0])
        assert data["language"] == language
        assert data["relay"] == f"http://{DESK_ONION}"
        assert (data["idle_minutes"], data["expires"]) == (15, "2199-06-30")
        assert [one["name"] for one in data["recipients"]] == ["ada", "bo"]
        assert [one["id"] for one in data["questions"]] == ["evidence", "others"]
        assert (data["partners"], data["former"]) == ([], [])
        assert set(data["messages"]) == wanted
