"""What the inventory makes of a newsroom's folder: all that the roles need, or all that is missing."""

import json
import shlex
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from support.box_room import PROVISION, ansible, inventory


def told(path: Path) -> list[str]:
    problems = inventory(path)["newsroom_problems"]
    assert all(set(one) == {"sentence", "remedy"} and all(one.values()) for one in problems)
    return [one["sentence"] for one in problems]


def test_a_whole_newsroom_has_no_problem_and_all_that_the_roles_need(furnished: Path) -> None:
    host = inventory(furnished)
    assert host["newsroom_problems"] == []
    folder = furnished.parent
    assert host["ansible_host"] == "192.0.2.7"
    assert host["ansible_user"] == "root"
    # As a variable it would make root of the tasks, too, that ask what the operator may.
    assert "ansible_become" not in host
    assert host["newsroom_journalists"] == ["ada", "bo"]
    assert host["newsroom_reserve"] == 512 << 20
    assert host["newsroom_operators"] == ["operator"]
    assert host["newsroom_ssh"] == "open"
    assert "ansible_ssh_common_args" not in host
    for name in ("source", "desk", "ssh"):
        address = (folder / f"{name}-onion/hostname").read_text().strip()
        assert host[f"newsroom_{name}_onion"] == address
    assert host["newsroom_edition_digest"].startswith("3-")


def test_ansible_gets_it_without_any_secret(furnished: Path) -> None:
    done = ansible(sys.executable, PROVISION / "inventory.py", "--list", newsroom=furnished)
    assert json.loads(done.stdout)["_meta"]["hostvars"]["box"] == inventory(furnished)
    host = done.stdout
    for secret in furnished.parent.glob("*/hs_ed25519_secret_key"):
        assert not any(line in host for line in secret.read_text().splitlines())
    assert "throwaway passphrase" not in host


def edit(old: str, new: str) -> Callable[[Path], None]:
    def change(path: Path) -> None:
        text = path.read_text()
        assert old in text
        path.write_text(text.replace(old, new))

    return change


def bridged(line: str) -> Callable[[Path], None]:
    return edit("192.0.2.7}", f"192.0.2.7, bridges: ['{line}']}}")


def without(name: str) -> Callable[[Path], None]:
    def remove(path: Path) -> None:
        there = path.parent / name
        shutil.rmtree(there) if there.is_dir() else there.unlink()

    return remove


def writing(name: str, data: bytes) -> Callable[[Path], None]:
    def write(path: Path) -> None:
        (path.parent / name).write_bytes(data)

    return write


SNOWFLAKE = "snowflake 192.0.2.3:80 url=https://broker.invalid/ ice=stun:a.invalid:3478,stun:b.invalid:3478"
GONE = f"{{name: cor, signer: '{'ab' * 32}', until: 2026-11-01}}"


@pytest.mark.parametrize(
    ("harm", "says"),
    [
        (edit("box: {host: 192.0.2.7}\n", ""), "does not say where the box is"),
        (bridged(f"{SNOWFLAKE} fronts=a.invalid,b.invalid"), "192.0.2.3:80 has `fronts=`, which"),
        (bridged(SNOWFLAKE.partition(" ice=")[0]), "192.0.2.3:80 lacks `ice=stun:…`, without which"),
        (bridged(f"{SNOWFLAKE},nonsense front=a.invalid"), "192.0.2.3:80 lacks `ice=stun:…`, without which"),
        (edit("onion: source-onion/hostname\n", ""), "the pages do not say at which onion they are"),
        (edit("source-onion/hostname", f"{'a' * 55}d.onion"), "newsroom.yaml:9: onion: "),
        (edit("name: The", "nam: The"), "unknown option 'nam'"),
        (without("desk-onion"), "the folder desk-onion with the onion's keys is not whole"),
        (without("source-onion/hs_ed25519_secret_key"), "the folder source-onion with"),
        (
            writing("desk-onion/hs_ed25519_secret_key", b"\0" * 96),
            "desk-onion/hs_ed25519_secret_key lies open",
        ),
        (writing("desk-onion/hostname", b"x.onion"), "desk-onion/hostname: an address is"),
        (without("desk-onion/authorized_clients/bo.auth"), "bo has no invitation"),
        (writing("desk-onion/authorized_clients/bo.auth", b"AAAA\n"), "bo has no invitation"),
        (without("ssh-onion"), "the folder ssh-onion with"),
        (writing("ssh-onion/authorized_clients/x.auth", b"AAAA\n"), "x has no invitation to the ssh onion"),
        (without("out"), "is refused: /manifest.json is missing"),
        (writing("out/edition/en/send.html", b"else"), "is refused: /en/send.html is not what"),
        (writing("out/edition/en/more.html", b"more"), "is refused: /en/more.html was added"),
        (edit("edition: 3", "edition: 4"), "said something else of `edition`"),
        (edit("[ada.pub, bo.pub]", "[bo.pub]"), "said something else of `recipients`"),
        (edit("edition: 3", f"edition: 3\nformer: [{GONE}]"), "said something else of `former`"),
    ],
)
def test_what_is_missing_is_told(newsroom: Path, harm: Callable[[Path], None], says: str) -> None:
    harm(newsroom)
    assert any(says in sentence for sentence in told(newsroom)), told(newsroom)


