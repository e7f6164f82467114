"""In Firefox, with its compilers and without: how fast the page seals beside noble and WebCrypto in one run,
and how long a source waits for the twelve words and then for a short message to be sealed and stored.

    python -m bench.browser [--json PATH]
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from support.firefox import Firefox
from support.firefox_prefs import LEVELS
from support.house import ROOT, House
from support.source import Source

KIB, MIB = 1 << 10, 1 << 20
JOURNALISTS = ("ada", "bo", "cor", "dee", "eva", "fay", "gus", "hal")
SIZES = {"standard": 32 * MIB, "safer": 4 * MIB}  # bytes a round: about two seconds each
ROUNDS = 3
WAYS = ("page", "webcrypto", "noble")


def bundle() -> bytes:
    esbuild = [Path(sys.executable).with_name("node"), ROOT / "site/node_modules/esbuild/bin/esbuild"]
    options = [ROOT / "bench/browser.js", "--bundle", "--format=esm", "--target=firefox128"]
    where = {**os.environ, "NODE_PATH": str(ROOT / "site/node_modules")}
    return subprocess.run([*esbuild, *options], env=where, stdout=subprocess.PIPE, check=True).stdout


@contextmanager
def served(script: bytes) -> Iterator[str]:
    files = {"/": ("text/html", b"<!doctype html><script type=module src=/bench.js></script>")}
    files["/bench.js"] = ("text/javascript", script)

    class Files(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            kind, body = files.get(self.path, ("text/plain", b""))
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Files) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


def sealing(firefox: Firefox, size: int) -> dict[str, float]:
    """MB/s of each way and the page's share of the others': medians of rounds, the first not counted."""
    seconds: dict[str, list[float]] = {way: [] for way in WAYS}
    firefox.wait(lambda: firefox.script("return typeof bench === 'object'"))
    for _ in range(ROUNDS + 1):
        for way in WAYS:
            seconds[way].append(firefox.script(f"return bench.{way}(arguments[0])", size))
    speed = {way: size / 1e6 / statistics.median(taken[1:]) for way, taken in seconds.items()}
    shares = {f"page_to_{way}": round(speed["page"] / speed[way], 3) for way in ("noble", "webcrypto")}
    return {f"{way}_mb_s": round(each, 1) for way, each in speed.items()} | shares


# From the click until the step is shown, in milliseconds, seen by the page itself.
_TIMED = """
const [button, step] = [...arguments].map(css => document.querySelector(css));
const start = performance.now();
const shown = new Promise(resolve => {
  const look = () => step.hidden || resolve(performance.now() - start);
  new MutationObserver(look).observe(step, { attributes: true });
});
button.click();
return shown;
"""


def waiting(firefox: Firefox, house: House) -> dict[str, float]:
    """Milliseconds from the click to the twelve words, and from the last click to where it is stored."""
    source = Source(firefox, house.url)
    words, stored = [], []
    for _ in range(ROUNDS + 1):
        source.open_send()
        source.write("m" * KIB, answers={"evidence": "documents"})
        words.append(firefox.script(_TIMED, "#write [type=submit]", "#step-words"))
        codename = source.words()
        firefox.click("#words-written")
        firefox.type("#typed", " ".join(codename))
        stored.append(firefox.script(_TIMED, "#confirm [type=submit]", "#step-done"))
    return {"to_words_ms": _middle(words), "to_stored_ms": _middle(stored)}


def _middle(values: list[float]) -> float:
    return round(statistics.median(values[1:]), 1)


def main() -> None:
    parser = argparse.ArgumentParser("python -m bench.browser")
    parser.add_argument("--json", type=Path, metavar="PATH", help="write the results there")
    path = parser.parse_args().json
    results = {}
    with (
        served(bundle()) as url,
        tempfile.TemporaryDirectory() as folder,
        House(Path(folder) / "house", JOURNALISTS) as house,
    ):
        for level, prefs in LEVELS.items():
            with Firefox(prefs) as firefox:
                firefox.open(url)
                results[level] = sealing(firefox, SIZES[level]) | waiting(firefox, house)
            print(level, json.dumps(results[level]), file=sys.stderr, flush=True)
    if path:
        path.write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
