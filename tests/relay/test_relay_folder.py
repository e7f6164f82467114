"""The store in a folder, without a network: what it lists, and what it lets go of."""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from support.relay_process import PART, new_id
from support.small_edition import STANZAS, some_drop

from relay import folder, incoming
from relay.day import expires, today
from relay.errors import Refused
from relay.flush import Flush
from relay.folder import FolderStore
from relay.parse import Cursor
from relay.store import Limits

LIMITS = Limits(
    stanzas=STANZAS,
    drop_bytes=8 * PART,
    retention_days=30,
    reserve_bytes=1,
    unfinished_drops=3,
    unfinished_hours=24,
)


def with_store(root: Path, work: Callable[[FolderStore], Awaitable[None]], limits: Limits = LIMITS) -> None:
    async def run() -> None:
        async with Flush(root, lambda: None) as flush:
            await work(FolderStore(root, limits, flush))

    asyncio.run(run())


async def put(store: FolderStore, id_: str, n: int = 0, data: bytes | None = None) -> None:
    data = some_drop() if data is None else data
    with store.part(id_, n, len(data)) as part:
        part.write(data)
        await part.keep()


async def drop_in(store: FolderStore, id_: str) -> None:
    await store.add(id_, some_drop())


def status(store: FolderStore) -> tuple[int, int]:
    said = store.status()
    return said["drops"], said["unfinished"]