def test_a_bridge_that_debians_snowflake_understands_is_no_problem(newsroom: Path) -> None:
    bridged(f"{SNOWFLAKE} front=a.invalid")(newsroom)
    assert told(newsroom) == []


def test_once_port_22_is_closed_the_way_in_is_an_onion_and_somebody_must_be_invited(newsroom: Path) -> None:
    edit("{host: 192.0.2.7}", "{host: 192.0.2.7, ssh: onion}")(newsroom)
    host = inventory(newsroom)
    assert host["newsroom_problems"] == []
    assert host["ansible_host"] == (newsroom.parent / "ssh-onion/hostname").read_text().strip()
    _, proxy, _, known = shlex.split(host["ansible_ssh_common_args"])
    assert known == "HostKeyAlias=192.0.2.7"
    program, *words = shlex.split(proxy.removeprefix("ProxyCommand="))[1:]
    assert (Path(program).name, words) == ("through_tor.py", ["%h", "%p"])
    without("ssh-onion/authorized_clients/operator.auth")(newsroom)
    assert told(newsroom) == ["operator has no invitation to the ssh onion"]


def test_a_run_that_opens_port_22_comes_through_the_onion(
    newsroom: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("THROUGH", "onion")
    host = inventory(newsroom)
    assert (host["newsroom_ssh"], host["newsroom_through"]) == ("open", "onion")
    assert host["ansible_host"] == host["newsroom_ssh_onion"]
    monkeypatch.setenv("THROUGH", "door")
    assert told(newsroom) == ["there is no way through door"]


def test_ssh_is_told_why_it_finds_no_way_through_tor(newsroom: Path) -> None:
    address = (newsroom.parent / "ssh-onion/hostname").read_text().strip()
    words = (sys.executable, PROVISION / "through_tor.py", address, "22")
    done = ansible(*words, SOCKS="127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert "there is no tor at 127.0.0.1:1" in done.stderr
    assert "\nbox: hint: start tor" in done.stderr


def test_an_edition_of_another_masthead_is_refused(newsroom: Path) -> None:
    other = (newsroom.parent / "masthead.pub").read_text()
    key = other.splitlines()[1]
    (newsroom.parent / "masthead.pub").write_text(other.replace(key, key[:20] + key[21:30] + "A" + key[30:]))
    assert any("is refused: the signature" in one or "did not sign" in one for one in told(newsroom))


def test_all_of_it_is_told_at_once_before_the_box_is_asked(newsroom: Path) -> None:
    for name in ("out", "source-onion/hs_ed25519_secret_key", "desk-onion/authorized_clients/ada.auth"):
        without(name)(newsroom)
    edit("box: {host: 192.0.2.7}\n", "")(newsroom)
    done = ansible("ansible-playbook", "playbook.yml", newsroom=newsroom)
    assert done.returncode == 2
    assert all(f"- {sentence}: " in done.stdout for sentence in told(newsroom))
    assert len(told(newsroom)) == 4
    assert "unreachable=0 " in done.stdout
    assert "changed=0 " in done.stdout


@pytest.mark.parametrize("words", [["--list"], ["--host", "box"]])
def test_it_says_how_it_is_called(words: list[str]) -> None:
    done = ansible(sys.executable, PROVISION / "inventory.py", *words)
    assert done.returncode == 1
    assert done.stderr.startswith("box: error: ")
    assert "make box NEWSROOM=newsroom.yaml" in done.stderr


@pytest.mark.parametrize("passphrase", ["another passphrase\n", None])
def test_keys_that_cannot_be_opened_end_it_before_the_box_is_asked(
    furnished: Path, tmp_path: Path, passphrase: str | None
) -> None:
    (tmp_path / "vault").write_text(passphrase or "")
    vault = ["--vault-password-file", tmp_path / "vault"] if passphrase else []
    done = ansible("ansible-playbook", "playbook.yml", *vault, newsroom=furnished)
    assert done.returncode == 2
    assert "Nothing was changed. The onions' keys cannot be opened" in " ".join(done.stdout.split())
    assert "unreachable=0 " in done.stdout
    assert "changed=0 " in done.stdout
