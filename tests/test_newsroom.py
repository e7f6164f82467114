"""newsroom.yaml: what is right becomes a Newsroom, and every mistake is told at once, with its line."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from keys.age import HybridIdentity
from keys.desk.keygen import new_onions
from keys.errors import BadNewsroom
from keys.identity import Journalist
from keys.masthead import MastheadKey
from keys.newsroom import LONGEST_YAML, Newsroom, load, load_with_box
from keys.options import QUESTIONS, Box, Options
from keys.schema import Section

ROOT = Path(__file__).parent.parent
JOURNALISTS = {
    name: Journalist(name, HybridIdentity(bytes([i]) * 32)) for i, name in enumerate(("ada", "bo"))
}
MASTHEAD = MastheadKey(b"8 bytes!", bytes(range(32)))
ONION = "duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczad.onion"

PLAIN = """\
name: The Lantern
operator: We run it ourselves.
address: https://lantern.example/tips
languages: [en, nl]
recipients: [ada.pub, {file: bo.pub, title: Bo de Vries}]
masthead: masthead.pub
edition: 3
expires: 2027-06-30
"""

Write = Callable[[str | bytes], Path]


def keys_into(folder: Path) -> None:
    for name, journalist in JOURNALISTS.items():
        (folder / f"{name}.pub").write_text(journalist.public_file())
    (folder / "masthead.pub").write_text(MASTHEAD.public.to_file())


@pytest.fixture
def write(tmp_path: Path) -> Write:
    keys_into(tmp_path)

    def into(text: str | bytes) -> Path:
        path = tmp_path / "newsroom.yaml"
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return into


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One folder for all of hypothesis's examples."""
    folder = tmp_path_factory.mktemp("newsroom")
    keys_into(folder)
    return folder


def mistakes(path: Path, catalogues: set[str] | None = None) -> list[str]:
    with pytest.raises(BadNewsroom) as caught:
        load(path, catalogues)
    return caught.value.detail.splitlines()


def test_the_box_is_read_and_stays_out_of_what_is_published(write: Write) -> None:
    bridge = f"obfs4 192.0.2.1:443 {'AB' * 20} cert=ab+/= iat-mode=0"
    disk = "/dev/disk/by-id/usb-Some_Disk_0123-0:0"
    more = f"reserve: 1 GiB, bridges: ['{bridge}'], ssh: onion, disk: '{disk}'"
    newsroom, box = load_with_box(write(f"{PLAIN}box: {{host: 203.0.113.7, {more}}}\n"))
    assert box == Box(host="203.0.113.7", reserve=1 << 30, bridges=(bridge,), ssh="onion", disk=disk)
    assert newsroom == load(write(PLAIN))
    assert load_with_box(write(PLAIN))[1] is None


@pytest.mark.parametrize(
    "box",
    [
        "{}",
        "{host: -oProxyCommand=x}",
        "{host: a, user: 'root -x'}",
        "{host: a, reserve: 1 MiB}",
        "{host: a, bridges: ['192.0.2.1:443 x\\nNoExec 0']}",
        "{host: a, ssh: closed}",
        "{host: a, tor: mine}",
        "{host: a, bridges: ['meek 192.0.2.1:443']}",
        "{host: a, disk: /dev/sda}",
        "{host: a, disk: /dev/disk/by-id/../../sda}",
        "{host: a, disk: '/dev/disk/by-id/a b'}",
    ],
)
def test_a_box_that_cannot_be_meant_is_a_mistake(write: Write, box: str) -> None:
    (mistake,) = mistakes(write(f"{PLAIN}box: {box}\n"))
    assert mistake.startswith("newsroom.yaml:9: box: ")


def test_the_required_options_suffice(write: Write) -> None:
    newsroom = load(write(PLAIN))
    assert newsroom.id == MASTHEAD.public.newsroom
    assert newsroom.masthead == str(MASTHEAD.public)
    assert [(r.name, r.title) for r in newsroom.recipients] == [("ada", None), ("bo", "Bo de Vries")]
    assert [r.signer for r in newsroom.recipients] == [j.public.signer.hex() for j in JOURNALISTS.values()]
    assert [r.recipient for r in newsroom.recipients] == [
        str(j.public.recipient) for j in JOURNALISTS.values()
    ]
    assert (newsroom.limits.drop, newsroom.retention.days) == (2 << 30, 30)
    assert (newsroom.board.lines, newsroom.board.post) == (512, 4)


def test_no_more_than_ten_options_are_required() -> None:
    required = Section(Options).schema()["required"]
    assert len(required) <= 10
    assert all(re.search(rf"^{name}:", PLAIN, re.M) for name in required)


