"""The ways on which a notice leaves: a notification on this screen, the newsroom's mail command, a webhook.

What it says is the same for all who pass it on. Where it goes to stands in a file of the desk's home: other
programs can read a command line, and the address of a webhook is all it takes to use it.
"""

from __future__ import annotations

import http.client
import json
import re
import shutil
import ssl
import subprocess
from collections.abc import Callable, Sequence
from urllib.parse import SplitResult, urlsplit

from keys.desk import socks
from keys.desk.client import new_circuit
from keys.desk.home import Home
from keys.desk.terminal import read_file
from keys.desk.watcher.notice import SUBJECT
from keys.errors import DeskError, KnotholeError, NotTold

Tell = Callable[[str], None]

WAYS = ("notification", "mail", "webhook")
_NOTIFIER = "notify-send"
_LONGEST = 4096  # bytes of a file that says where to
_PATIENCE = 120  # seconds


def way(name: str, home: Home) -> Tell:
    """Gives what tells a sentence on this way, and raises NotTold when it could not. Raises DeskError where
    there is no such way from this home."""
    if name == "notification":
        return _notification()
    return _mail(home) if name == "mail" else _webhook(home)


def _notification() -> Tell:
    _program(_NOTIFIER, "install it (Debian: libnotify-bin), or choose another way")
    return lambda text: _run([_NOTIFIER, "--", SUBJECT, text], b"")


def _mail(home: Home) -> Tell:
    path = home.folder / "mail"
    hint = f"write it into {path}, one word a line, the program first"
    words = _lines(home, "mail", hint)
    _program(words[0], hint)
    return lambda text: _run(words, f"Subject: {SUBJECT}\n\n{text}\n".encode())


def _webhook(home: Home) -> Tell:
    path = home.folder / "webhook"
    lines = _lines(home, "webhook", f"write its address into {path}")
    proxy = home.settings.socks
    socks.parse(proxy)
    url = _address(lines[0]) if len(lines) == 1 else None
    if url is None:
        hint = "such as https://chat.example/hooks/1234; without TLS only at an onion"
        raise DeskError(f"{path} does not hold the one address of a webhook", hint=hint)
    return lambda text: _post(url, json.dumps({"text": text}).encode(), proxy)


def _lines(home: Home, name: str, hint: str) -> list[str]:
    path = home.folder / name
    text = read_file(path, _LONGEST).decode(errors="replace") if path.exists() else ""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    if not lines:
        raise DeskError(f"this desk does not know its {name}", hint=hint)
    return lines


def _program(name: str, hint: str) -> None:
    if shutil.which(name) is None:
        raise DeskError(f"there is no program {name}", hint=hint)


def _address(given: str) -> SplitResult | None:
    """Gives a webhook's address: nobody on the way can read what is sent there, or see whence."""
    try:
        url = urlsplit(given)
        port = url.port
    except ValueError:
        return None
    host = url.hostname or ""
    sound = re.fullmatch("[!-~]+", given) and host and port != 0 and "@" not in url.netloc
    safe = url.scheme == "https" or (url.scheme == "http" and host.endswith(".onion"))
    return url if sound and safe and not url.fragment else None


def _run(words: Sequence[str], given: bytes) -> None:
    """Runs a program without a shell. What it prints is let through to where the desk complains."""
    try:
        done = subprocess.run(  # noqa: S603 - the newsroom's own choice
            words, input=given, stdout=subprocess.DEVNULL, timeout=_PATIENCE, check=False
        )
    except subprocess.TimeoutExpired:
        raise NotTold(f"{words[0]} did not end") from None
    except OSError as error:
        raise NotTold(f"{words[0]}: {(error.strerror or 'it did not start').lower()}") from None
    if done.returncode:
        raise NotTold(f"{words[0]} ended with {done.returncode}")


def _post(url: SplitResult, body: bytes, proxy: str) -> None:
    """Posts to a webhook through tor, over a circuit of its own, and follows no redirect."""
    host, secure = url.hostname or "", url.scheme == "https"
    port = url.port or (443 if secure else 80)
    connection = http.client.HTTPConnection(host, port)
    target = (url.path or "/") + (f"?{url.query}" if url.query else "")
    try:
        connection.sock = socks.connect(proxy, host, port, new_circuit(), _PATIENCE)
        connection.sock.settimeout(_PATIENCE)
        if secure:
            connection.sock = ssl.create_default_context().wrap_socket(connection.sock, server_hostname=host)
        headers = {"Host": url.netloc, "Content-Type": "application/json"}
        connection.request("POST", target, body, headers)
        status = connection.getresponse().status
    except KnotholeError as error:
        raise NotTold(f"the webhook was not reached: {error.detail}", hint=error.hint) from None
    except (OSError, http.client.HTTPException) as error:
        why = (
            getattr(error, "verify_message", "") or getattr(error, "strerror", "") or "the connection was cut"
        )
        raise NotTold(f"the webhook was not reached: {why.lower()}") from None
    finally:
        connection.close()
    if not 200 <= status < 300:
        raise NotTold(f"the webhook answered {status}")
