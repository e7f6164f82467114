"""Each language shipped is complete, and each colour easy to read."""

import re
import string
import unicodedata
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from mnemonic import Mnemonic

from keys.codename import word_list

ROOT = Path(__file__).parent.parent
LOCALES = sorted((ROOT / "site/locales").glob("*.po"))


def extracted() -> dict[str, tuple[str, ...]]:
    """Every text that the templates and the default questions hold, with its plural where it has one."""
    with (ROOT / "site/babel.cfg").open() as file:
        mapping, options = parse_mapping_cfg(file)
    found = {}
    for _, _, text, _, _ in extract_from_dir(
        ROOT, mapping, options, {"_": None, "gettext": None, "ngettext": (1, 2), "translatable": None}
    ):
        forms = (text,) if isinstance(text, str) else tuple(text)
        found[forms[0]] = forms
    return found


def marks(text: str) -> list[str]:
    """The placeholders and tags that a translation must keep."""
    braces = [f"{{{name}}}" for _, name, _, _ in string.Formatter().parse(text) if name]
    return sorted([*braces, *re.findall(r"%\(\w+\)s", text), *re.findall(r"<[^>]+>", text)])


@pytest.mark.parametrize("path", LOCALES, ids=lambda path: path.stem)
def test_a_catalogue_is_complete(path: Path) -> None:
    with path.open("rb") as file:
        catalogue: Catalog = read_po(file, abort_invalid=True)
    texts = extracted()
    assert len(texts) > 150
    assert {(m.id if isinstance(m.id, str) else m.id[0]) for m in catalogue if m.id} == set(texts)
    assert not catalogue.obsolete
    for text, forms in texts.items():
        message = catalogue[text]
        said = (message.string,) if isinstance(message.string, str) else tuple(message.string)
        assert all(said), text
        assert not message.fuzzy, text
        assert len(said) == (catalogue.num_plurals if len(forms) == 2 else 1), text
        for one in said:
            assert marks(one) == marks(forms[-1]) or marks(one) == marks(text), text
            assert (one[-1] in ".?:;…") == (text[-1] in ".?:;…"), text
            assert "!" not in one


@pytest.mark.parametrize("language", ["cs", "es", "fr", "it", "ja", "ko", "pt", "zh", "zh-Hant"])
def test_every_word_list_is_there(language: str) -> None:
    named = "-".join(reversed(word_list(language).split("_")))
    bundled = (ROOT / f"site/node_modules/@scure/bip39/wordlists/{named}.js").read_text()
    words = bundled.partition("`")[2].partition("`")[0].split()
    assert named != "english"
    assert len(words) == 2048
    assert [unicodedata.normalize("NFKD", word) for word in words] == Mnemonic(word_list(language)).wordlist


def luminance(colour: str) -> float:
    """WCAG 2.2's relative luminance of #rrggbb."""
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_is_easy_to_tell_from_its_ground(scheme: int) -> None:
    css = (ROOT / "site/styles/page.css").read_text()
    colours = dict(
        re.findall(r"--([a-z-]+): (#[0-9a-f]{6});", re.findall(r":root \{(.*?)\}", css, re.S)[scheme])
    )
    for ink, ground in (
        ("ink", "paper"),
        ("ink", "faint"),
        ("ink", "alarm-paper"),
        ("soft", "paper"),
        ("soft", "faint"),
        ("link", "paper"),
        ("link", "faint"),
        ("on-link", "link"),
        ("alarm", "paper"),
    ):
        assert contrast(colours[ink], colours[ground]) >= 7, (ink, ground)
    assert contrast(colours["line"], colours["paper"]) >= 3


def test_the_style_works_in_both_directions_and_is_still() -> None:
    css = re.sub(r"/\*.*?\*/", "", (ROOT / "site/styles/page.css").read_text(), flags=re.S)
    assert not re.findall(r"\b(?:margin|padding|border|inset)?-?(?:left|right)\b", css)
    assert not re.findall(r"animation|transition|@font-face|url\(|@import", css)
