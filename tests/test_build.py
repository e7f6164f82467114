"""build.py as a program: the same bytes every time, whole or not at all."""

import json
import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from support.builds import JOURNALISTS, KEY, PASSPHRASE, YAML, build, fill

from keys import edition
from keys.identity import lock
from keys.masthead import MastheadKey
from keys.newsroom import Newsroom


@pytest.fixture
def yaml(tmp_path: Path) -> Path:
    return fill(tmp_path)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("built")
    done = build(fill(folder), "-o", folder / "out", "--sign", folder / "masthead.key")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == (
        f'{folder}/out/edition: edition 3 of The Lantern <& "Co">, until 2199-06-30, signed\n'
        f"{folder}/out/landing: the page for the ordinary web\n"
    )
    return folder / "out"


def contents(folder: Path) -> dict[str, tuple[int, bytes]]:
    return {
        p.relative_to(folder).as_posix(): (p.stat().st_mode, b"" if p.is_dir() else p.read_bytes())
        for p in folder.rglob("*")
    }


def test_an_edition_verifies(built: Path) -> None:
    manifest = edition.verify(built / "edition", KEY.public, datetime.now(UTC).date())
    pages = {
        f"/{language}/{page}.html"
        for language in ("en", "nl")
        for page in ("index", "send", "answers", "genuine")
    }
    forms = {
        f"/{language}/sealer/{name}"
        for language in ("en", "nl")
        for name in ("messages.json", "sealed.html", "sealed-done.html", "problem.html")
    }
    assert {file.path for file in manifest.files} == pages | forms | {
        "/recipients.txt",
        "/index.html",
        "/newsroom.json",
        "/scripts/send.js",
        "/scripts/answers.js",
        "/styles/page.css",
    }
    newsroom = Newsroom.from_json((built / "edition/newsroom.json").read_bytes())
    assert newsroom.questions[0].ask["nl"] == "Waarop berust dit: documenten, getuigen, eigen waarneming?"


def test_two_builds_are_the_same_bytes(built: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "else where"
    elsewhere.mkdir()
    fill(elsewhere)
    done = build(
        *("newsroom.yaml", "-o", "out", "--sign", "masthead.key", "--cache", tmp_path / "cold"),
        cwd=elsewhere,
        env={
            "PYTHONHASHSEED": "12345",
            "TZ": "Pacific/Kiritimati",
            "LC_ALL": "C",
            "LANG": "nl_NL",
            "NODE_ENV": "x",
        },
        umask=0o077,
    )
    assert done.returncode == 0, done.stderr
    assert contents(elsewhere / "out") == contents(built)


def test_a_build_is_replaced_whole(yaml: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(yaml, "-o", out).returncode == 0
    (out / "landing/stale.html").write_text("old")
    yaml.write_text(YAML.replace("edition: 3", "edition: 4"))
    assert build(yaml, "-o", out).returncode == 0
    assert not (out / "landing/stale.html").exists()
    assert json.loads((out / "edition/manifest.json").read_bytes())["edition"] == 4
    before = contents(out)
    yaml.write_text(YAML.replace("name:", "nome:"))
    assert build(yaml, "-o", out).returncode == 1
    assert contents(out) == before
    assert not list(tmp_path.glob(".out.*"))


def test_check_says_what_differs(yaml: Path, tmp_path: Path, built: Path) -> None:
    out = tmp_path / "out"
    assert build(yaml, "-o", out, "--sign", tmp_path / "masthead.key").returncode == 0
    before = contents(tmp_path)
    done = build(yaml, "-o", out, "--check")
    assert (done.returncode, done.stderr) == (0, "")
    assert contents(tmp_path) == before
    page = out / "landing/en.html"
    page.write_text(page.read_text().replace("Tails", "Fails"))
    (out / "landing/more").write_text("")
    done = build(yaml, "-o", out, "--check")
    assert done.returncode == 1
    assert "landing/en.html differs\n" in done.stderr
    assert "landing/more was added\n" in done.stderr
    (out / "edition/en/send.html").write_text("")
    assert "/en/send.html is not what the newsroom signed" in build(yaml, "-o", out, "--check").stderr


def test_where_there_is_nothing_to_check_or_to_build_in_says_so(yaml: Path, tmp_path: Path) -> None:
    assert "nowhere holds no edition to check\n" in build(yaml, "-o", tmp_path / "nowhere", "--check").stderr
    assert "no/such is not a folder\n" in build(yaml, "-o", tmp_path / "no/such/out").stderr


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (("edition: 3", "edtion: 3"), "newsroom.yaml:7: unknown option 'edtion'; the nearest is 'edition'"),
        (("nl]", "xx]"), "newsroom.yaml:4: languages: 'xx' has no catalogue; there are en, nl"),
        (("2199", "2020"), "this edition expired on 2020-06-30"),
        (("ada.pub", "masthead.pub"), "newsroom.yaml:5: recipients: it has no line such as `# name: ada`"),
    ],
)
def test_a_mistake_is_told_and_nothing_is_built(
    yaml: Path, tmp_path: Path, change: tuple[str, str], says: str
) -> None:
    yaml.write_text(YAML.replace(*change))
    done = build(yaml, "-o", tmp_path / "out")
    assert done.returncode == 1
    assert f"build: error: {says}" in done.stderr.replace("the site cannot be built: ", "")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("ada.pub", "ada.pub is not a whole locked masthead"),
        ("missing.key", "missing.key: No such file"),
        (".", "Is a directory"),
    ],
)
def test_what_is_no_key_does_not_sign(yaml: Path, tmp_path: Path, key: str, says: str) -> None:
    done = build(yaml, "-o", tmp_path / "out", "--sign", tmp_path / key)
    assert done.returncode == 1
    assert says in done.stderr
    assert re.fullmatch(r"build: error: .+\n(build: hint: .+\n)?", done.stderr)
    assert not (tmp_path / "out").exists()


