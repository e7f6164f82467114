"""Keys that ended, as an edition lists them (FORMAT.md section 9)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from yaml.nodes import Node

from keys.identity import Public, Rotation
from keys.kinds import Pattern
from keys.nodes import Mistake, at, line
from keys.options import Former
from keys.schema import option


@dataclass(frozen=True, kw_only=True)
class Ended(Former):
    signature: str | None = option(
        Pattern("[0-9a-f]{128}", "128 hex digits"), "Its word for the key that is listed in its place.", None
    )

    @property
    def rotation(self) -> Rotation | None:
        """Gives what signed the key in its place; None where this one did not sign that."""
        return Rotation(bytes.fromhex(self.signer), bytes.fromhex(self.signature)) if self.signature else None


def mistakes(former: Sequence[Former], recipients: Sequence[Public], root: Node) -> Iterator[Mistake]:
    """Gives the mistakes in a list of keys that ended: one that a recipient has, one that stands there twice,
    and a false signature."""
    ended = {bytes.fromhex(one.signer): one for one in former}
    for i, recipient in enumerate(recipients):
        if found := ended.get(recipient.signer):
            says = f"recipients: this key of {recipient.name!r} ended on {found.until}, as `former` says"
            yield Mistake(line(at(root, "recipients", i)), says)
    for i, one in enumerate(former):
        here = line(at(root, "former", i))
        if ended[bytes.fromhex(one.signer)] is not one:
            yield Mistake(here, f"former: this key of {one.name!r} stands here twice")
        rotation = one.rotation if isinstance(one, Ended) else None
        if rotation and not any(rotation.holds(new) for new in recipients if new.name == one.name):
            yield Mistake(here, f"former: the key of {one.name!r} did not sign the one that is listed")
