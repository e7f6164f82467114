"""A busy client that remembers what the relay acknowledged, and looks for it after a crash."""

from __future__ import annotations

import http.client
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from support.relay_process import PART, Reply, ask, commit, connection, new_id
from support.small_edition import TERMS, age_head

LINE = 2048
POST = TERMS["board_post"] * LINE
BOARD = TERMS["board_lines"] * LINE
_POOL = os.urandom(4 * PART)
_HEAD = age_head()
_LANES = 4  # connections at once; the first one also posts to the board
_AGAIN = 10  # drops that are fetched again after a crash, for others in their file may have been deleted


@dataclass
class _Sent:
    """A drop of `size` bytes of the pool, and what the relay said of it."""

    offset: int
    size: int
    stored: set[int] = field(default_factory=set)  # parts
    committed: bool = False
    delete_asked: bool = False
    deleted: bool = False
    seen: bool = False  # fetched whole since

    @property
    def data(self) -> bytes:
        return _HEAD + _POOL[self.offset : self.offset + self.size - len(_HEAD)]

    @property
    def parts(self) -> int:
        return -(-self.size // PART)


class Witness:
    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)  # noqa: S311 - chance, not secrecy
        self._sent: dict[str, _Sent] = {}
        self._posts: list[bytes] = []  # the newest that must be on the board, oldest first
        self._post_asked: bytes | None = None
        self._crashing = threading.Event()
        self.acknowledged = 0

    def work_until(self, source: str, desk: str, crash: Callable[[], None]) -> None:
        """Sends, deletes and posts over several connections until `crash`, soon, ends the relay."""
        lanes = [threading.Thread(target=self._lane, args=(n, source, desk)) for n in range(_LANES)]
        for lane in lanes:
            lane.start()
        time.sleep(self._random.uniform(0, 0.12))
        self._crashing.set()
        crash()
        for lane in lanes:
            lane.join()
        self._crashing.clear()

    def _lane(self, n: int, source: str, desk: str) -> None:
        chance = random.Random(self._random.random())  # noqa: S311
        try:
            with connection(source) as to_source, connection(desk) as to_desk:
                while True:
                    step = chance.choice([self._short, self._short, self._long, self._long, self._delete])
                    step(chance, to_source, to_desk)
                    if n == 0:
                        self._post(to_desk)
        except (OSError, http.client.HTTPException):
            return  # the crash

    def _short(self, chance: random.Random, source: http.client.HTTPConnection, _: object) -> None:
        id_, sent = self._new(chance, chance.randrange(len(_HEAD) + 1, chance.choice([20_000, 200_000])))
        self._told(ask(source, "PUT", f"/drops/{id_}/0?commit", sent.data), 201)
        sent.committed = True

    def _long(self, chance: random.Random, source: http.client.HTTPConnection, _: object) -> None:
        id_, sent = self._new(chance, chance.randrange(PART, 3 * PART))
        numbers = list(range(sent.parts))
        chance.shuffle(numbers)
        for n in [*numbers, *chance.choices(numbers, k=chance.randrange(2))]:
            part = sent.data[n * PART : (n + 1) * PART]
            self._told(ask(source, "PUT", f"/drops/{id_}/{n}", part), 204)
            sent.stored.add(n)
        self._told(commit(source, id_, sent.parts, sent.size), 201)
        sent.committed = True

    def _new(self, chance: random.Random, size: int) -> tuple[str, _Sent]:
        id_, sent = new_id(), _Sent(chance.randrange(PART), size)
        self._sent[id_] = sent
        return id_, sent

    def _delete(self, _: object, __: object, desk: http.client.HTTPConnection) -> None:
        seen = [id_ for id_, sent in self._sent.copy().items() if sent.seen and not sent.delete_asked]
        for id_ in seen[:3]:
            sent = self._sent[id_]
            sent.delete_asked = True
            self._told(ask(desk, "DELETE", f"/drops/{id_}"), 204)
            sent.deleted = True

    def _post(self, desk: http.client.HTTPConnection) -> None:
        self._post_asked = os.urandom(POST)
        self._told(ask(desk, "POST", "/board", self._post_asked), 204)
        self._posts = [*self._posts, self._post_asked][-BOARD // POST :]
        self._post_asked = None

    def _told(self, reply: Reply, status: int) -> None:
        if reply.status == 500 and self._crashing.is_set():
            raise ConnectionError("the disk went before the relay")
        assert reply.status == status, reply
        self.acknowledged += 1

    def check(self, source: str, desk: str) -> None:
        """Holds a relay that was started again against all that was acknowledged before."""
        self._check_board(ask(source, "GET", "/board").body)
        listed = {drop["id"]: drop["size"] for drop in ask(desk, "GET", "/drops").said["drops"]}
        again = self._random.sample(sorted(listed), min(_AGAIN, len(listed)))
        for id_, size in listed.items():
            self._check_listed(self._sent[id_], size, desk, id_, again=id_ in again)
        for id_, sent in list(self._sent.items()):
            if id_ not in listed and not sent.delete_asked:
                self._check_unfinished(sent, source, id_)

    def _check_board(self, board: bytes) -> None:
        assert len(board) == BOARD
        if self._post_asked is not None and board.endswith(self._post_asked):
            self._posts = [*self._posts, self._post_asked][-BOARD // POST :]
        self._post_asked = None
        assert board.endswith(b"".join(self._posts))

    def _check_listed(self, sent: _Sent, size: int, desk: str, id_: str, *, again: bool) -> None:
        assert not sent.deleted
        assert size == sent.size
        if again or not sent.seen:
            assert ask(desk, "GET", f"/drops/{id_}").body == sent.data
        sent.seen = sent.committed = True

    def _check_unfinished(self, sent: _Sent, source: str, id_: str) -> None:
        """What is not listed has all the parts that were acknowledged, and goes on from there."""
        assert not sent.committed
        reply = commit(source, id_, sent.parts, sent.size)
        missing = range(sent.parts) if reply.status == 404 else reply.said.get("missing", ())
        assert not sent.stored & set(missing)
        for n in missing:
            part = sent.data[n * PART : (n + 1) * PART]
            assert ask(source, "PUT", f"/drops/{id_}/{n}", part).status == 204
        reply = commit(source, id_, sent.parts, sent.size)
        assert reply.status == 201, reply
        sent.committed = True