def test_the_page_asks_for_evidence_unless_told_otherwise(write: Write) -> None:
    asked = {question.id: question for question in load(write(PLAIN)).questions}
    assert asked["evidence"].required
    assert "documents, witnesses" in asked["evidence"].ask["*"]
    assert load(write(PLAIN + "questions: []\n")).questions == ()


def test_the_example_is_right(write: Write, tmp_path: Path) -> None:
    (tmp_path / "recipients").mkdir()
    keys_into(tmp_path / "recipients")
    text = (ROOT / "newsroom.example.yaml").read_text()
    assert load(write(text)).name == "The Lantern"
    # So is what it holds in comments.
    (tmp_path / "source-onion").mkdir()
    (tmp_path / "source-onion/hostname").write_text(ONION + "\n")
    uncommented = re.sub(r"^# (?=( *- |  |[a-z]+: *(?!\S+ .*\.$)))", "", text, flags=re.M)
    newsroom = load(write(uncommented))
    assert newsroom.id == "lantern"
    assert newsroom.onion == ONION
    assert newsroom.choose == 1
    assert [p.name for p in newsroom.partners] == ["lantern", "herald"]
    assert [q.id for q in newsroom.questions] == ["evidence", "when"]


def test_the_onion_is_the_one_in_its_file(write: Write, tmp_path: Path) -> None:
    assert load(write(PLAIN + f"onion: {ONION.upper().replace('ONION', 'onion')}\n")).onion == ONION
    (place, address), *_ = new_onions(tmp_path)
    (place / "authorized_clients").mkdir()  # as tor does
    assert load(write(PLAIN + "onion: source-onion/hostname\n")).onion == address


@pytest.mark.parametrize(
    ("file", "says"),
    [
        ("desk-onion/hostname", "is a closed onion's, which no source is to learn"),
        ("ssh-onion/hostname", "is a closed onion's, which no source is to learn"),
        ("source-onion", "source-onion cannot be read: Is a directory"),
        ("source-onion/hs_ed25519_secret_key", "hs_ed25519_secret_key:1: this line is not UTF-8"),
        ("masthead.pub", "masthead.pub: an address is 56 letters and digits with a checksum, then .onion"),
        (ONION.removesuffix(".onion"), "cannot be read: No such file or directory"),
        ("long" * 100, "cannot be read: File name too long"),
    ],
)
def test_a_file_that_is_not_the_source_onions_is_told(
    write: Write, tmp_path: Path, file: str, says: str
) -> None:
    new_onions(tmp_path)
    # Of a key made at random, any line may be the first that is not.
    secret = tmp_path / "source-onion/hs_ed25519_secret_key"
    secret.write_bytes(b"== ed25519v1-secret: type0 ==\0\0\0" + b"\xff" * 64)
    (told,) = mistakes(write(PLAIN + f"onion: {file}\n"))
    assert told.startswith("newsroom.yaml:9: onion: ")
    assert says in told


def test_json_is_one_text_for_one_newsroom(write: Write) -> None:
    newsroom = load(write(PLAIN))
    data = newsroom.to_json()
    assert Newsroom.from_json(data) == newsroom
    assert Newsroom.from_json(data).to_json() == data
    value = json.loads(data)
    for other in (
        json.dumps(value).encode(),  # another spelling
        data.replace(b'"edition": 3', b'"edition": "3"'),
        data.replace(b'"edition": 3', b'"edition": 3,\n "edition": 3'),
        data.replace(b'"edition": 3', b'"edition": 3,\n "more": 1'),
        data.replace(b'"questions"', b'"onion": null,\n "questions"'),
        data.replace(b"age1pq1", b"age1pq2"),
        data.replace(b'"name": "bo"', b'"name": "ada"'),
        data.replace(b'"partners": []', b'"choose": 3,\n "partners": []'),
        data + b" ",
        b"[" * 100_000,
        b"{}",
        b"\xff",
        b"",
    ):
        with pytest.raises(BadNewsroom):
            Newsroom.from_json(other)


def test_every_language_gets_every_text(write: Write) -> None:
    newsroom = load(
        write(PLAIN.replace("We run it ourselves.", "{en: We., nl: Wij.}") + "contact: Call us.\n")
    )
    spoken = newsroom.spoken(lambda text, language: f"{text} ({language})")
    assert spoken.operator == {"en": "We.", "nl": "Wij."}
    assert spoken.contact == {"en": "Call us. (en)", "nl": "Call us. (nl)"}
    assert spoken.questions[1].choices[0] == {"en": "I do not know (en)", "nl": "I do not know (nl)"}
    assert Newsroom.from_json(spoken.to_json()) == spoken
    assert (
        replace(newsroom, operator=spoken.operator, contact=spoken.contact, questions=spoken.questions)
        == spoken
    )


