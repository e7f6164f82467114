"""The page's rotation and the command line's are one: each reads what the other made, and makes the same of
it."""

import base64
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.newsdesk import PASSPHRASE, Newsdesk

from keys.identity import MOST_FORMER, Journalist, lock, parse_public, unlock

_NODE = Path(sys.prefix) / "bin/node"
_SCRIPT = Path(__file__).parent / "support/rotation.mjs"
FAST = 4  # work factor
Page = Callable[..., Any]
NAMES = st.from_regex("[a-z][a-z0-9-]{0,31}", fullmatch=True)
# What a person can type; a line of it, since the command reads one.
PASSPHRASES = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40)
# Each example asks the same program, which remembers nothing between two of them.
settings.register_profile(
    "rotation", deadline=None, max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@pytest.fixture(scope="module")
def page() -> Iterator[Page]:
    with subprocess.Popen([_NODE, _SCRIPT], text=True, stdin=-1, stdout=-1) as process:
        assert process.stdin
        assert process.stdout
        writing, reading = process.stdin, process.stdout

        def ask(file: bytes, passphrase: str, name: str, **more: bool) -> Any:
            job = {"file": base64.b64encode(file).decode(), "passphrase": passphrase, "name": name}
            writing.write(json.dumps(job | {"work": FAST} | more) + "\n")
            writing.flush()
            return json.loads(reading.readline())

        yield ask
        writing.close()
        assert process.wait() == 0


def someone(name: str, former: int) -> Journalist:
    one = Journalist.generate(name)
    for _ in range(former):
        one = one.rotated()
    return one


@given(NAMES, PASSPHRASES, st.integers(0, MOST_FORMER - 1))
@settings(settings.get_profile("rotation"))
def test_the_command_reads_what_the_page_makes_of_its_file(
    page: Page, name: str, passphrase: str, former: int
) -> None:
    old = someone(name, former)
    made = page(lock(old.to_text(), passphrase.encode(), FAST), passphrase, name)
    text = unlock(base64.b64decode(made["file"]), passphrase.encode())
    new = Journalist.parse(text)
    assert text == new.to_text()
    assert (new.name, new.former) == (name, old.identities)
    assert new.identity not in old.identities
    assert made["text"] == new.public_file()
    public = parse_public(made["text"])
    assert public.rotation is not None
    assert public.rotation.signer == old.public.signer
    assert made["number"] == public.number


@given(NAMES, st.integers(1, MOST_FORMER))
@settings(settings.get_profile("rotation"))
def test_the_page_makes_the_same_pub_of_a_file_that_the_command_rotated(
    page: Page, name: str, former: int
) -> None:
    one = someone(name, former)
    made = page(lock(one.to_text(), b"x", FAST), "x", name, as_it_is=True)
    assert (made["text"], made["number"]) == (one.public_file(), one.public.number)


def test_the_command_goes_on_with_a_file_that_the_page_rotated(page: Page, tmp_path: Path) -> None:
    newsdesk = Newsdesk(tmp_path / "newsdesk")
    assert newsdesk.join("ada", relay="http://127.0.0.1:1").status == 0
    key = newsdesk.folder / "ada.key"
    made = page(key.read_bytes(), PASSPHRASE.decode(), "ada")
    key.write_bytes(base64.b64decode(made["file"]))
    # No edition lists the new key: there is no other, and its .pub is written again.
    done = newsdesk.desk("ada", "rotate")
    assert (done.status, done.err) == (0, "")
    assert made["number"] in done.out
    assert key.with_suffix(".pub").read_text() == made["text"]
    assert Journalist.parse(unlock(key.read_bytes(), PASSPHRASE)).public_file() == made["text"]
    assert "no edition lists your new key yet: the newsroom needs ada.pub" in newsdesk.desk("ada", "list").err
