"""Requests to the relay's desk socket (relay/PROTOCOL.md). What it answers is a stranger's too: bounded
and checked."""

from __future__ import annotations

import http.client
import json
import re
import secrets
import socket
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, urlsplit

from keys.desk import socks
from keys.errors import DeskError, Refused, Unreachable
from keys.line import LINE
from keys.onion import parse_address

_PATIENCE = 90  # seconds of silence: a circuit of Tor may take as long
_LONGEST = 1 << 20  # bytes of an answer that is neither a drop nor the board
_CHUNK = 1 << 16  # what a cut costs at most: a circuit may die again and again before it has carried more
_ID = re.compile(r"[0-9a-f]{32}")


class Gone(Refused):
    """the relay no longer has it"""


class Listed(NamedTuple):
    """A drop as the relay lists it."""

    id: str
    size: int
    day: date


@dataclass(frozen=True)
class Page:
    """One answer to a listing."""

    drops: tuple[Listed, ...]
    cursor: str
    more: bool


class _UnixConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=_PATIENCE)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


class _OnionConnection(http.client.HTTPConnection):
    def __init__(self, host: str, port: int, proxy: str, circuit: str) -> None:
        super().__init__(host, port, timeout=_PATIENCE)
        self._proxy = proxy
        self._circuit = circuit

    def connect(self) -> None:
        self.sock = socks.connect(self._proxy, self.host, self.port, self._circuit, _PATIENCE)


class Client:
    """One connection to a relay at http://HOST:PORT or unix:/PATH; an onion is reached through tor's SOCKS
    port `proxy`, over a circuit that no other client shares. Its methods raise Unreachable when there is no
    answer, and Refused for one that says no or makes no sense."""

    def __init__(self, url: str, proxy: str = socks.TOR) -> None:
        self._connection = connection(url, proxy, new_circuit())

    def close(self) -> None:
        self._connection.close()

    def drops(self, after: str) -> Page:
        """Gives the drops that arrived after a cursor, oldest first; all of them after none."""
        said = self._json(f"/drops?after={quote(after, safe='')}" if after else "/drops")
        drops, cursor, more = said.get("drops"), said.get("cursor"), said.get("more")
        if not isinstance(drops, list) or not isinstance(cursor, str) or not isinstance(more, bool):
            raise Refused("its list of drops is malformed")
        if len(cursor) > 200 or (more and not drops):
            raise Refused("its list of drops is malformed")
        return Page(tuple(map(_listed, drops)), cursor, more)

    def download(self, drop: Listed, to: Path, report: Callable[[int], None]) -> None:
        """Writes a drop to a file, going on where an earlier download of it was cut."""
        have = to.stat().st_size if to.exists() else 0
        if have >= drop.size:
            have = 0
        asked = {"Range": f"bytes={have}-"} if have else {}
        answer = self._request("GET", f"/drops/{drop.id}", headers=asked)
        if have and not (answer.headers.get("Content-Range") or "").startswith(f"bytes {have}-"):
            have = 0
        with to.open("r+b" if have else "wb") as file:
            file.seek(have)
            while have < drop.size and (data := self._read(answer, min(_CHUNK, drop.size - have))):
                file.write(data)
                have += len(data)
                report(have)
        if have < drop.size or self._read(answer, 1):
            self.close()
            raise Unreachable(
                "the connection ended in the middle of a drop", hint="fetch again: it goes on from there"
            )

    def board(self, lines: int) -> bytes:
        """Gives the board."""
        data = self._whole(self._request("GET", "/board"), lines * LINE)
        if len(data) != lines * LINE:
            raise Refused("its board has another size than the newsroom's")
        return data

    def post_board(self, lines: bytes) -> None:
        """Puts lines on the board, at most once."""
        self._whole(self._request("POST", "/board", lines, again=False))

    def put_note(self, id_: str, note: bytes) -> None:
        """Stores a drop of one part."""
        self._whole(self._request("PUT", f"/drops/{id_}/0?commit", note))

    def delete(self, id_: str) -> None:
        """Deletes a drop, if it is there."""
        self._whole(self._request("DELETE", f"/drops/{id_}"))

    def status(self) -> dict[str, Any]:
        """Gives what the relay says of itself."""
        return self._json("/status")

    def page(self, path: str, limit: int) -> tuple[list[tuple[str, str]], bytes]:
        """Gives the headers and the body of one of the site's files."""
        answer = self._request("GET", quote(path))
        return answer.getheaders(), self._whole(answer, limit)

    def _json(self, target: str) -> dict[str, Any]:
        try:
            said = json.loads(self._whole(self._request("GET", target)))
        except (ValueError, RecursionError):
            raise Refused("its answer is not JSON") from None
        if not isinstance(said, dict):
            raise Refused("its answer is malformed")
        return said

    def _request(
        self,
        method: str,
        target: str,
        body: bytes | None = None,
        *,
        headers: Mapping[str, str] = {},
        again: bool = True,
    ) -> http.client.HTTPResponse:
        """Gives an answer that says yes, its body unread. A kept connection that was closed meanwhile is
        opened again, unless the request may be done only once."""
        try:
            self._connection.request(method, target, body, dict(headers))
            answer = self._connection.getresponse()
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if again:
                return self._request(method, target, body, headers=headers, again=False)
            raise Unreachable(_reason(error)) from None
        if answer.status >= 300:
            said = f"{answer.status} {_sentence(self._whole(answer))}"
            raise Gone(said) if answer.status == 404 else Refused(said)
        return answer

    def _whole(self, answer: http.client.HTTPResponse, limit: int = _LONGEST) -> bytes:
        data = b""
        while len(data) <= limit and (more := self._read(answer, limit + 1 - len(data))):
            data += more
        if len(data) > limit or answer.length:
            self.close()
            raise Refused("its answer is too long or cut short")
        return data

    def _read(self, answer: http.client.HTTPResponse, n: int) -> bytes:
        try:
            return answer.read(n)
        except (OSError, http.client.HTTPException) as error:
            self.close()
            raise Unreachable(_reason(error)) from None


