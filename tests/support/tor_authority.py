"""The keys of a Tor network's only authority, made within a moment."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from support.tor import TOR


def make(folder: Path, address: str, or_port: int, dir_port: int) -> tuple[str, str]:
    """Makes an authority's keys in its folder; gives the fingerprints of its identity and of its relay."""
    data = folder / "data"
    keys = data / "keys"
    for one in (folder, data, keys):
        one.mkdir(mode=0o700)
    certificate = keys / "authority_certificate"
    words = ["tor-gencert", "--reuse", "-m", "12", "--passphrase-fd", "0", "-a", f"{address}:{dir_port}"]
    for option, key in (("-i", keys / "authority_identity_key"), ("-s", keys / "authority_signing_key")):
        key.write_bytes(_short_key())
        words += [option, key]
    subprocess.run([*words, "-c", certificate], input=b"x\n", check=True, capture_output=True)
    identity = re.search(r"^fingerprint ([0-9A-F]{40})$", certificate.read_text(), re.M)
    torrc = folder / "torrc"
    torrc.write_text(f"DataDirectory {data}\nORPort {or_port}\nAssumeReachable 1\n")
    words = [TOR, "--list-fingerprint", "--quiet", "-f", torrc, "--defaults-torrc", folder / "none"]
    words += ["--DirAuthority", f"nobody 127.0.0.1:1 {'F' * 40}"]
    said = subprocess.run(words, check=True, capture_output=True, text=True).stdout
    assert identity is not None
    return identity[1], said.splitlines()[-1].partition(" ")[2].replace(" ", "")


def _short_key() -> bytes:
    """A key that guards nothing: those that tor-gencert makes of itself take it seconds."""
    key = rsa.generate_private_key(65537, 1024)  # noqa: S505
    return key.private_bytes(Encoding.PEM, PrivateFormat.TraditionalOpenSSL, NoEncryption())