def test_usage_is_told() -> None:
    assert build("newsroom.yaml").returncode == 2
    done = build("--nonsense")
    assert done.returncode == 2
    assert "build.py: error: unrecognized arguments: --nonsense" in done.stderr


def test_another_mastheads_key_does_not_sign(yaml: Path, tmp_path: Path) -> None:
    (tmp_path / "masthead.key").write_bytes(lock(MastheadKey.generate().to_text(), PASSPHRASE, 4))
    done = build(yaml, "-o", tmp_path / "out", "--sign", tmp_path / "masthead.key")
    assert done.returncode == 1
    assert "do not agree" in done.stderr
    (tmp_path / "masthead.key").write_bytes(lock(KEY.to_text(), b"another passphrase", 4))
    done = build(yaml, "-o", tmp_path / "out", "--sign", tmp_path / "masthead.key")
    assert "the passphrase does not unlock" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_folder_that_is_no_build_is_left_alone(yaml: Path, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("mine")
    done = build(yaml, "-o", tmp_path / "precious")
    assert done.returncode == 1
    assert "holds no edition" in done.stderr
    assert (tmp_path / "precious/file").read_text() == "mine"


def test_a_key_that_went_without_a_word_is_told(yaml: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert build(yaml, "-o", out).stderr == ""
    text = yaml.read_text().replace("[ada.pub, bo.pub]", "[ada.pub]").replace("edition: 3", "edition: 4")
    yaml.write_text(text)
    done = build(yaml, "-o", out)
    assert done.returncode == 0
    assert done.stderr.startswith("build: warning: what bo signed with the last key will look forged")
    signer = JOURNALISTS["bo"].public.signer.hex()
    yaml.write_text(YAML)
    build(yaml, "-o", out)
    yaml.write_text(f"{text}former: [{{name: bo, signer: {signer}, until: 2026-11-22}}]\n")
    assert build(yaml, "-o", out).stderr == ""
    (former,) = json.loads((out / "edition/newsroom.json").read_bytes())["former"]
    assert former == {"name": "bo", "signer": signer, "until": "2026-11-22"}
