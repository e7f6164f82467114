"""The relay's settings: a small YAML file."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, fields
from pathlib import Path
from typing import Any, TypeVar, cast

import yaml

from relay.errors import BadSettings

T = TypeVar("T")

_LOOPBACK = re.compile(r"127\.0\.0\.1:([0-9]{1,5})")
_ONION = re.compile(r"[a-z2-7]{55}d\.onion")


@dataclass(frozen=True, slots=True)
class Address:
    """A unix socket's path, or a port of 127.0.0.1; port 0 is any that is free."""

    path: Path | None
    port: int = 0

    def __str__(self) -> str:
        return f"127.0.0.1:{self.port}" if self.path is None else f"unix:{self.path}"


@dataclass(frozen=True, slots=True)
class Settings:
    """`edition`, `data`, `source` and `desk` are required."""

    edition: Path  # folder with a build: manifest.json and its files
    data: Path  # folder for drops and the board, this relay's alone
    source: Address  # where the public onion leads
    desk: Address  # where the desks' onion leads
    circuits: str = "none"  # haproxy: each connection says first which circuit it came on, as tor can
    reserve_bytes: int = 512 << 20  # disk space that drops never get
    connections: int = 512  # at once, for each of the two sockets
    idle_seconds: int = 120  # how long a connection may be silent
    unfinished_drops: int = 1000  # at once
    unfinished_hours: int = 24  # how long one is kept after its last part
    control: Address | None = None  # tor's control socket, with CookieAuthentication
    source_onion: str | None = None  # the two services' addresses, for `status` to ask tor about
    desk_onion: str | None = None
    sealer: Address | None = None  # where the sealer listens, for `status` to look whether it does
    former: Address | None = None  # where an onion leads that sources came to before


def parse(text: str | bytes, base: Path) -> Settings:
    """The settings in `text`, its paths relative to `base`; refuses (BadSettings), naming every mistake."""
    return read(Settings, text, base, "source", "desk", "former")


def load(path: Path) -> Settings:
    """The settings in a file; refuses (BadSettings) one that cannot be read."""
    return parse(text_of(path), path.absolute().parent)


def read(kind: type[T], text: str | bytes, base: Path, *apart: str) -> T:
    """The settings of one program, a dataclass; no two of the addresses `apart` may be the same."""
    given = _mapping(text)
    known = {field.name: field for field in fields(cast(Any, kind))}
    mistakes = [_unknown(key, known) for key in given if key not in known]
    required = (name for name, field in known.items() if field.default is MISSING)
    mistakes += [f"{name}: missing" for name in required if name not in given]
    values: dict[str, Any] = {}
    for key, value in given.items():
        if key in known:
            try:
                values[key] = _READERS.get(key, _number)(value, base)
            except ValueError as error:
                mistakes.append(f"{key}: {error}")
    # Any port that is free is another one each time.
    named = [(name, values[name]) for name in apart if values.get(name, Address(None)) != Address(None)]
    taken = [address for _, address in named]
    mistakes += [
        f"{name}: two sockets need two addresses" for n, (name, at) in enumerate(named) if at in taken[:n]
    ]
    if mistakes:
        raise BadSettings("\n".join(mistakes))
    return kind(**values)


def text_of(path: Path) -> bytes:
    """What a file holds; refuses (BadSettings) one that cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise BadSettings(f"{path}: {error.strerror}") from None


def _mapping(text: str | bytes) -> dict[str, Any]:
    try:
        # BaseLoader makes nothing but strings, lists and mappings.
        given = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506
    except (yaml.YAMLError, UnicodeError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise BadSettings(f"line {mark.line + 1}: this is not YAML" if mark else "this is not YAML") from None
    if not isinstance(given, dict):
        raise BadSettings("this is not a list of `key: value` lines")
    return given


def _unknown(key: object, known: Mapping[str, object]) -> str:
    near = difflib.get_close_matches(str(key), known, n=1, cutoff=0)
    return f"{key}: there is no such setting; the nearest is {near[0]}"


def _folder(value: object, base: Path) -> Path:
    if not isinstance(value, str) or not value or "\0" in value:
        raise ValueError("name a folder")
    return base / value


def _address(value: object, _: Path) -> Address:
    if isinstance(value, str) and value.startswith("unix:/") and "\0" not in value:
        return Address(Path(value.removeprefix("unix:")))
    found = _LOOPBACK.fullmatch(value) if isinstance(value, str) else None
    if found is None or int(found[1]) > 65535:
        raise ValueError("write unix:/PATH or 127.0.0.1:PORT; the relay listens nowhere else")
    return Address(None, int(found[1]))


def _circuits(value: object, _: Path) -> str:
    if value not in ("none", "haproxy"):
        raise ValueError("write haproxy, where tor has HiddenServiceExportCircuitID haproxy, or none")
    return str(value)


def _control(value: object, base: Path) -> Address:
    try:
        address = _address(value, base)
    except ValueError:
        address = Address(None)
    if address == Address(None):
        raise ValueError("write unix:/PATH or 127.0.0.1:PORT, as tor's ControlSocket or ControlPort")
    return address


def _onion(value: object, _: Path) -> str:
    if not isinstance(value, str) or not _ONION.fullmatch(value):
        raise ValueError("write what stands in the service's file hostname")
    return value


def _number(value: object, _: Path) -> int:
    if not isinstance(value, str) or not re.fullmatch(r"[1-9][0-9_]{0,17}", value):
        raise ValueError("write a positive whole number")
    return int(value)


_READERS: dict[str, Callable[[object, Path], object]] = {
    "edition": _folder,
    "data": _folder,
    "source": _address,
    "desk": _address,
    "listen": _address,
    "relay": _address,
    "sealer": _address,
    "former": _address,
    "circuits": _circuits,
    "control": _control,
    "source_onion": _onion,
    "desk_onion": _onion,
}