def test_a_listing_has_pages(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(folder, "PAGE", 3)

    async def work(store: FolderStore) -> None:
        ids = [new_id() for _ in range(7)]
        for id_ in ids:
            await drop_in(store, id_)
        seen: list[str] = []
        cursor: Cursor | None = None
        pages = []
        while not pages or pages[-1].more:
            pages.append(store.listing(cursor))
            cursor = pages[-1].cursor
            seen += [drop.id for drop in pages[-1].drops]
        assert seen == ids
        assert [len(page.drops) for page in pages] == [3, 3, 1]
        await store.delete(ids[-1])
        await drop_in(store, new_id())
        assert len(store.listing(cursor).drops) == 1

    with_store(tmp_path, work)


def test_a_listing_never_shows_a_later_drop_first(tmp_path: Path) -> None:
    """However commits overlap, a cursor passes no drop by that is not listed yet."""

    async def work(store: FolderStore) -> None:
        ids = {new_id() for _ in range(40)}
        sending = [asyncio.create_task(drop_in(store, id_)) for id_ in ids]
        seen: list[str] = []
        seqs: list[int] = []
        cursor: Cursor | None = None
        while len(seen) < len(ids):
            page = store.listing(cursor)
            cursor = page.cursor
            seen += [drop.id for drop in page.drops]
            seqs += [drop.seq for drop in page.drops]
            await asyncio.sleep(0)
        await asyncio.gather(*sending)
        assert set(seen) == ids
        assert seqs == sorted(seqs)

    with_store(tmp_path, work)


def test_drops_that_come_together_share_their_flushes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[Flush] = []
    begin = Flush._begin

    def counted(flush: Flush) -> None:
        begun.append(flush)
        begin(flush)

    monkeypatch.setattr(Flush, "_begin", counted)

    async def work(store: FolderStore) -> None:
        await asyncio.gather(*(drop_in(store, new_id()) for _ in range(32)))
        assert status(store) == (32, 0)
        assert len(begun) == 1

    with_store(tmp_path, work)


def test_the_same_commit_twice_at_once(tmp_path: Path) -> None:
    async def work(store: FolderStore) -> None:
        id_, data = new_id(), some_drop(PART + 1)
        await put(store, id_, 0, data[:PART])
        await put(store, id_, 1, data[PART:])
        await asyncio.gather(*(store.commit(id_, 2, len(data)) for _ in range(3)))
        assert status(store) == (1, 0)
        with pytest.raises(Refused):
            await store.commit(id_, 2, len(data) + 1)

    with_store(tmp_path, work)


def test_unfinished_drops_are_limited_and_short_ones_are_not(tmp_path: Path) -> None:
    async def work(store: FolderStore) -> None:
        begun = [new_id() for _ in range(3)]
        for id_ in begun:
            await put(store, id_)
        with pytest.raises(Refused) as refused:
            await put(store, new_id())
        assert refused.value.status == 503
        await drop_in(store, new_id())
        await put(store, begun[0], 1)  # one that has begun may go on
        assert status(store) == (1, 3)

    with_store(tmp_path, work)


def test_a_full_house_lets_go_of_the_longest_untouched(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(incoming, "STALE", 0)

    async def work(store: FolderStore) -> None:
        first, second, third = (new_id() for _ in range(3))
        for id_ in (first, second, third, first):
            await put(store, id_)
        await put(store, new_id())
        assert status(store) == (0, 3)
        assert second not in [path.name for path in (tmp_path / "incoming").iterdir()]

    with_store(tmp_path, work)


def test_unfinished_drops_expire(tmp_path: Path) -> None:
    async def work(store: FolderStore) -> None:
        await put(store, new_id())
        await store.sweep()
        assert status(store) == (0, 1)
        store.incoming.expire(-1)
        assert status(store) == (0, 0)
        await store.sweep()
        assert list((tmp_path / "gone").iterdir()) == []

    with_store(tmp_path, work)


def test_drops_expire_after_their_retention_and_some_days_more(tmp_path: Path) -> None:
    days = {expires(today(), 30, new_id()) - today() for _ in range(300)}
    assert days == {timedelta(30 + more) for more in range(7)}

    async def work(store: FolderStore) -> None:
        for _ in range(3):
            await drop_in(store, new_id())

    with_store(tmp_path, work)
    drops = sorted((tmp_path / "drops").iterdir())
    for path, age in zip(drops, (29, 37, 400), strict=True):
        seq, _, _, _, rest = path.name.split("-", 4)
        path.rename(path.with_name(f"{seq}-{today() - timedelta(age)}-{rest}"))

    async def sweep(store: FolderStore) -> None:
        assert status(store) == (3, 0)
        await store.sweep()
        assert status(store) == (1, 0)

    with_store(tmp_path, sweep)
    assert len(list((tmp_path / "drops").iterdir())) == 1
    assert list((tmp_path / "gone").iterdir()) == []


def test_what_a_crash_left_behind_is_cleared(tmp_path: Path) -> None:
    id_ = new_id()

    async def work(store: FolderStore) -> None:
        await drop_in(store, id_)
        (tmp_path / "tmp" / "17").write_bytes(b"half a part")
        (tmp_path / "incoming" / id_).write_bytes(b"of a drop that was committed in another way")
        (tmp_path / "incoming" / f"{new_id()}.sizes").write_bytes(bytes(8))  # its drop was committed
        (tmp_path / "incoming" / new_id()).write_bytes(b"no part of it was durable")
        (tmp_path / "drops" / "strange").write_bytes(b"")

    with_store(tmp_path, work)

    async def look(store: FolderStore) -> None:
        assert status(store) == (1, 0)
        assert list((tmp_path / "tmp").iterdir()) == []
        assert list((tmp_path / "incoming").iterdir()) == []

    with_store(tmp_path, look)


@pytest.mark.parametrize("lost", [(0, 4096), (PART - 4096, 4096), (PART // 2, PART)], ids=str)
def test_a_part_that_a_power_cut_kept_from_the_disk_is_missing(tmp_path: Path, lost: tuple[int, int]) -> None:
    """Its size was written down, and the file is as long as it should be."""
    id_, whole = new_id(), some_drop(PART) + os.urandom(PART) + b"the end"
    parts = [whole[n * PART : (n + 1) * PART] for n in range(3)]

    async def write(store: FolderStore) -> None:
        for n, part in enumerate(parts):
            await put(store, id_, n, part)

    with_store(tmp_path, write)
    start, size = lost
    subprocess.run(
        ["fallocate", "--punch-hole", "-o", str(start), "-l", str(size), tmp_path / "incoming" / id_],
        check=True,
    )
    missing = sorted({start // PART, (start + size - 1) // PART})

    async def go_on(store: FolderStore) -> None:
        with pytest.raises(Refused) as refused:
            await store.commit(id_, 3, len(whole))
        assert (refused.value.status, refused.value.more) == (409, {"missing": missing})
        for n in missing:
            await put(store, id_, n, parts[n])
        await store.commit(id_, 3, len(whole))

    with_store(tmp_path, go_on)
    [drop] = (tmp_path / "drops").iterdir()
    assert drop.read_bytes() == whole


def test_a_part_that_ends_beyond_the_file_is_missing(tmp_path: Path) -> None:
    id_, whole = new_id(), some_drop(PART) + b"the end"

    async def write(store: FolderStore) -> None:
        for n in range(2):
            await put(store, id_, n, whole[n * PART : (n + 1) * PART])

    with_store(tmp_path, write)
    for length in (PART + 3, PART):
        os.truncate(tmp_path / "incoming" / id_, length)

        async def go_on(store: FolderStore) -> None:
            with pytest.raises(Refused) as refused:
                await store.commit(id_, 2, len(whole))
            assert refused.value.more == {"missing": [1]}

        with_store(tmp_path, go_on)


def test_the_reserve_is_never_touched(tmp_path: Path) -> None:
    disk = os.statvfs(tmp_path)
    limits = Limits(STANZAS, 8 * PART, 30, disk.f_blocks * disk.f_frsize, 3, 24)

    async def work(store: FolderStore) -> None:
        for writing in (put, drop_in):
            with pytest.raises(Refused) as refused:
                await writing(store, new_id())
            assert refused.value.status == 507
        assert status(store) == (0, 0)
        assert [*(tmp_path / "tmp").iterdir(), *(tmp_path / "incoming").iterdir()] == []

    with_store(tmp_path, work, limits)