def test_every_mistake_at_once_each_with_its_line(write: Write) -> None:
    text = """\
name: The Lantern
name: Twice
oprator: We run it.
address: http://lantern.example
languages: [en, nl, xx, en]
recipients: [ada.pub, missing.pub, ada.pub]
masthead: ada.pub
edition: 0
expires: 2027-02-30
retention: {days: 1, day: 3}
limits: {drop: 2 GB}
onion: duckduckgogg42xjoc72x3sjasowoarfbgcmvfimaftt6twagswzczae.onion
partners: lantern
questions:
  - id: Evidence
    ask: what
  - ask: what
    type: chioce
"""
    told = "\n".join(mistakes(write(text), {"en", "nl"})).replace("newsroom.yaml:", "")
    for line in (
        "1: 'operator' is missing: Who runs the box",
        "2: 'name' stands here twice",
        "3: unknown option 'oprator'; the nearest is 'operator'",
        "4: address: 'http://lantern.example' is not an address",
        "5: languages: 'en' stands here twice",
        "6: recipients: ",
        "7: masthead: this is not a masthead",
        "8: edition: '0' is not a whole number from 1",
        "9: expires: '2027-02-30' is not a date",
        "10: retention: days: '1' is not a whole number from 2",
        "10: retention: unknown option 'day'; the nearest is 'days'",
        "11: limits: drop: '2 GB' is not a size from 1 MiB to 64 GiB",
        "12: onion: ",
        "13: partners: this must be a list",
        "15: questions: id: 'Evidence' is not of the form",
        "17: questions: 'id' is missing",
        "18: questions: type: 'chioce' is none of text, choice; the nearest is 'choice'",
    ):
        assert re.search(f"^{re.escape(line)}", told, re.M), f"{line}\n---\n{told}"


@pytest.mark.parametrize(
    ("more", "says"),
    [
        (
            "partners: [{name: p, title: P, recipients: [adda, ada, bo]}]",
            "'adda' is no recipient; the nearest is 'ada'",
        ),
        ("partners: [{name: p, title: P, recipients: [ada]}]", "'bo' belongs to no partner"),
        (
            "partners: [{name: p, title: P, recipients: [ada]}, {name: p, title: Q, recipients: [bo]}]",
            "the name 'p' stands here twice",
        ),
        ("choose: 3", "there are fewer to choose from"),
        ("questions: [{id: q, ask: a, type: choice}]", "'q' needs `type: choice`"),
        ("questions: [{id: q, ask: a, choices: [x, y]}]", "'q' needs `type: choice`"),
        ("questions: [{id: q, ask: a}, {id: q, ask: b}]", "the id 'q' stands here twice"),
        ("elsewhere: {en: On page 2.}", "elsewhere: this text has no 'nl'"),
        ("questions: [{id: q, ask: {en: a}}]", "questions: ask: this text has no 'nl'"),
        ('contact: "a\\u202Eb"', "a control or invisible character"),
        ("contact: |\n  two\n  lines", "a control or invisible character, or a line break"),
        ("contact:", "there is no value"),
        ("contact: !!binary aGk=", "this must be one plain value"),
        ("limits: !!python/object/apply:os.system [id]", "this must be a table"),
        ("limits: 2 GiB", "this must be a table"),
        ("id: Lantern", "'Lantern' is not of the form"),
        ("? [a]\n: b", "an option's name must be plain text"),
        ("<<: {name: x}", "unknown option '<<'"),
    ],
)
def test_a_mistake_is_told_in_one_line(write: Write, more: str, says: str) -> None:
    (told,) = mistakes(write(PLAIN + more + "\n"))
    assert told.startswith("newsroom.yaml:9: ") or "recipients" in told
    assert says in told


def test_languages_need_a_catalogue(write: Write) -> None:
    assert mistakes(write(PLAIN), {"en", "fr"}) == [
        "newsroom.yaml:4: languages: 'nl' has no catalogue; there are en, fr"
    ]