def new_circuit() -> str:
    """Gives the name of a circuit that is nobody else's."""
    return f"desk-{secrets.token_hex(8)}"


def connection(url: str, proxy: str, circuit: str) -> http.client.HTTPConnection:
    """Gives a connection, not opened yet, to http://HOST:PORT, unix:/PATH, or over this circuit to an onion;
    raises DeskError or BadOnion for an address that is none."""
    if url.startswith("unix:/"):
        return _UnixConnection(url.removeprefix("unix:"))
    try:
        parts = urlsplit(url)
        if parts.scheme == "http" and parts.hostname and parts.path in ("", "/") and not parts.query:
            port = parts.port or 80
            if parts.hostname.endswith(".onion"):
                parse_address(parts.hostname)
                socks.parse(proxy)
                return _OnionConnection(parts.hostname, port, proxy, circuit)
            return http.client.HTTPConnection(parts.hostname, port, timeout=_PATIENCE)
    except ValueError:
        pass
    raise DeskError("a relay's address is http://HOST:PORT or unix:/PATH", hint=f"it is {url}")


def _listed(given: object) -> Listed:
    try:
        match given:
            case {"id": str(id_), "size": int(size), "day": str(day)} if _ID.fullmatch(id_) and size > 0:
                return Listed(id_, size, date.fromisoformat(day))
    except ValueError:
        pass
    raise Refused("its list of drops is malformed")


def _sentence(body: bytes) -> str:
    try:
        said = json.loads(body)["error"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "without a reason"
    return said[:200] if isinstance(said, str) else "without a reason"


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it was silent for too long"
    return (getattr(error, "strerror", None) or "the connection was cut").lower()
