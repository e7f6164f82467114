"""`python -m relay status`: what it says of a box that does its work, and of each that does not."""

from __future__ import annotations

import io
import json
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from support.pretender import NO, Lines, Listener, Pretender, Sayer, fetched, served, started, uploaded
from support.relay_process import RelayProcess

from relay import status, tor
from relay.__main__ import main
from relay.day import today
from relay.settings import Address

NAMES = {"source": "a" * 55 + "d", "desk": "b" * 55 + "d"}
ONIONS = {f"{which}_onion": f"{name}.onion" for which, name in NAMES.items()}


@pytest.fixture(autouse=True)
def _hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """So that tests do not wait long for an end that says nothing."""
    monkeypatch.setattr(status, "_SECONDS", 1)
    monkeypatch.setattr(tor, "SECONDS", 1)


def run(folder: Path, desk: Address, *words: str, **more: object) -> tuple[int, str]:
    """What it exits with and says, of a relay at this address."""
    given = {"edition": "edition", "data": "data", "source": "unix:/nowhere", "desk": desk} | more
    settings = folder / "relay.yaml"
    settings.write_text("".join(f"{key}: {value}\n" for key, value in given.items()))
    with redirect_stdout(io.StringIO()) as said:
        exit_status = main(["status", *words, str(settings)])
    return exit_status, said.getvalue()


# The relay.

WELL = {
    "edition": 7,
    "expires": "2099-12-31",
    "free_bytes": 11 << 30,
    "reserve_bytes": 1 << 30,
    "drops": 3,
    "unfinished": 1,
    "board_day": str(today()),
}


def saying(folder: Path, said: object) -> Sayer:
    """A relay that says this, as JSON unless it is bytes."""
    body = said if isinstance(said, bytes) else json.dumps(said).encode()
    return Sayer(folder / "relay", b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body) + body)


def problem(folder: Path, **changes: object) -> str:
    """The one sentence about a relay that says this."""
    with saying(folder, WELL | changes) as relay:
        exit_status, said = run(folder, relay.address, "--json")
    found = json.loads(said)
    assert (exit_status, found["ok"]) == (1, False)
    (one,) = found["problems"]
    assert one["remedy"]
    return one["sentence"]


@pytest.mark.parametrize("circuits", ["none", "haproxy"])
def test_a_relay_that_does_its_work(edition: Path, tmp_path: Path, circuits: str) -> None:
    given = {"desk": f"unix:{tmp_path}/desk", "circuits": circuits, "reserve_bytes": 1}
    with RelayProcess(edition, tmp_path / "data", **given) as relay:
        exit_status, said = run(tmp_path, Address(tmp_path / "desk"), "--json", circuits=circuits)
    assert relay.errors == ""
    found = json.loads(said)
    assert (exit_status, found["ok"], found["problems"], found["tor"]) == (0, True, [], None)
    assert set(found) == {"ok", "relay", "tor", "sealer", "problems"}
    assert set(found["relay"]) == set(WELL)
    assert (found["relay"]["edition"], found["relay"]["drops"]) == (7, 0)


def test_it_says_so_to_a_person(tmp_path: Path) -> None:
    with saying(tmp_path, WELL) as relay:
        exit_status, said = run(tmp_path, relay.address)
    assert exit_status == 0
    assert said.splitlines() == [
        "edition:      7, until 2099-12-31",
        "drops:        3, and 1 on the way; room for 10.0 GiB",
        f"board:        last written to on {today()}",
        "tor:          not asked, for the settings name no control socket",
    ]


@pytest.mark.parametrize(("days", "verb"), [(14, "expires"), (0, "expires"), (-1, "expired")])
def test_an_edition_near_its_end(tmp_path: Path, days: int, verb: str) -> None:
    day = str(today() + timedelta(days))
    assert problem(tmp_path, expires=day) == f"the edition {verb} on {day}"


