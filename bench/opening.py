"""Opening beside the bare cryptography that it needs, in CPU seconds of one interleaved run.

python -m bench.opening [--json PATH]
"""

from __future__ import annotations

import argparse
import hmac
import io
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from cryptography.hazmat.primitives import hpke
from nacl.bindings import (
    crypto_aead_chacha20poly1305_ietf_decrypt,
    crypto_aead_chacha20poly1305_ietf_encrypt,
)

from keys import drop as drops
from keys.age import HybridIdentity, OpenReader, SealWriter, read_header, seal_bytes
from keys.drop import Attachment
from keys.identity import Journalist, lock
from keys.letter import Letter
from keys.stanza import decode64

MIB = 1 << 20
CHUNK = 1 << 16
SIZE = 256 * MIB  # bytes of one drop
OPENINGS = 5  # of that drop
LARGE = 1024 * MIB  # bytes of the drop that the command opens
READ = MIB  # bytes at once, as a drop's files are copied
HEADERS = 250  # drops
TRIALS = 40  # of each header: 10,000 in all
RECIPIENTS = 8
PLACE = 5  # this identity's stanza among them


def main() -> None:
    parser = argparse.ArgumentParser(description="How fast drops open.")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the results there")
    path = parser.parse_args().json
    results = {"payload": payload(), "desk": desk(), "header": header()}
    for name, result in results.items():
        print(name, json.dumps(result))
    if path:
        path.write_text(json.dumps(results, indent=1) + "\n")


def payload() -> dict[str, float]:
    """CPU seconds per GiB: a whole drop from a file, beside PyNaCl's decryption of one chunk in memory."""
    identity = HybridIdentity.generate()
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder, "drop.age")
        with file.open("wb") as out, SealWriter(out, [identity.recipient()]) as writer:
            for _ in range(SIZE // MIB):
                writer.write(bytes(MIB))

        def ours() -> None:
            with file.open("rb") as src:
                reader = OpenReader(src, [identity])
                while reader.read(READ):
                    pass

        return compared(ours, pynacl(SIZE), OPENINGS, per=SIZE / (1 << 30))


def pynacl(size: int) -> Callable[[], None]:
    """Decryption of so many bytes, a chunk at a time, in memory: the limit."""
    nonce, key = bytes(12), bytes(32)
    chunk = crypto_aead_chacha20poly1305_ietf_encrypt(bytes(CHUNK), None, nonce, key)

    def bare() -> None:
        for _ in range(size // CHUNK):
            crypto_aead_chacha20poly1305_ietf_decrypt(chunk, None, nonce, key)

    return bare


def desk() -> dict[str, float]:
    """CPU seconds per GiB of `desk open`, from its start to the file on the disk, beside the same limit."""
    ada = Journalist.generate("ada")
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        Path(folder, "ada.key").write_bytes(lock(ada.to_text(), b"bench", work_factor=10))
        letter = Letter(newsroom="bench", thread=bytes(32), language="en", to=("ada",))
        with Path(folder, "drop.age").open("wb") as out, Path("/dev/zero").open("rb") as zeros:
            file = Attachment("file", LARGE, zeros)
            drops.seal(out, letter, "", [file], {"ada": ada.identity.recipient()})
        program = [
            Path(sys.executable).with_name("desk"),
            "open",
            "drop.age",
            "--identity",
            "ada.key",
            "-o",
            "new",
        ]

        def ours() -> None:
            reading, writing = os.pipe()
            os.write(writing, b"bench")
            os.close(writing)
            command = [*program, "--passphrase-fd", str(reading)]
            subprocess.run(command, cwd=folder, pass_fds=[reading], check=True, capture_output=True)
            os.close(reading)
            shutil.rmtree(Path(folder, "new"))

        return compared(ours, pynacl(LARGE), OPENINGS, per=LARGE / (1 << 30))


def header() -> dict[str, float]:
    """CPU seconds per drop: from its first bytes to the file key, beside HPKE's open, HKDF and HMAC."""
    identities = [HybridIdentity.generate() for _ in range(RECIPIENTS)]
    drops = [seal_bytes(bytes(1024), [one.recipient() for one in identities]) for _ in range(HEADERS)]
    suite = hpke.Suite(hpke.KEM.MLKEM768_X25519, hpke.KDF.HKDF_SHA256, hpke.AEAD.CHACHA20_POLY1305)
    private = identities[PLACE]._private
    needed = []
    for drop in drops:
        parsed = read_header(io.BytesIO(drop))
        stanza = parsed.stanzas[PLACE]
        needed.append((decode64(stanza.args[0]) + stanza.body, parsed.signed, parsed.mac))

    def bare() -> None:
        for sealed, signed, mac in needed:
            file_key = suite.decrypt(sealed, private, info=b"age-encryption.org/mlkem768x25519")
            extracted = hmac.digest(bytes(32), file_key, "sha256")
            mac_key = hmac.digest(extracted, b"header\x01", "sha256")
            hmac.compare_digest(hmac.digest(mac_key, signed, "sha256"), mac)

    def ours() -> None:
        for drop in drops:
            read_header(io.BytesIO(drop)).unwrap([identities[PLACE]], PLACE)

    return compared(ours, bare, TRIALS, per=HEADERS)


def compared(ours: Callable[[], None], bare: Callable[[], None], rounds: int, per: float) -> dict[str, float]:
    """Both in turns, the first round not counted; the ratio is of the medians."""
    spent: dict[str, list[float]] = {"ours": [], "bare": []}
    for _ in range(rounds + 1):
        for name, work in (("ours", ours), ("bare", bare)):
            before = cpu()
            work()
            spent[name].append((cpu() - before) / per)
    medians = {name: statistics.median(each[1:]) for name, each in spent.items()}
    return {
        "ours": round(medians["ours"], 6),
        "bare": round(medians["bare"], 6),
        "ratio": round(medians["ours"] / medians["bare"], 3),
    }


def cpu() -> float:
    """CPU seconds of this process and of those it waited for."""
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


if __name__ == "__main__":
    main()
