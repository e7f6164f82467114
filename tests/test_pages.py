"""What the built pages hold: a strict policy, sound markup, and what a source must be told."""

import base64
import hashlib
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from support.builds import ALLIANCE, ONION, ROOT, YAML, Page, build, fill


def made(folder: Path, yaml: str) -> Path:
    done = build(fill(folder, yaml), "-o", folder / "out")
    assert done.returncode == 0, done.stderr
    return folder / "out"


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("built"), YAML)


@pytest.fixture(scope="module")
def alliance(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return made(tmp_path_factory.mktemp("alliance"), ALLIANCE)


def pages(out: Path) -> Iterator[tuple[str, Page]]:
    for path in sorted(out.rglob("*.html")):
        yield path.relative_to(out).as_posix(), Page(path.read_text())


def digest(data: bytes) -> str:
    return "sha384-" + base64.b64encode(hashlib.sha384(data).digest()).decode()


def test_a_page_runs_its_one_script_or_none(built: Path) -> None:
    value = json.loads((built / "edition/manifest.json").read_bytes())
    shared = value["headers"]
    assert shared["Referrer-Policy"] == "no-referrer"
    assert shared["Cache-Control"] == "no-store"
    assert shared["X-Content-Type-Options"] == "nosniff"
    for file in value["files"]:
        headers = shared | file["headers"]
        policy = dict(part.split(" ", 1) for part in headers["Content-Security-Policy"].split("; "))
        assert policy["default-src"] == policy["form-action"] == policy["base-uri"] == "'none'"
        assert policy["require-trusted-types-for"] == "'script'"
        if not file["path"].endswith(("/send.html", "/answers.html")):
            assert policy["script-src"] == policy["connect-src"] == "'none'"
            continue
        page = Page((built / "edition" / file["path"][1:]).read_text())
        (script,) = (s for s in page.all("script") if "src" in s)
        assert script["type"] == "module"
        assert script["integrity"] == digest((built / "edition" / script["src"][1:]).read_bytes())
        assert policy["script-src"] == f"'{script['integrity']}'"


def test_nothing_is_inline_and_nothing_comes_from_elsewhere(built: Path, alliance: Path) -> None:
    for out in (built, alliance):
        for name, page in pages(out):
            for tag, attributes in page.tags:
                assert not {a for a in attributes if a.startswith("on") or a == "style"}, (name, tag)
                assert tag not in ("style", "img", "iframe", "svg", "object", "embed", "base")
                assert (attributes.get("src") or "/").startswith("/")
            (sheet,) = (link for link in page.all("link") if link["rel"] == "stylesheet")
            where = out / "edition" if sheet["href"].startswith("/") else out / "landing"
            assert sheet["integrity"] == digest((where / sheet["href"].lstrip("/")).read_bytes())
            if name.startswith("landing/"):
                assert not page.all("script")
                assert (
                    "default-src 'none'" in page.all("meta")[1]["content"] + page.all("meta")[-1]["content"]
                )


def test_links_lead_somewhere_and_ids_are_there_once(alliance: Path) -> None:
    for name, page in pages(alliance):
        ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
        assert len(ids) == len(set(ids)), name
        for tag, attributes in page.tags:
            for reference in ("for", "aria-labelledby", "aria-describedby"):
                assert set((attributes.get(reference) or "").split()) <= set(ids), (name, tag)
        for link in page.all("a"):
            # From one lane to the other on the same onion: to the relay's port, or to the sealer's.
            href = re.sub(rf"^http://{ONION}(:8080)?/", "/", link["href"] or "")
            if href.startswith("#"):
                assert href[1:] in ids
            elif href.startswith("https://"):
                assert link["rel"] == "noreferrer"
                assert name.startswith("landing/")
            else:
                folder = alliance / "edition" if href.startswith("/") else alliance / "landing"
                assert (folder / href.lstrip("/")).is_file(), (name, href)


def test_the_script_is_readable(built: Path) -> None:
    script = (built / "edition/scripts/send.js").read_text()
    assert "function " in script
    assert max(map(len, script.splitlines())) < 20_000
    assert str(ROOT) not in script


def test_the_data_block_is_what_the_scripts_read(alliance: Path) -> None:
    readme = (ROOT / "site/scripts/README.md").read_text()
    wanted = set(re.findall(r"^\| `([a-z_]+)` \| .* \|", readme.partition("## Messages")[2], re.M))
    for language in ("en", "nl"):
        for name in ("send", "answers"):
            page = Page((alliance / f"edition/{language}/{name}.html").read_text())
            assert "<" not in page.data
            data = json.loads(page.data)
            assert data["language"] == language
            assert set(data["messages"]) == wanted
            assert [(r["name"], r["title"], r["partner"]) for r in data["recipients"]] == [
                ("ada", "ada", "one"),
                ("bo", "bo", "two"),
            ]
            assert data["partners"][1] == {"name": "two", "title": "Two", "recipients": ["bo"]}
            assert data["choose"] == 1
            assert data["questions"] == [
                {"id": "when", "type": "choice", "required": True, "choices": ["Now", "</script>"]}
            ]
            assert data["terms"]["stanzas"] == 2


def test_the_markup_has_every_id_that_the_scripts_look_for(built: Path) -> None:
    for name in ("send", "answers"):
        ids = {a.get("id") for _, a in Page((built / f"edition/en/{name}.html").read_text()).tags}
        for shared in (
            "edition",
            "no-script",
            "app",
            "problem",
            "status",
            "write",
            "message",
            "files",
            "file-list",
        ):
            assert shared in ids
        for shared in (
            "file-item",
            "to",
            "total",
            "step-sending",
            "progress",
            "progress-text",
            "cancel",
            "typed",
        ):
            assert shared in ids


def test_without_script_the_warning_shows_and_the_form_does_not(built: Path) -> None:
    for name in ("send", "answers"):
        page = Page((built / f"edition/en/{name}.html").read_text())
        by_id = {attributes.get("id"): attributes for _, attributes in page.tags}
        assert "hidden" not in by_id["no-script"]
        assert "hidden" in by_id["app"]
        assert "Safest" in " ".join(page.text)


@pytest.mark.parametrize("decided", ["seal", "refuse"])
def test_the_warning_leads_to_the_lane_without_javascript(tmp_path: Path, decided: str) -> None:
    out = made(tmp_path, f"{YAML}onion: {ONION}\nwithout_javascript: {decided}\n")
    for language in ("en", "nl"):
        for name in ("send", "answers"):
            page = Page((out / f"edition/{language}/{name}.html").read_text())
            assert f"http://{ONION}:8080/{language}/{name}.html" in [link["href"] for link in page.all("a")]
            said = " ".join(" ".join(page.text).split())
            costs = ("the box then sees what you send", "de box ziet dan heel even wat u verstuurt")
            assert any(cost in said for cost in costs) == (decided == "seal")


def test_one_partner_is_chosen_as_the_browser_asks_for_it(tmp_path: Path) -> None:
    for choose, kind in ((1, "radio"), (2, "checkbox")):
        folder = tmp_path / kind
        folder.mkdir()
        yaml = ALLIANCE.replace("choose: 1", f"choose: {choose}") + "without_javascript: seal\n"
        page = Page((made(folder, yaml) / "edition/en/sealer/write.html").read_text())
        boxes = [box for box in page.all("input") if box.get("name") == "to"]
        assert [box["type"] for box in boxes] == [kind, kind]
        assert all(("required" in box) == (choose == 1) for box in boxes)


def test_a_page_that_does_not_know_its_address_says_that_there_is_no_such_lane(built: Path) -> None:
    page = Page((built / "edition/en/send.html").read_text())
    assert not any(":8080" in (link["href"] or "") for link in page.all("a"))
    assert "no way to send without JavaScript here" in " ".join(page.text)


def test_the_list_of_keys_is_what_age_reads(built: Path, alliance: Path) -> None:
    for out in (built, alliance):
        newsroom = json.loads((out / "edition/newsroom.json").read_bytes())
        lines = (out / "edition/recipients.txt").read_text().splitlines()
        assert [line for line in lines if line[0] != "#"] == [
            one["recipient"] for one in newsroom["recipients"]
        ]


@pytest.mark.parametrize(
    ("page", "words"),
    [
        (
            "index",
            "employer|home|torproject|Tails|Safer|that you use Tor|second place|Tell nobody|habits|lawyer",
        ),
        (
            "index",
            "Who runs the box|What is kept|36 days|What is logged|absolute guarantee|shoulder|altered page",
        ),
        (
            "send",
            "Who may read|metadata|Metadata Cleaner|Official documents|photograph|2.1 GB|point to you|twelve",
        ),
        (
            "send",
            "cannot be recovered|New Identity|Come back|once a week|Answers wait|No journalist needs",
        ),
        ("answers", "same file for every visitor|New Identity|no answer yet"),
        ("genuine", "minisign -Vm manifest.json|56 letters|not on the box"),
    ],
)
def test_a_source_is_told(built: Path, page: str, words: str) -> None:
    said = " ".join(" ".join(Page((built / f"edition/en/{page}.html").read_text()).text).split())
    assert [word for word in words.split("|") if word.lower() not in said.lower()] == []
    assert "!" not in said
    assert 'The Lantern <& "Co">' in said


def test_the_landing_page_shows_the_address_or_says_there_is_none(built: Path, alliance: Path) -> None:
    assert "There is no address yet" in (built / "landing/index.html").read_text()
    for page in ("landing/en.html", "landing/nl.html", "edition/en/genuine.html"):
        assert ONION in "".join(Page((alliance / page).read_text()).text)  # in groups, but one word to copy


def test_a_page_for_an_old_onion_leads_to_the_new_one_and_takes_nothing(built: Path, alliance: Path) -> None:
    assert not list(built.rglob("moved.html"))
    edition = alliance / "edition"
    assert (edition / "moved.html").read_bytes() == (edition / "en/moved.html").read_bytes()
    for language in ("en", "nl"):
        page = Page((edition / language / "moved.html").read_text())
        assert ONION in "".join(page.text)
        assert {"href": f"http://{ONION}/{language}/index.html"} in page.all("a")
        assert page.all("form") == page.all("input") == page.all("script") == []
        assert f"minisign -Vm manifest.json -P {newsroom_masthead(alliance)}" in "".join(page.text)
    assert "second place" in " ".join(Page((edition / "moved.html").read_text()).text)


def newsroom_masthead(out: Path) -> str:
    said: str = json.loads((out / "edition/newsroom.json").read_bytes())["masthead"]
    return said