def test_a_disk_that_fills_up(tmp_path: Path) -> None:
    assert problem(tmp_path, free_bytes=(2 << 30) - 1) == "the disk has room for only 1023 MiB of drops"
    assert problem(tmp_path / "full", free_bytes=1 << 20) == "the disk has room for only 0 MiB of drops"


def test_a_board_that_nobody_writes_to(tmp_path: Path) -> None:
    assert problem(tmp_path, board_day=str(today() - timedelta(8))) == "no desk has been here for 8 days"


def test_just_inside_of_everything(tmp_path: Path) -> None:
    said = {"expires": str(today() + timedelta(16)), "board_day": str(today() - timedelta(6))}
    with saying(tmp_path, WELL | said | {"free_bytes": 2 << 30}) as relay:
        assert run(tmp_path, relay.address)[0] == 0


def unanswered(folder: Path, desk: Address) -> bool:
    exit_status, said = run(folder, desk)
    assert exit_status == 1
    return "problem:      the relay does not answer" in said.splitlines()


def test_no_relay(tmp_path: Path) -> None:
    assert unanswered(tmp_path, Address(tmp_path / "nowhere"))
    assert unanswered(tmp_path, Address(None))
    with Listener(tmp_path / "silent") as silent:
        assert unanswered(tmp_path, silent.address)
    assert unanswered(tmp_path, silent.address)


@pytest.mark.parametrize("forever", [b"x", b"HTTP/1.1 200 OK\r\n", b"HTTP/1.1 100 Continue\r\n\r\n"])
def test_a_relay_without_an_end(tmp_path: Path, forever: bytes) -> None:
    with Sayer(tmp_path / "relay", forever * 1000, forever=True) as relay:
        assert unanswered(tmp_path, relay.address)


def test_a_sealer_that_answers_and_one_that_does_not(tmp_path: Path) -> None:
    page = b"HTTP/1.1 %d OK\r\nContent-Length: 0\r\n\r\n"
    with saying(tmp_path, WELL) as relay, Sayer(tmp_path / "sealer", page % 200) as sealer:
        exit_status, said = run(tmp_path, relay.address, sealer=sealer.address)
        assert (exit_status, said.splitlines()[-1]) == (0, "sealer:       answers")
    (tmp_path / "again").mkdir()
    with saying(tmp_path / "again", WELL) as relay:
        exit_status, said = run(tmp_path, relay.address, "--json", sealer=sealer.address)
    found = json.loads(said)
    assert (exit_status, found["sealer"]) == (1, False)
    assert [one["sentence"] for one in found["problems"]] == ["the sealer does not answer"]


NO_STATUS = st.recursive(
    st.none() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*WELL]), inner),
)


@given(said=NO_STATUS)
@example(said={**WELL, "expires": "soon"})
@example(said={**WELL, "drops": True})
@example(said={**WELL, "drops": 1e999})
@example(said={**WELL, "drops": "\x1b[2J"})
def test_a_relay_that_says_something_else(tmp_path_factory: pytest.TempPathFactory, said: object) -> None:
    folder = tmp_path_factory.mktemp("status")
    with saying(folder, said) as relay:
        assert unanswered(folder, relay.address)


def test_an_answer_that_is_deep(tmp_path: Path) -> None:
    with saying(tmp_path, b"[" * 50_000) as relay:
        assert unanswered(tmp_path, relay.address)


# Tor.


def of_tor(folder: Path, *words: str, **answers: list[Lines]) -> tuple[int, str]:
    """What is said of a box whose relay is well, and whose tor gives these answers for the desk onion."""
    given = {"GETINFO status/": answers.get("status", [started(100)])}
    for which, name in NAMES.items():
        other = answers if which == "desk" else {}
        given |= {
            f"GETINFO hs/service/desc/id/{name}": other.get("service", [served(name)]),
            f"GETINFO hs/client/desc/id/{name}": other.get("client", [uploaded(name, 1)]),
        }
    # The source onion is the first to be looked for.
    given["GETINFO version"] = [fetched(NAMES["source"], *RECEIVED), *answers.get("fetch", [FOUND])]
    with saying(folder, WELL) as relay, Pretender(folder / "tor", given) as end:
        return run(folder, relay.address, *words, control=end.address, **ONIONS)


