"""Requests to the relay's desk socket (relay/PROTOCOL.md). What it answers is a stranger's too: bounded
and checked."""

from __future__ import annotations

import http.client
import json
import os
import secrets
import socket
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from keys.desk import socks
from keys.desk.answers import Gone, Incomplete, Listed, Page, page, refusal
from keys.errors import DeskError, Refused, Unreachable
from keys.line import LINE
from keys.onion import parse_address

_PATIENCE = 90  # seconds of silence: a circuit of Tor may take as long
_LONGEST = 1 << 20  # bytes of an answer that is neither a drop nor the board
_PART = 1 << 20
_CHUNK = 1 << 16  # what a cut costs at most: a circuit may die again and again before it has carried more


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
        return page(self._json(f"/drops?after={quote(after, safe='')}" if after else "/drops"))

    def download(self, drop: Listed, to: Path, report: Callable[[int], None]) -> None:
        """Writes a drop to a file, which then outlasts a crash, going on where an earlier download of it was
        cut."""
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
            file.flush()
            os.fsync(file.fileno())
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

    def upload(self, id_: str, path: Path, report: Callable[[str], None]) -> None:
        """Stores a drop that is a file, whatever parts of it the relay has already."""
        size = path.stat().st_size
        parts = -(-size // _PART)
        commit = json.dumps({"parts": parts, "size": size}).encode()
        for _ in range(parts + 1):  # each refusal names a part at least that is not there yet
            try:
                self._whole(self._request("POST", f"/drops/{id_}", commit))
                return
            except Gone:
                missing: Sequence[int] = range(parts)
            except Incomplete as error:
                missing = error.missing
            with path.open("rb") as file:
                for n in missing:
                    report(f"part {n + 1} of {parts}")
                    file.seek(n * _PART)
                    self._whole(self._request("PUT", f"/drops/{id_}/{n}", file.read(_PART)))
        raise Refused("it does not keep what it is sent")

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
            raise refusal(answer.status, self._whole(answer))
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


def _reason(error: Exception) -> str:
    if isinstance(error, TimeoutError):
        return "it was silent for too long"
    return (getattr(error, "strerror", None) or "the connection was cut").lower()
