"""What the documents name is there: every relative link, and every file of ours in backticks."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
FOLDERS = ("bench", "keys", "provision", "relay", "requirements", "site", "tests")
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*ROOT.glob("*.md"), *(path for folder in FOLDERS for path in (ROOT / folder).rglob("*.md")))
    if "node_modules" not in path.parts
)


def links(text: str) -> list[str]:
    """Where a document's links lead, those to other sites left out."""
    found = re.findall(r"\]\(([^)\s]+)\)", text)
    return [link.partition("#")[0] for link in found if not re.match(r"[a-z]+:|#", link)]


def files(text: str) -> list[str]:
    """What stands in backticks and is a path of this checkout."""
    return re.findall(rf"`((?:{'|'.join(FOLDERS)})/[\w./*-]*)`", text)


def test_there_is_something_to_check() -> None:
    assert {"README.md", "THREATS.md", "keys/FORMAT.md", "relay/PROTOCOL.md"} <= set(DOCUMENTS)
    assert links("[a](keys/x.md#part), [b](https://x.example/y), [c](#part)") == ["keys/x.md"]
    assert files("`tests/vectors/` and `keys/options.py`, not `out/keys/x` or `keys`") == [
        "tests/vectors/",
        "keys/options.py",
    ]


@pytest.mark.parametrize("document", DOCUMENTS)
def test_what_a_document_names_is_there(document: str) -> None:
    text = (ROOT / document).read_text()
    folder = (ROOT / document).parent
    assert [link for link in links(text) if not (folder / link).exists()] == []
    assert [name for name in files(text) if not list(ROOT.glob(name.rstrip("/")))] == []


def test_the_map_has_every_part() -> None:
    rows = re.findall(r"^\| (`.+?) \|", (ROOT / "README.md").read_text(), re.M)
    named = {name.partition("/")[0] for row in rows for name in re.findall(r"[\w./]+", row)}
    there = {path.name for path in ROOT.glob("*.md")} | {"build.py", *FOLDERS}
    assert there - named == {"README.md", "CHANGELOG.md"}
