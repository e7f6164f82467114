"""What is missing is told in full, with its remedy, before anything is changed: what needs no machine."""

import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from support.box_room import ansible, inventory
from support.builds import KEY

NOWHERE = "127.0.0.1:1"
KEY_FILE = "hs_ed25519_secret_key"


def play(newsroom: Path, *words: str) -> str:
    """What is told, as one line; nothing else of the playbook is done."""
    vault = ["--vault-password-file", newsroom.with_name("vault")]
    done = ansible(
        "ansible-playbook", *vault, "--tags", "nothing", "playbook.yml", *words,
        newsroom=newsroom, SOCKS=NOWHERE,
    )  # fmt: skip
    assert done.returncode == 2, done.stdout
    assert " changed=0 " in done.stdout
    return " ".join(done.stdout.split())


def test_a_box_that_does_not_answer_is_told_and_how_it_is_asked(newsroom: Path) -> None:
    newsroom.write_text(newsroom.read_text().replace("192.0.2.7", "127.0.0.1"))
    said = play(newsroom, "-e", "ansible_port=1")
    assert "Nothing was changed. Mend this first: - the box does not answer: see that it is on" in said
    assert "`ssh root@127.0.0.1` logs in with your key" in said
    assert "tor has to run here" not in said


def test_a_box_behind_its_onion_needs_a_tor_here(newsroom: Path) -> None:
    newsroom.write_text(newsroom.read_text().replace("192.0.2.7", "192.0.2.7, ssh: onion"))
    said = play(newsroom)
    address = newsroom.with_name("ssh-onion").joinpath("hostname").read_text().strip()
    assert f"`ssh root@{address}` logs in with your key and asks nothing; tor has to run here" in said


def test_a_copy_of_the_drops_that_is_not_there_is_told_first(newsroom: Path) -> None:
    said = play(newsroom, "-e", "backup_restore=/nowhere/drops.tar")
    assert "- the copy of the drops, /nowhere/drops.tar, is not there: name a file drops-DAY.tar" in said


@pytest.mark.parametrize("name", ["desk-onion", "former-source-onion"])
def test_a_key_of_another_address_is_told_first(newsroom: Path, name: str) -> None:
    folder = newsroom.with_name(name)
    if not folder.exists():
        shutil.copytree(newsroom.with_name("desk-onion"), folder)
    (folder / KEY_FILE).write_bytes((newsroom.with_name("ssh-onion") / KEY_FILE).read_bytes())
    said = play(newsroom)
    told = f"the key in {folder} is of another address than its file hostname says: bring the folder back"
    assert f"Nothing was changed. Mend this first: - {told}" in said
    assert set(re.findall(r"the key in (\S+) is of", said)) == {str(folder)}


def expire(newsroom: Path) -> None:
    manifest = newsroom.with_name("out") / "edition/manifest.json"
    data = manifest.read_bytes().replace(b"2199-06-30", b"2020-06-30")
    manifest.write_bytes(data)
    manifest.with_name("manifest.json.minisig").write_text(KEY.sign(data, "expired"))


def share(newsroom: Path) -> None:
    clients = newsroom.with_name("desk-onion") / "authorized_clients"
    (clients / "bo.auth").write_text((clients / "ada.auth").read_text())


def opening(name: str) -> Callable[[Path], None]:
    return lambda newsroom: (newsroom.with_name(name) / "authorized_clients/nobody.auth").unlink()


@pytest.mark.parametrize(
    ("harm", "sentence", "remedy"),
    [
        (expire, "is refused: it expired on 2020-06-30", "set `expires` to a later day"),
        (share, "bo and ada have one key", "`make rotate WHAT=clients WHO=bo`"),
        (opening("desk-onion"), "desk-onion lacks authorized_clients/nobody.auth", "bring the folder back"),
        (opening("ssh-onion"), "ssh-onion lacks authorized_clients/nobody.auth", "bring the folder back"),
    ],
)
def test_each_problem_has_its_remedy(
    newsroom: Path, harm: Callable[[Path], None], sentence: str, remedy: str
) -> None:
    harm(newsroom)
    (problem,) = inventory(newsroom)["newsroom_problems"]
    assert sentence in problem["sentence"]
    assert remedy in problem["remedy"]


def test_a_folder_that_is_not_there_is_one_problem(newsroom: Path) -> None:
    newsroom.with_name("ssh-onion").rename(newsroom.with_name("elsewhere"))
    assert len(inventory(newsroom)["newsroom_problems"]) == 1


def test_a_former_onion_needs_a_whole_folder_and_an_edition_that_speaks_of_it(newsroom: Path) -> None:
    former = newsroom.with_name("former-source-onion")
    newsroom.with_name("source-onion").rename(former)
    shutil.copytree(former, newsroom.with_name("source-onion"))
    newsroom.with_name("out").joinpath("edition/moved.html").unlink()
    (former / "hs_ed25519_secret_key").write_bytes(b"\0" * 96)
    said = [problem["sentence"] for problem in inventory(newsroom)["newsroom_problems"]]
    assert "former-source-onion/hs_ed25519_secret_key lies open on this computer" in said
    assert any("/edition has no page for former-source-onion" in one for one in said)
    (former / "hs_ed25519_secret_key").write_bytes(b"$ANSIBLE_VAULT;1.1;AES256\n")
    said = [problem["sentence"] for problem in inventory(newsroom)["newsroom_problems"]]
    assert "former-source-onion has the address of source-onion" in said


@pytest.mark.parametrize("words", [(), ("-e", "wipe_host=192.0.2.8"), ("-e", "wipe_host=")])
def test_nothing_is_wiped_unless_its_address_is_said(newsroom: Path, words: tuple[str, ...]) -> None:
    done = ansible("ansible-playbook", "wipe.yml", *words, newsroom=newsroom)
    assert done.returncode == 2
    assert (
        "- nobody said which box is to be wiped: run `make wipe NEWSROOM=newsroom.yaml HOST=192.0.2.7`"
        in (" ".join(done.stdout.split()))
    )
    assert " ok=0 " in done.stdout
    assert " unreachable=0 " in done.stdout


def test_a_newsroom_that_cannot_be_read_says_why_nothing_is_wiped(newsroom: Path) -> None:
    newsroom.write_text(newsroom.read_text().replace("name: The", "nam: The"))
    done = ansible("ansible-playbook", "wipe.yml", "-e", "wipe_host=192.0.2.7", newsroom=newsroom)
    assert done.returncode == 2
    assert "unknown option 'nam'" in " ".join(done.stdout.split())
