"""The one torrc, as a box gets it."""

import subprocess
from pathlib import Path

import pytest
from support.tor import TOR, render_torrc


@pytest.mark.parametrize("controlled", [False, True])
def test_tor_accepts_the_torrc(tmp_path: Path, controlled: bool) -> None:
    more = {"control": tmp_path / "control"} if controlled else {}
    onions = [(tmp_path / name, tmp_path / f"{name}.sock") for name in ("source", "desk")]
    torrc = tmp_path / "torrc"
    lines = render_torrc(onions, tmp_path / "sealer.sock", **more)
    torrc.write_text(f"{lines}DataDirectory {tmp_path}/tor\n")
    words = [TOR, "-f", torrc, "--defaults-torrc", tmp_path / "none", "--verify-config"]
    done = subprocess.run(words, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout
    assert ("\nControlSocket " in lines) == controlled
    assert "[warn]" not in done.stdout.replace("[warn] You are running Tor as root", "")


def test_only_the_source_onion_leads_to_the_sealer_and_on_a_port_of_its_own() -> None:
    onions = [(Path("/a"), Path("/run/a")), (Path("/b"), Path("/run/b"))]
    with_one, without = (render_torrc(onions, sealer).splitlines() for sealer in (Path("/run/s"), None))
    at = with_one.index("HiddenServicePort 8080 unix:/run/s")
    assert with_one[at - 1] == "HiddenServicePort 80 unix:/run/a"
    assert with_one[:at] + with_one[at + 1 :] == without


def test_each_onion_is_defended_and_leads_to_its_own_socket() -> None:
    lines = render_torrc([(Path("/a"), Path("/run/a")), (Path("/b"), Path("/run/b"))]).splitlines()
    starts = [n for n, line in enumerate(lines) if line.startswith("HiddenServiceDir ")]
    first, second = ([one for one in lines[n:] if one.startswith("Hidden")] for n in starts)
    first = first[: -len(second)]
    assert [line.replace("/b", "/a") for line in second] == first
    assert first[:2] == ["HiddenServiceDir /a", "HiddenServicePort 80 unix:/run/a"]
    assert {
        "HiddenServiceExportCircuitID haproxy",
        "HiddenServicePoWDefensesEnabled 1",
        "HiddenServiceEnableIntroDoSDefense 1",
        "HiddenServiceMaxStreamsCloseCircuit 1",
    } < set(first)
