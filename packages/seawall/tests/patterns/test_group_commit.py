"""The handbook's page docs/patterns/group-commit.md: two traps, and the fix."""

import asyncio
from collections.abc import Callable

import pytest

from seawall import Batcher


class Disk:
    """A store whose every commit costs the same, however much is in it. Counts commits; fails when told to."""

    def __init__(self) -> None:
        self.commits = 0
        self.rows: list[int] = []
        self.fails_once = False

    def commit(self, rows: list[int]) -> None:
        self.commits += 1
        if self.fails_once:
            self.fails_once = False
            raise OSError("disk full")
        self.rows.extend(rows)


def test_trap_a_commit_for_each_request_costs_as_many_commits_as_requests() -> None:
    disk = Disk()
    for row in range(100):
        disk.commit([row])
    assert disk.commits == 100


class NaiveGroupCommit:
    """What one writes first: a task that takes all that has gathered and commits it."""

    def __init__(self, commit: Callable[[list[int]], None]) -> None:
        self.commit = commit
        self.waiting: list[tuple[int, asyncio.Future[None]]] = []
        self.arrived = asyncio.Event()
        self.task = asyncio.create_task(self.loop())

    async def put(self, row: int) -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.waiting.append((row, future))
        self.arrived.set()
        await future

    async def loop(self) -> None:
        while True:
            await self.arrived.wait()
            self.arrived.clear()
            batch, self.waiting = self.waiting, []
            self.commit([row for row, _ in batch])  # an exception here ends the task, and nobody hears of it
            for _, future in batch:
                future.set_result(None)


def test_trap_one_failed_commit_stops_a_naive_committer_for_ever() -> None:
    async def main() -> None:
        disk = Disk()
        group = NaiveGroupCommit(disk.commit)
        await group.put(1)
        disk.fails_once = True
        failed = asyncio.create_task(group.put(2))
        later = asyncio.create_task(group.put(3))
        await asyncio.wait([group.task])
        assert isinstance(group.task.exception(), OSError)
        next_one = asyncio.create_task(group.put(4))
        for _ in range(10):
            await asyncio.sleep(0)
        assert not failed.done()  # not told that its row is lost
        assert not next_one.done()  # nor will anyone be, ever again
        for task in (failed, later, next_one):
            task.cancel()

    asyncio.run(main())


def test_fix_a_batcher_commits_what_gathers_together() -> None:
    disk = Disk()
    batcher = Batcher("journal", disk.commit, max_items=50, capacity=1000)

    async def main() -> None:
        await asyncio.gather(*[batcher.put(row) for row in range(100)])

    asyncio.run(main())
    batcher.close(10)
    assert disk.rows == list(range(100))
    assert disk.commits < 100


def test_fix_a_failed_commit_is_told_to_its_putters_and_the_next_one_succeeds() -> None:
    disk = Disk()
    batcher = Batcher("journal", disk.commit, max_items=50, capacity=1000)

    async def main() -> None:
        await batcher.put(1)
        disk.fails_once = True
        with pytest.raises(OSError, match="disk full"):
            await batcher.put(2)
        await batcher.put(3)

    asyncio.run(main())
    batcher.close(10)
    assert disk.rows == [1, 3]
