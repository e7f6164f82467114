"""A box with the Tor Project's tor, as far as that goes without them: in their place is a repository on the
box, signed with a key that gpg makes here."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.box_machine import IN_A_CONTAINER, Box
from support.box_room import copied

pytestmark = IN_A_CONTAINER
THEIRS = "tor+https://deb.torproject.org/torproject.org"
VERSION = "99.0-1"
KNOWN = '{"newsroom_problems": []}'
# Debian's tor with another number and other settings, as every update of theirs may bring them.
REPACK = f"""\
export TMPDIR=/var/tmp
mkdir -p /srv/theirs && cd /srv/theirs
dpkg-deb --raw-extract /var/cache/apt/archives/tor_*.deb tree
sed -i 's/^Version: .*/Version: {VERSION}/' tree/DEBIAN/control
echo '# theirs' >>tree/etc/tor/torrc
dpkg-deb --root-owner-group --build tree tor.deb >&2
. /etc/os-release
index=main/binary-$(dpkg --print-architecture)/Packages
mkdir -p dists/$VERSION_CODENAME/${{index%/*}} && cd dists/$VERSION_CODENAME
dpkg-deb --field ../../tor.deb >$index
echo "Filename: tor.deb
Size: $(stat --format=%s ../../tor.deb)
SHA256: $(sha256sum ../../tor.deb | cut -d' ' -f1)" >>$index
echo "Origin: TorProject
Codename: $VERSION_CODENAME
Date: $(date -Ru)
Architectures: $(dpkg --print-architecture)
Components: main
SHA256:
 $(sha256sum $index | cut -d' ' -f1) $(stat --format=%s $index) $index"
"""
# The box has no network: what is theirs is asked for on its own disk, and nobody else is.
REACH = f"""\
cd /etc/apt/sources.list.d
sed -i 's,{THEIRS},file:/srv/theirs,' knothole.sources
awk -v RS= '/srv.theirs/' knothole.sources >/root/theirs.sources
"""
UPDATE = """\
apt-get update -o Dir::Etc::sourcelist=/root/theirs.sources -o Dir::Etc::sourceparts=/dev/null \
    -o APT::Get::List-Cleanup=false -o APT::Update::Error-Mode=any
"""


@dataclass(frozen=True)
class Signer:
    folder: Path

    def gpg(self, *words: str | Path, text: str = "") -> str:
        way = ["gpg", "--batch", "--quiet", "--pinentry-mode=loopback", "--passphrase=", *words]
        known = os.environ | {"GNUPGHOME": str(self.folder)}
        return subprocess.run(way, env=known, input=text, text=True, capture_output=True, check=True).stdout


@pytest.fixture(scope="module")
def signers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Signer]]:
    """Theirs, and one whom nobody trusts."""
    made = [Signer(tmp_path_factory.mktemp("gnupg")) for _ in range(2)]
    try:
        for one in made:
            one.folder.chmod(0o700)
            one.gpg("--quick-generate-key", "packages", "ed25519", "sign", "never")
        yield made
    finally:
        for one in made:
            subprocess.run(["gpgconf", "--homedir", one.folder, "--kill", "all"], check=True)


@pytest.fixture(scope="module")
def theirs(box: Box, signers: list[Signer], tmp_path_factory: pytest.TempPathFactory) -> Box:
    """The box, made once more with `tor: torproject`. That the key is not theirs is told, and passed over."""
    newsroom = copied(box.newsroom, tmp_path_factory.mktemp("theirs") / "newsroom")
    newsroom.write_text(newsroom.read_text().replace("192.0.2.7", "192.0.2.7, tor: torproject"))
    newsroom.with_name("torproject.asc").write_text(signers[0].gpg("--armor", "--export"))
    other = Box(box.machine, newsroom)
    assert "torproject.asc is not the key" in other.preflight()
    other.converge("-e", KNOWN)
    assert " changed=0 " in other.converge("-e", KNOWN)
    return other


def version(box: Box) -> str:
    return box.machine.shell("dpkg-query --show --showformat='${Version}' tor")


def test_their_packages_are_asked_for_through_tor(theirs: Box) -> None:
    assert f"'{THEIRS}/dists/" in theirs.machine.shell("apt-get --print-uris update")
    assert version(theirs) != VERSION


def test_their_tor_comes_at_night_if_it_is_signed_and_serves_with_our_settings(
    theirs: Box, signers: list[Signer]
) -> None:
    shell = theirs.machine.shell
    torrc, began = shell("cat /etc/tor/torrc"), shell("systemctl show --property=MainPID tor@default")
    release = shell(REPACK) + "\n"
    shell(REACH)
    signed = shell("ls -d /srv/theirs/dists/*") + "/InRelease"
    for signer in reversed(signers):
        theirs.machine.run("tee", signed, text=signer.gpg("--clearsign", text=release))
        trusted = theirs.machine.run("sh", "-c", UPDATE).returncode == 0
        assert trusted == (signer is signers[0])
        shell("rm --force /run/reboot-required; unattended-upgrade")  # it would restart the box at that hour
        assert (version(theirs) == VERSION) == trusted
    assert shell("cat /etc/tor/torrc") == torrc
    assert shell("systemctl is-active tor@default knothole-relay").split() == ["active", "active"]
    assert shell("systemctl show --property=MainPID tor@default") != began
