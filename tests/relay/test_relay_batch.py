"""Small drops that came together share a file: what is kept, deleted and found again of it."""

from __future__ import annotations

import asyncio
import errno
import os
from collections.abc import Awaitable, Callable
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.relay_process import PART, new_id
from support.small_edition import STANZAS, some_drop

from relay import batch
from relay.batch import Batches
from relay.day import expires, today
from relay.errors import Refused
from relay.flush import Flush
from relay.folder import FolderStore
from relay.store import Limits

LIMITS = Limits(STANZAS, 8 * PART, 30, 1, 3, 24)
Work = Callable[[FolderStore], Awaitable[None]]


def with_store(root: Path, *works: Work, limits: Limits = LIMITS) -> None:
    """Does one work after another, each with a store that was just opened."""

    async def run(work: Work) -> None:
        async with Flush(root, lambda: None) as flush:
            await work(FolderStore(root, limits, flush))

    for work in works:
        asyncio.run(run(work))


def some_drops(count: int, size: int = 10_000) -> dict[str, bytes]:
    return {new_id(): some_drop(size + n) for n in range(count)}


async def add(store: FolderStore, drops: dict[str, bytes]) -> None:
    await asyncio.gather(*(store.add(id_, drop) for id_, drop in drops.items()))


def kept(store: FolderStore) -> dict[str, bytes]:
    """All drops that are listed, read from the disk."""
    found = {}
    for drop in store.listing(None).drops:
        piece = store.slice(drop, 0, drop.size)
        with Path(piece.path).open("rb") as file:
            file.seek(piece.offset)
            found[drop.id] = file.read(piece.count)
    return found


def files(root: Path) -> list[Path]:
    return sorted((root / "drops").iterdir())


def test_what_comes_together_is_kept_together(tmp_path: Path) -> None:
    drops = some_drops(batch.MOST + 3, size=6000)

    async def work(store: FolderStore) -> None:
        await add(store, drops)
        assert kept(store) == drops
        assert [drop.seq for drop in store.listing(None).drops] == list(range(1, len(drops) + 1))
        assert [int(path.name.rpartition("-")[2]) for path in files(tmp_path)] == [batch.MOST, 3]

    async def again(store: FolderStore) -> None:
        assert kept(store) == drops
        one, piece = store.listing(None).drops[1], list(drops.values())[1][50:60]
        middle = store.slice(one, 50, 60)
        assert os.pread(os.open(middle.path, os.O_RDONLY), middle.count, middle.offset) == piece
        later = some_drops(1)
        await add(store, later)
        assert list(kept(store)) == [*drops, *later]

    with_store(tmp_path, work, again)
    assert {path.stat().st_mode & 0o777 for path in files(tmp_path)} == {0o600}


@pytest.mark.parametrize("holes", [True, False])
def test_a_deleted_drop_is_gone_and_its_neighbours_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, holes: bool
) -> None:
    if not holes:  # a file system that has none
        monkeypatch.setattr(batch, "_fallocate", lambda *_: -1)
    drops = some_drops(3, size=60_000)
    first, second, third = drops

    async def delete_one(store: FolderStore) -> None:
        await add(store, drops)
        (file,) = files(tmp_path)
        before = file.stat()
        await store.delete(second)
        assert kept(store) == {first: drops[first], third: drops[third]}
        whole = file.read_bytes()
        assert bytes.fromhex(second) not in whole
        for at in range(5000, 60_000, 1000):  # behind the heads, which are alike
            assert drops[second][at : at + 1000] not in whole
        assert file.stat().st_size == before.st_size
        assert (file.stat().st_blocks < before.st_blocks) == holes

    async def delete_the_rest(store: FolderStore) -> None:
        assert kept(store) == {first: drops[first], third: drops[third]}
        await asyncio.gather(store.delete(first), store.delete(third), store.delete(second))
        assert files(tmp_path) == []
        assert list((tmp_path / "gone").iterdir()) == []

    with_store(tmp_path, delete_one, delete_the_rest)


