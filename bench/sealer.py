"""The sealer beside the cipher it cannot do without, in CPU seconds of one interleaved run; and its memory.

python -m bench.sealer [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import tempfile
import time
from pathlib import Path

from cryptography.hazmat.primitives.ciphers.aead import ChaCha20Poly1305
from support.lane import Lane
from support.relay_process import connect
from support.sealer_process import SealerProcess, Visitor, encode

MIB = 1 << 20
CHUNK = 1 << 16
SIZE = 256 * MIB  # bytes of each upload whose CPU is taken
ROUNDS = 5
LARGE = 1024 * MIB  # bytes of the upload whose memory is watched
_TICKS = os.sysconf("SC_CLK_TCK")


def main() -> None:
    parser = argparse.ArgumentParser(description="What sealing for a visitor without JavaScript costs.")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the results there")
    path = parser.parse_args().json
    results = measure()
    for name, result in results.items():
        print(name, json.dumps(result))
    if path:
        path.write_text(json.dumps(results, indent=1) + "\n")


def measure() -> dict[str, dict[str, float]]:
    """CPU seconds per GiB of the sealer's process and of ChaCha20-Poly1305 alone, and MiB of memory."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, Lane(Path(folder, "house")) as lane:
        place = Path(folder, "sealer.sock")
        sealer = SealerProcess(
            lane.house.edition, lane.house.relay.source, Path(folder, "sealer.yaml"), listen=f"unix:{place}"
        )
        with sealer:
            spent: dict[str, list[float]] = {"ours": [], "bare": []}
            for _ in range(ROUNDS + 1):
                before = cpu(sealer)
                upload(sealer, SIZE)
                spent["ours"].append((cpu(sealer) - before) / (SIZE / (1 << 30)))
                spent["bare"].append(cipher(SIZE) / (SIZE / (1 << 30)))
            settled = sealer.memory()
            most = upload(sealer, LARGE)
    # The first round is not counted.
    ours, bare = (statistics.median(spent[name][1:]) for name in ("ours", "bare"))
    return {
        "cpu": {"ours": round(ours, 3), "bare": round(bare, 3), "ratio": round(ours / bare, 2)},
        "memory": {"settled": round(settled / MIB, 1), "growth": round((most - settled) / MIB, 1)},
    }


def cpu(sealer: SealerProcess) -> float:
    """CPU seconds of the sealer so far, the kernel's on its behalf too."""
    fields = Path(f"/proc/{sealer.process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def cipher(size: int) -> float:
    """CPU seconds of sealing so many bytes a chunk at a time, in memory: the limit."""
    bare, chunk = ChaCha20Poly1305(bytes(32)), os.urandom(CHUNK)
    before = time.process_time()
    for count in range(size // CHUNK):
        bare.encrypt(count.to_bytes(12, "big"), chunk, None)
    return time.process_time() - before


def upload(sealer: SealerProcess, size: int) -> int:
    """Sends a form with one file of so many bytes; the most memory the sealer had meanwhile."""
    visitor = Visitor(sealer.address)
    visitor.begin()
    fields = [("codename", visitor.hidden("codename")), ("to", "ada"), ("message", "m"), ("q-evidence", "e")]
    body, kind = encode(fields, [("large", b"@")])
    start, end = body.split(b"@")
    piece, most = os.urandom(MIB), 0
    with connect(sealer.address) as plug:
        head = f"POST /en/send HTTP/1.1\r\nHost: x\r\nContent-Type: {kind}\r\n"
        plug.sendall(f"{head}Content-Length: {len(start) + size + len(end)}\r\n\r\n".encode() + start)
        for _ in range(size // MIB):
            plug.sendall(piece)
            most = max(most, sealer.memory())
        plug.sendall(end)
        if plug.recv(12) != b"HTTP/1.1 200":
            raise RuntimeError("the upload was refused")
    return max(most, sealer.memory())


if __name__ == "__main__":
    main()