def test_a_key_listed_twice_is_told(write: Write, tmp_path: Path) -> None:
    text = JOURNALISTS["ada"].public_file()
    for other in (text, text.replace("name: ada", "name: eve")):
        (tmp_path / "again.pub").write_text(other)
        (told,) = mistakes(write(PLAIN.replace("[ada.pub", "[ada.pub, again.pub")))
        assert "is listed already" in told


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("", "there is nothing in this file"),
        ("- a\n- b\n", "this must be a table of options"),
        ("name: [\n", "this is not YAML"),
        ("name: a\n---\nname: b\n", "this is not YAML"),
        ("a: &a [x]\nb: *a\n", "aliases (& and *) are not used"),
        ("name: " + "[" * 50_000, "nested too deeply"),
        ('name: "\\UFFFFFFFF"\n', "this is not YAML"),
        ("name: a\x00b\n", "special characters are not allowed"),
        (b"name: a\nname: \xff\n", ":2: this line is not UTF-8"),
        ("#" * (LONGEST_YAML + 1), "is larger than 256 KiB"),
    ],
)
def test_what_is_not_a_newsroom_is_refused(write: Write, text: str | bytes, says: str) -> None:
    assert says in "\n".join(mistakes(write(text)))


def test_a_bomb_of_aliases_costs_nothing(write: Write) -> None:
    bomb = "a0: &a0 [x]\n" + "".join(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 9)}]\n" for i in range(1, 30))
    (told,) = mistakes(write(bomb))
    assert "line 1: aliases" in told


def test_a_file_that_is_not_there_is_told(tmp_path: Path) -> None:
    assert "No such file" in mistakes(tmp_path / "newsroom.yaml")[0]
    assert "Is a directory" in mistakes(tmp_path)[0]


def test_norway_is_a_language(write: Write) -> None:
    assert load(write(PLAIN.replace("[en, nl]", "[no]"))).languages == ("no",)


@given(st.binary(max_size=400))
def test_any_bytes_parse_or_are_refused(folder: Path, data: bytes) -> None:
    path = folder / "any.yaml"
    path.write_bytes(data)
    with pytest.raises(BadNewsroom):
        load(path)


@given(st.data())
def test_a_spoiled_file_parses_or_is_refused(folder: Path, data: st.DataObject) -> None:
    text = PLAIN.encode()
    at = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(at, min(len(text), at + 30)))
    put = data.draw(
        st.one_of(st.binary(max_size=20), st.sampled_from([b"\\", b"&a ", b"*a", b"!!x ", b"\t", b"? "]))
    )
    path = folder / "spoiled.yaml"
    path.write_bytes(text[:at] + put + text[end:])
    try:
        newsroom = load(path)
    except BadNewsroom:
        return
    assert Newsroom.from_json(newsroom.to_json()) == newsroom


@given(st.data())
def test_any_json_parses_or_is_refused(folder: Path, data: st.DataObject) -> None:
    path = folder / "right.yaml"
    path.write_text(PLAIN)
    right = load(path).to_json()
    at = data.draw(st.integers(0, len(right)))
    spoiled = right[:at] + data.draw(st.binary(max_size=8)) + right[at + data.draw(st.integers(0, 8)) :]
    try:
        newsroom = Newsroom.from_json(spoiled)
    except BadNewsroom:
        return
    assert newsroom.to_json() == spoiled


def test_the_schema_is_the_manual() -> None:
    said = subprocess.run([sys.executable, "build.py", "--schema"], cwd=ROOT, capture_output=True, check=True)
    schema = json.loads(said.stdout)
    assert schema["additionalProperties"] is False
    described = [schema]
    while described:
        part = described.pop()
        for name, option in part.get("properties", {}).items():
            assert re.fullmatch(r"[A-Z].*[.…]", option["description"]), name
        described += [*part.get("properties", {}).values(), *part.get("anyOf", [])]
        described += [part["items"]] if "items" in part else []
    questions = schema["properties"]["questions"]["default"]
    assert [q["id"] for q in questions] == [q.id for q in QUESTIONS]
    assert schema["properties"]["limits"]["properties"]["drop"]["default"] == 2 << 30


def test_a_key_ends_once_and_is_not_listed_again(write: Write) -> None:
    signers = {name: one.public.signer.hex() for name, one in JOURNALISTS.items()}
    former = "\n".join(
        f"  - {{name: {name}, signer: {signer}, until: 2026-11-{day}}}"
        for name, signer, day in (("ada", signers["ada"], 20), ("cyn", "0" * 64, 21), ("cyn", "0" * 64, 22))
    )
    assert mistakes(write(f"{PLAIN}former:\n{former}\n")) == [
        "newsroom.yaml:5: recipients: this key of 'ada' ended on 2026-11-20, as `former` says",
        "newsroom.yaml:11: former: this key of 'cyn' stands here twice",
    ]