def test_a_slot_is_emptied_durably_before_the_bytes_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Otherwise a crash could list a drop of zeros."""
    drops = some_drops(2)
    seen: list[tuple[bool, bool]] = []
    begin = Flush._begin

    def watched(flush: Flush) -> None:
        whole = files(tmp_path)[0].read_bytes() if files(tmp_path) else b""
        seen.append((bytes.fromhex(next(iter(drops))) in whole, next(iter(drops.values())) in whole))
        begin(flush)

    monkeypatch.setattr(Flush, "_begin", watched)

    async def work(store: FolderStore) -> None:
        await add(store, drops)
        await store.delete(next(iter(drops)))
        assert seen == [(False, False), (False, True)]

    with_store(tmp_path, work)


def test_the_same_drop_twice_at_once_has_one_place(tmp_path: Path) -> None:
    id_, drop = new_id(), some_drop()

    async def work(store: FolderStore) -> None:
        # Three times in one batch, while it is being kept, and afterwards.
        adding = [asyncio.create_task(store.add(id_, drop)) for _ in range(3)]
        commit = asyncio.create_task(store.commit(id_, 1, len(drop)))
        while not store.has_place(id_):  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0)
        adding.append(asyncio.create_task(store.add(id_, drop)))
        await asyncio.gather(*adding, commit)
        await store.add(id_, drop)
        assert kept(store) == {id_: drop}
        with pytest.raises(Refused) as refused:
            await store.add(id_, some_drop(len(drop) + 1))
        assert refused.value.status == 409

    with_store(tmp_path, work)
    assert len(files(tmp_path)) == 1


def test_one_who_leaves_takes_nobody_along(tmp_path: Path) -> None:
    drops = some_drops(3)

    async def work(store: FolderStore) -> None:
        adding = [asyncio.create_task(store.add(id_, drop)) for id_, drop in drops.items()]
        await asyncio.sleep(0)
        adding[0].cancel()
        done = await asyncio.gather(*adding, return_exceptions=True)
        assert [type(one) for one in done] == [asyncio.CancelledError, type(None), type(None)]
        assert kept(store) == drops  # it was here already

    with_store(tmp_path, work)


def test_a_disk_that_fills_up_keeps_nothing_of_a_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(_: object) -> None:
        raise OSError(errno.ENOSPC, "full")

    async def work(store: FolderStore) -> None:
        with monkeypatch.context() as patched:
            patched.setattr(batch, "touch", full)  # after all was written
            for adding in [asyncio.create_task(store.add(*one)) for one in some_drops(2).items()]:
                with pytest.raises(Refused) as refused:
                    await adding
                assert refused.value.status == 507
        assert [*files(tmp_path), *(tmp_path / "tmp").iterdir()] == []
        await add(store, some_drops(1))
        assert len(kept(store)) == 1

    with_store(tmp_path, work)


def test_drops_of_a_batch_expire_each_on_its_day(tmp_path: Path) -> None:
    arrived = today() - timedelta(33)
    drops = some_drops(40, size=6000)
    left = {id_: drop for id_, drop in drops.items() if expires(arrived, 30, id_) > today()}
    assert 0 < len(left) < len(drops)

    async def work(store: FolderStore) -> None:
        await add(store, drops)
        (file,) = files(tmp_path)
        file.rename(file.with_name(file.name.replace(str(today()), str(arrived))))

    async def sweep(store: FolderStore) -> None:
        await store.sweep()
        assert kept(store) == left

    with_store(tmp_path, work, sweep, sweep)


@given(st.binary(max_size=300), st.integers(1, 9))
def test_any_file_is_read_as_a_batch_or_as_none(
    tmp_path_factory: pytest.TempPathFactory, data: bytes, count: int
) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    path.write_bytes(data)
    found = Batches().read(str(path), 1, date(2026, 1, 1), count)
    assert len(found) <= count
    assert sum(drop.size for drop in found) <= len(data)


def test_a_batch_cut_short_is_not_listed(tmp_path: Path) -> None:
    async def work(store: FolderStore) -> None:
        await add(store, some_drops(2))
        os.truncate(files(tmp_path)[0], 15_000)

    async def look(store: FolderStore) -> None:
        assert kept(store) == {}

    with_store(tmp_path, work, look)