RECEIVED = ("REQUESTED", "RECEIVED")
FOUND = fetched(NAMES["desk"], *RECEIVED)


def test_a_tor_that_does_its_work(tmp_path: Path) -> None:
    exit_status, said = of_tor(tmp_path, "--json")
    found = json.loads(said)
    assert (exit_status, found["ok"], found["tor"]["progress"]) == (0, True, 100)
    assert [one["found"] for one in found["tor"]["onions"].values()] == [True, True]


def test_it_says_of_tor_to_a_person(tmp_path: Path) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    _, said = of_tor(tmp_path, fetch=[fetched(NAMES["desk"])])
    assert said.splitlines()[3:] == [
        "tor:          100 percent started",
        f"source onion: found just now, uploaded after {hour:%Y-%m-%d %H:%M} UTC",
        f"desk onion:   looked for a short time ago, uploaded after {hour:%Y-%m-%d %H:%M} UTC",
    ]


def test_it_says_when_an_onion_that_is_not_found_was_there_last(tmp_path: Path) -> None:
    hour = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    _, said = of_tor(tmp_path, **CASES["the desk onion cannot be found"])
    line = f"desk onion:   not found; the last one was uploaded after {hour:%Y-%m-%d %H:%M} UTC"
    assert line in said.splitlines()


CASES: dict[str, dict[str, list[Lines]]] = {
    "tor has not reached the network: it has done 45 percent of its start": {"status": [started(45)]},
    "tor has not reached the network: it has done 0 percent of its start": {"status": [NO]},
    "tor does not serve the desk onion that the settings name": {"service": [NO]},
    "the desk onion cannot be found": {"fetch": [fetched(NAMES["desk"], "REQUESTED", "FAILED")]},
    "the desk onion was not published anew for over two hours": {"client": [uploaded(NAMES["desk"], 5)]},
}


@pytest.mark.parametrize("sentence", CASES)
def test_a_tor_that_does_not(tmp_path: Path, sentence: str) -> None:
    exit_status, said = of_tor(tmp_path, "--json", **CASES[sentence])
    found = json.loads(said)
    assert (exit_status, found["ok"]) == (1, False)
    assert [one["sentence"] for one in found["problems"]] == [sentence]


def test_an_onion_that_nobody_looks_for(tmp_path: Path) -> None:
    given = {"GETINFO status/": [started(100)]}
    with saying(tmp_path, WELL) as relay, Pretender(tmp_path / "tor", given) as end:
        exit_status, said = run(tmp_path, relay.address, "--json", control=end.address)
    assert exit_status == 1
    assert [one["sentence"] for one in json.loads(said)["problems"]] == [
        f"nobody looks for the {which} onion, for the settings do not name it" for which in NAMES
    ]


def test_no_tor(tmp_path: Path) -> None:
    with saying(tmp_path, WELL) as relay:
        exit_status, said = run(tmp_path, relay.address, control=f"unix:{tmp_path}/nowhere", **ONIONS)
    assert exit_status == 1
    assert said.splitlines()[-2] == "problem:      tor is not running, or has another control socket"


# The command.


def test_mistakes_in_the_settings(tmp_path: Path) -> None:
    with redirect_stderr(io.StringIO()) as said:
        assert run(tmp_path, Address(None), control="9051") == (2, "")
    assert said.getvalue().startswith("relay: error: control: write unix:/PATH or 127.0.0.1:PORT")


@pytest.mark.parametrize("words", [[], ["--jsn", "x"], ["x", "y"]])
def test_a_call_that_is_none(words: list[str]) -> None:
    with redirect_stderr(io.StringIO()), pytest.raises(SystemExit) as ended:
        main(["status", *words])
    assert ended.value.code == 2
