"""Ten thousand random cancels and time-outs of pool, cache, flight and batcher in the suite; a million in `make soak`."""

import asyncio
import os
import random
import threading
from collections.abc import Awaitable
from concurrent.futures import CancelledError, Future

import pytest

from seawall import Batcher, Cache, DeadlineExceeded, SingleFlight, ThreadPool, deadline

ENOUGH = [10_000, pytest.param(int(os.environ.get("SOAK_CANCELS", "1000000")), marks=pytest.mark.soak)]
"""Of calls that were cancelled or late."""

ONCE = 50
"""Calls that are under way on one loop at once."""


class Tally:
    """Counts from many threads."""

    def __init__(self, enough: int = 0) -> None:
        self.guard = threading.Lock()
        self.enough = enough
        self.count = 0

    def add(self) -> None:
        with self.guard:
            self.count += 1

    def is_over(self) -> bool:
        return self.count >= self.enough


def run_all(*runs, enough: int) -> None:
    errors: list[BaseException] = []

    def guarded(run) -> None:
        try:
            run()
        except BaseException as error:
            errors.append(error)
            raise

    threads = [threading.Thread(target=guarded, args=(run,), daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(120 + enough / 200)
    assert errors == []
    assert not [thread for thread in threads if thread.is_alive()], "someone waits for ever"


async def tried(call: Awaitable[object], chance: random.Random, early: Tally) -> object:
    """What the call came to, which may be cancelled or late by chance: that is counted."""
    with deadline(chance.choice([None, None, 0.0, 0.0005])):
        task = asyncio.ensure_future(call)
    for _ in range(chance.randrange(4)):
        await asyncio.sleep(0)
    if chance.random() < 0.5:
        task.cancel()
    (outcome,) = await asyncio.gather(task, return_exceptions=True)
    if isinstance(outcome, (asyncio.CancelledError, DeadlineExceeded)):
        early.add()
    return outcome


def is_early(outcome: object) -> bool:
    return isinstance(outcome, (asyncio.CancelledError, DeadlineExceeded))


@pytest.mark.parametrize("enough", ENOUGH)
def test_every_call_of_a_pool_ends_once_and_the_pool_is_whole_after(enough: int) -> None:
    begun, early, completed = Tally(), Tally(enough), Tally()
    with ThreadPool("p", max_threads=4, queue_limit=1000) as pool:

        def loop(seed: int) -> None:
            chance = random.Random(seed)

            async def one() -> None:
                outcome = await tried(pool.run(begun.add), chance, early)
                assert outcome is None or is_early(outcome), outcome
                if outcome is None:
                    completed.add()

            async def main() -> None:
                while not early.is_over():
                    await asyncio.gather(*[one() for _ in range(ONCE)])

            asyncio.run(main())

        def thread(seed: int) -> None:
            chance = random.Random(seed)
            while not early.is_over():
                futures: list[Future[None]] = [
                    pool.submit(lambda: pool.submit(begun.add).result()) for _ in range(ONCE)
                ]
                for future in futures:
                    if chance.random() < 0.5:
                        future.cancel()
                    try:
                        future.result(chance.choice([None, 0.0, 0.0005]))
                    except (CancelledError, TimeoutError):
                        early.add()
                for future in futures:
                    if not future.cancel():
                        future.exception(60)
                        completed.add()

        run_all(lambda: loop(1), lambda: loop(2), lambda: thread(3), lambda: thread(4), enough=enough)
        figures = pool.statistics()
        assert figures.queued == 0
        assert pool.submit(abs, -1).result(30) == 1
    figures = pool.statistics()
    assert (figures.threads, figures.busy, figures.blocked, figures.spare) == (0, 0, 0, 0)
    assert begun.count >= completed.count > 0
    assert early.is_over()


@pytest.mark.parametrize("enough", ENOUGH)
@pytest.mark.parametrize("kind", ["cache", "flight"])
def test_no_caller_is_left_waiting(kind: str, enough: int) -> None:
    cache, flight = Cache("c", max_items=5, fresh_s=0.0005, stale_s=0.0005), SingleFlight("f")
    early = Tally(enough)

    async def main(seed: int) -> None:
        chance = random.Random(seed)

        async def work() -> int:
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
            if chance.random() < 0.2:
                raise OSError
            return 1

        async def one() -> None:
            key = chance.randrange(8)
            ask = cache.get if kind == "cache" else flight.run
            outcome = await tried(ask(key, work), chance, early)
            assert outcome == 1 or is_early(outcome) or isinstance(outcome, OSError), outcome
            if chance.random() < 0.05:
                (cache if kind == "cache" else flight).forget(key)

        while not early.is_over():
            await asyncio.gather(*[one() for _ in range(2 * ONCE)])
        for _ in range(10):
            await asyncio.sleep(0)

    run_all(*[lambda seed=seed: asyncio.run(main(seed)) for seed in (7, 8)], enough=enough)
    assert flight.statistics().in_flight == flight.statistics().waiting == 0
    assert cache.statistics().items <= 5
    assert cache._being_made == {}
    assert cache._refreshes == {}
    assert cache._flights.statistics().in_flight == 0


@pytest.mark.parametrize("enough", ENOUGH)
def test_each_put_that_returned_was_flushed_once_and_none_is_left_waiting(enough: int) -> None:
    flushed, returned, early, numbers = Tally(), Tally(), Tally(enough), iter(range(10**12))
    seen: set[int] = set()  # the flusher's
    lost: list[int] = []

    def flush(items: list[int]) -> None:
        for item in items:
            if item in seen:
                lost.append(item)
            seen.add(item)
            flushed.add()

    batcher: Batcher[int] = Batcher("b", flush, max_items=7, capacity=20)

    def loop(seed: int) -> None:
        chance = random.Random(seed)

        async def one() -> None:
            number = next(numbers)
            outcome = await tried(batcher.put(number), chance, early)
            assert outcome is None or is_early(outcome), outcome
            if outcome is None:
                returned.add()
                if number not in seen:
                    lost.append(number)

        async def main() -> None:
            while not early.is_over():
                await asyncio.gather(*[one() for _ in range(ONCE)])

        asyncio.run(main())

    def thread(seed: int) -> None:
        chance = random.Random(seed)
        while not early.is_over():
            number = next(numbers)
            try:
                batcher.put_sync(number, timeout_s=chance.choice([None, 0.0, 0.0005]))
            except DeadlineExceeded:
                early.add()
                continue
            returned.add()
            if number not in seen:
                lost.append(number)

    run_all(lambda: loop(1), lambda: loop(2), lambda: thread(3), lambda: thread(4), enough=enough)
    batcher.close(60)
    assert lost == [], "flushed twice, or told so without being flushed"
    assert flushed.count >= returned.count > 0
    assert batcher.statistics().pending == batcher.statistics().waiting == 0
