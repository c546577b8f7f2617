"""Ten thousand random cancels and time-outs of pool, cache and flight in the suite; a million in `make soak`."""

import asyncio
import random
import threading
from concurrent.futures import CancelledError, Future

import pytest

from seawall import Cache, DeadlineExceeded, SingleFlight, ThreadPool, deadline

COUNTS = [10_000, pytest.param(1_000_000, marks=pytest.mark.soak)]


def run_all(*runs, timeout_s: float) -> None:
    threads = [threading.Thread(target=run, daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout_s)
    assert not [thread for thread in threads if thread.is_alive()], "someone waits for ever"


class Tally:
    """Counts from many threads."""

    def __init__(self) -> None:
        self.guard = threading.Lock()
        self.count = 0

    def add(self) -> None:
        with self.guard:
            self.count += 1


@pytest.mark.parametrize("count", COUNTS)
def test_every_call_of_a_pool_ends_once_and_the_pool_is_whole_after(count: int) -> None:
    begun, ended = Tally(), Tally()
    with ThreadPool("p", max_threads=4, queue_limit=1000) as pool:

        def loop(seed: int) -> None:
            chance = random.Random(seed)

            async def one() -> None:
                limit_s = chance.choice([None, None, 0.0, 0.0005])
                with deadline(limit_s):
                    task = asyncio.ensure_future(pool.run(begun.add))
                for _ in range(chance.randrange(4)):
                    await asyncio.sleep(0)
                if chance.random() < 0.5:
                    task.cancel()
                (outcome,) = await asyncio.gather(task, return_exceptions=True)
                assert outcome is None or isinstance(outcome, (asyncio.CancelledError, DeadlineExceeded)), outcome
                ended.add()

            async def main() -> None:
                for _ in range(count // 4 // 50):
                    await asyncio.gather(*[one() for _ in range(50)])

            asyncio.run(main())

        def thread(seed: int) -> None:
            chance = random.Random(seed)
            for _ in range(count // 4 // 50):
                futures: list[Future[None]] = [pool.submit(lambda: pool.submit(begun.add).result()) for _ in range(50)]
                for future in futures:
                    if chance.random() < 0.5:
                        future.cancel()
                    try:
                        future.result(chance.choice([None, 0.0, 0.0005]))
                    except (CancelledError, TimeoutError):
                        pass
                    ended.add()
                for future in futures:
                    if not future.cancel():
                        future.exception(60)

        run_all(lambda: loop(1), lambda: loop(2), lambda: thread(3), lambda: thread(4), timeout_s=60 + count / 1000)
        figures = pool.statistics()
        assert figures.queued == 0
        assert pool.submit(abs, -1).result(30) == 1
    figures = pool.statistics()
    assert (figures.threads, figures.busy, figures.blocked, figures.spare) == (0, 0, 0, 0)
    assert ended.count == count // 4 // 50 * 50 * 4


@pytest.mark.parametrize("count", COUNTS)
def test_no_caller_of_a_cache_or_a_flight_is_left_waiting(count: int) -> None:
    async def main() -> None:
        chance = random.Random(7)
        cache, flight = Cache("c", max_items=5, fresh_s=0.0005, stale_s=0.0005), SingleFlight("f")

        async def work() -> int:
            for _ in range(chance.randrange(3)):
                await asyncio.sleep(0)
            if chance.random() < 0.2:
                raise OSError
            return 1

        async def one() -> None:
            key = chance.randrange(8)
            asked = cache.get(key, work) if chance.random() < 0.5 else flight.run(key, work)
            with deadline(chance.choice([None, None, 0.0, 0.001])):
                task = asyncio.ensure_future(asked)
            for _ in range(chance.randrange(4)):
                await asyncio.sleep(0)
            if chance.random() < 0.5:
                task.cancel()
            if chance.random() < 0.05:
                cache.forget(key)
            (outcome,) = await asyncio.gather(task, return_exceptions=True)
            assert outcome == 1 or isinstance(outcome, (asyncio.CancelledError, DeadlineExceeded, OSError)), outcome

        for _ in range(count // 100):
            await asyncio.gather(*[one() for _ in range(100)])
        for _ in range(10):
            await asyncio.sleep(0)
        assert flight.statistics().in_flight == flight.statistics().waiting == 0
        assert cache.statistics().items <= 5
        assert cache._being_made == {}
        assert cache._refreshes == {}

    run_all(lambda: asyncio.run(main()), timeout_s=60 + count / 1000)
