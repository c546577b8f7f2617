"""docs/patterns/cache-stampede.md: a popular key runs out, and its whole crowd goes to the store at once."""

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from seawall import Cache
from seawall.testing import ManualClock

CROWD = 50
Get = Callable[[str, Callable[[], Awaitable[str]]], Awaitable[str]]


class Store:
    """Answers when the test lets it; counts how often it is asked, and by how many at once."""

    def __init__(self) -> None:
        self.asked = 0
        self.inside = 0
        self.most_inside = 0
        self.answers = asyncio.Event()
        self.fails = False

    async def draw(self) -> str:
        self.asked += 1
        version = self.asked
        self.inside += 1
        self.most_inside = max(self.most_inside, self.inside)
        try:
            await self.answers.wait()
            if self.fails:
                raise ConnectionError("the store is down")
            return f"page, version {version}"
        finally:
            self.inside -= 1


class NaiveCache:
    """What one writes first: a dictionary, and for each key a time at which it runs out."""

    def __init__(self, fresh_s: float, clock: ManualClock) -> None:
        self.fresh_s = fresh_s
        self.clock = clock
        self.kept: dict[str, tuple[float, str]] = {}

    async def get(self, key: str, make: Callable[[], Awaitable[str]]) -> str:
        until_s, value = self.kept.get(key, (0.0, ""))
        if self.clock.monotonic() < until_s:
            return value
        value = await make()
        self.kept[key] = (self.clock.monotonic() + self.fresh_s, value)
        return value


async def settle() -> None:
    for _ in range(20):
        await asyncio.sleep(0)


async def crowd(get: Get, store: Store, key: str = "front page") -> list[asyncio.Task[str]]:
    """Everybody asks for the same before the store has answered anybody."""
    tasks = [asyncio.ensure_future(get(key, store.draw)) for _ in range(CROWD)]
    await settle()
    return tasks


async def warmed(get: Get, store: Store) -> None:
    store.answers.set()
    await get("front page", store.draw)
    store.answers.clear()


def test_trap_when_a_popular_key_runs_out_everybody_asks_the_store_at_once() -> None:
    async def main() -> None:
        clock, store = ManualClock(), Store()
        cache = NaiveCache(60.0, clock)
        await warmed(cache.get, store)
        assert await cache.get("front page", store.draw) == "page, version 1"
        clock.advance(60.0)
        tasks = await crowd(cache.get, store)
        assert store.most_inside == CROWD
        store.answers.set()
        await asyncio.gather(*tasks)
        assert store.asked == 1 + CROWD

    asyncio.run(main())


def test_trap_while_the_store_is_slow_the_pile_grows_with_everybody_who_comes() -> None:
    async def main() -> None:
        clock, store = ManualClock(), Store()
        cache = NaiveCache(60.0, clock)
        tasks: list[asyncio.Task[str]] = []
        for second in range(1, 6):  # it has not answered the first ones yet: nothing is kept, so everybody misses
            tasks += await crowd(cache.get, store)
            clock.advance(1.0)
            assert store.inside == second * CROWD
        store.answers.set()
        await asyncio.gather(*tasks)

    asyncio.run(main())


def test_fix_a_miss_is_one_piece_of_work_for_all_who_wait_for_it() -> None:
    async def main() -> None:
        store = Store()
        cache = Cache("pages", max_items=10, fresh_s=60.0, stale_s=600.0, clock=ManualClock())
        tasks = await crowd(cache.get, store)
        tasks[0].cancel()  # whoever began it may leave: the others get their answer
        await settle()
        store.answers.set()
        answers = await asyncio.gather(*tasks[1:])
        assert set(answers) == {"page, version 1"}
        assert store.asked == 1

    asyncio.run(main())


def test_fix_when_it_runs_out_nobody_waits_and_one_refresh_is_made() -> None:
    async def main() -> None:
        clock, store = ManualClock(), Store()
        cache = Cache("pages", max_items=10, fresh_s=60.0, stale_s=600.0, clock=clock)
        await warmed(cache.get, store)
        clock.advance(60.0)
        tasks = await crowd(cache.get, store)
        assert [task.result() for task in tasks] == ["page, version 1"] * CROWD  # though the store has not answered
        assert store.inside == 1
        store.answers.set()
        await settle()
        assert await cache.get("front page", store.draw) == "page, version 2"
        assert store.asked == 2

    asyncio.run(main())


def test_fix_while_the_store_is_down_the_old_answer_serves_for_its_time_and_no_longer() -> None:
    async def main() -> None:
        clock, store = ManualClock(), Store()
        cache = Cache("pages", max_items=10, fresh_s=60.0, stale_s=600.0, clock=clock)
        await warmed(cache.get, store)
        store.fails = True
        store.answers.set()
        for _ in range(10):
            clock.advance(60.0)
            assert await cache.get("front page", store.draw) == "page, version 1"
            await settle()
        assert cache.statistics().refreshes_failed_total == 10
        clock.advance(60.0)
        with pytest.raises(ConnectionError):
            await cache.get("front page", store.draw)

    asyncio.run(main())
