import asyncio

import pytest

from seawall import Cache, DeadlineExceeded, Misuse, deadline, remaining_s
from seawall.testing import ManualClock


class Work:
    """Work that counts how often it began, and gives what it is told to."""

    def __init__(self) -> None:
        self.begun = 0
        self.go_on = asyncio.Event()
        self.go_on.set()
        self.error: Exception | None = None
        self.deadlines: list[float | None] = []

    async def __call__(self) -> int:
        self.begun += 1
        number = self.begun
        self.deadlines.append(remaining_s())
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return number


def cache_of(clock: ManualClock, max_items: int = 10) -> Cache:
    return Cache("c", max_items=max_items, fresh_s=10, stale_s=20, clock=clock)


async def turns(count: int = 8) -> None:
    for _ in range(count):
        await asyncio.sleep(0)


def test_a_value_is_fresh_then_stale_then_gone() -> None:
    async def main() -> None:
        clock, work = ManualClock(), Work()
        cache = cache_of(clock)
        assert await cache.get("k", work) == 1
        clock.advance(9.9)
        assert await cache.get("k", work) == 1
        assert work.begun == 1
        clock.advance(0.1)
        assert await cache.get("k", work) == 1  # at once, and made anew meanwhile
        await turns()
        assert await cache.get("k", work) == 2
        clock.advance(30)
        assert await cache.get("k", work) == 3
        figures = cache.statistics()
        assert (figures.hits_total, figures.stale_total, figures.misses_total) == (2, 1, 2)

    asyncio.run(main())


def test_a_crowd_costs_one_piece_of_work_whether_it_misses_or_finds_a_stale_value() -> None:
    async def main() -> None:
        clock, work = ManualClock(), Work()
        cache = cache_of(clock)
        work.go_on.clear()
        crowd = [asyncio.create_task(cache.get("k", work)) for _ in range(100)]
        await turns()
        work.go_on.set()
        assert await asyncio.gather(*crowd) == [1] * 100
        clock.advance(15)
        work.go_on.clear()
        assert await asyncio.gather(*[cache.get("k", work) for _ in range(100)]) == [1] * 100
        await turns()
        assert work.begun == 2
        work.go_on.set()
        await turns()
        assert await cache.get("k", work) == 2

    asyncio.run(main())


def test_errors_are_not_kept_and_a_failed_refresh_leaves_the_old_value() -> None:
    async def main() -> None:
        clock, work = ManualClock(), Work()
        cache = cache_of(clock)
        work.error = OSError("down")
        for _ in range(2):
            with pytest.raises(OSError, match="down"):
                await cache.get("k", work)
        assert work.begun == 2
        work.error = None
        assert await cache.get("k", work) == 3
        clock.advance(15)
        work.error = OSError("down again")
        for _ in range(3):
            assert await cache.get("k", work) == 3
            await turns()
        assert cache.statistics().refreshes_failed_total == 3
        work.error = None
        assert await cache.get("k", work) == 3
        await turns()
        assert await cache.get("k", work) == 7

    asyncio.run(main())


def test_a_caller_that_leaves_takes_no_refresh_along_and_its_deadline_does_not_count() -> None:
    async def main() -> None:
        clock, work = ManualClock(), Work()
        cache = cache_of(clock)
        await cache.get("k", work)
        clock.advance(15)
        work.go_on.clear()

        async def leave() -> None:
            with deadline(0.001):
                await cache.get("k", work)
                await asyncio.Event().wait()

        leaver = asyncio.create_task(leave())
        await turns()
        leaver.cancel()
        await turns()
        work.go_on.set()
        await turns()
        assert await cache.get("k", work) == 2
        assert work.deadlines == [None, None]

    asyncio.run(main())


def test_a_miss_waits_no_longer_than_the_deadline_and_its_work_ends_with_its_last_waiter() -> None:
    async def main() -> None:
        work = Work()
        cache = cache_of(ManualClock())
        work.go_on.clear()
        with deadline(0.01), pytest.raises(DeadlineExceeded):
            await cache.get("k", work)
        work.go_on.set()
        assert await cache.get("k", work) == 2

    asyncio.run(main())


def test_the_least_recently_asked_for_leaves_first() -> None:
    async def main() -> None:
        work = Work()
        cache = cache_of(ManualClock(), max_items=2)
        await cache.get("a", work)
        await cache.get("b", work)
        await cache.get("a", work)
        await cache.get("c", work)
        assert await cache.get("a", work) == 1
        assert await cache.get("b", work) == 4
        figures = cache.statistics()
        assert (figures.items, figures.evicted_total) == (2, 2)

    asyncio.run(main())


def test_what_is_forgotten_while_it_is_made_is_not_kept() -> None:
    async def main() -> None:
        work = Work()
        cache = cache_of(ManualClock())
        work.go_on.clear()
        old = asyncio.create_task(cache.get("k", work))
        await turns()
        cache.forget("k")
        new = asyncio.create_task(cache.get("k", work))
        await turns()
        work.go_on.set()
        assert (await old, await new) == (1, 2)
        assert await cache.get("k", work) == 2
        cache.clear()
        assert cache.statistics().items == 0
        assert await cache.get("k", work) == 3

    asyncio.run(main())


def test_values_outlive_the_loop_that_made_them_and_a_refresh_that_died_with_its_loop_is_begun_anew() -> None:
    clock = ManualClock()
    cache = cache_of(clock)

    async def first() -> None:
        work = Work()
        await cache.get("k", work)
        clock.advance(15)
        work.go_on.clear()
        await cache.get("k", work)
        await turns()  # the refresh hangs, and ends with the loop

    async def second() -> None:
        work = Work()
        work.begun = 10
        assert await cache.get("k", work) == 1
        await turns()
        assert await cache.get("k", work) == 11

    asyncio.run(first())
    asyncio.run(second())


@pytest.mark.parametrize("wrong", [{"max_items": 0}, {"fresh_s": -1}, {"stale_s": -1}])
def test_nonsense_is_misuse(wrong) -> None:
    with pytest.raises(Misuse):
        Cache("c", **{"max_items": 1, "fresh_s": 1, "stale_s": 1} | wrong)
