"""A form's files, sealed while they arrive and carried to the relay."""

from __future__ import annotations

import asyncio
from typing import Protocol

from keys.arriving import Arriving
from keys.drop import MOST_FILES
from keys.errors import BadDrop
from relay.errors import Refused
from relay.parse import AgeHead
from relay.patience import Patience
from relay.sealer.delivery import Delivery
from relay.sealer.draft import Draft, Mistake
from relay.sealer.form import Form
from relay.sealer.house import House
from relay.sealer.upstream import Upstream

_SHORTEST = 16 + 16  # bytes after the head of any age file: a nonce and the tag of one chunk


class Visitor(Protocol):
    @property
    def language(self) -> str: ...

    @property
    def upstream(self) -> Upstream: ...

    @property
    def size(self) -> int: ...


async def seal(form: Form, draft: Draft, house: House, visitor: Visitor, patience: Patience) -> bool:
    """Seals a draft with the files that follow it, and returns once the drop is stored and listed; False for
    one that holds nothing. Refuses (413) what is too large and what the relay refuses; raises Unsure."""
    name = await form.file()
    if name is None and draft.empty:
        return False
    most = house.newsroom.limits.drop
    if visitor.size > most:  # known before an hour is spent on it
        raise Refused(413, "the drop is too large")
    letter = draft.letter(house.newsroom, visitor.language)
    async with Delivery(visitor.upstream) as delivery:
        try:
            arriving = Arriving(delivery.take, letter, draft.message, house.recipients)
            files = 0
            while name is not None:
                files += 1
                if files > MOST_FILES:
                    raise Refused(413, "these are too many files")
                arriving.begin(name)
                while piece := await form.piece():
                    arriving.write(piece)
                    if arriving.size > most:
                        raise Refused(413, "the drop is too large")
                    await delivery.carry(patience.progress)
                arriving.end()
                name = await form.file()
        except BadDrop:
            raise Refused(413, "a file is larger than a drop can hold") from None
        patience.done()
        for _ in arriving.close():
            await delivery.carry()
            await asyncio.sleep(0)  # the padding of a large drop is megabytes, and others wait
        await delivery.commit(arriving.size)
    return True


async def pass_on(form: Form, house: House, visitor: Visitor, patience: Patience) -> Mistake | None:
    """Carries a file that is sealed already to the relay, and returns once it is stored and listed; what is
    wrong with it otherwise. Refuses as `seal` does."""
    if await form.file() is None:
        return Mistake("file", "no_file")
    head = AgeHead(house.edition.terms.stanzas)
    start = b""
    while len(start) < head.size + _SHORTEST:
        if not (piece := await form.piece()):
            return Mistake("file", "not_sealed")
        start += piece
    if not head.begins(start):
        return Mistake("file", "not_sealed")
    async with Delivery(visitor.upstream) as delivery:
        size, piece = 0, memoryview(start)
        while piece:
            delivery.take(size, piece)
            size += len(piece)
            if size > house.newsroom.limits.drop:
                raise Refused(413, "the drop is too large")
            await delivery.carry(patience.progress)
            piece = await form.piece()
        patience.done()
        await delivery.commit(size)
    return None
