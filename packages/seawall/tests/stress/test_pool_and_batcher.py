"""The pool and the batcher under random cancellation, from two loops and several threads at once."""

import asyncio
import random
import threading

from seawall import Batcher, DeadlineExceeded, ThreadPool, deadline


def run_all(*runs) -> None:
    threads = [threading.Thread(target=run, daemon=True) for run in runs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert not [thread for thread in threads if thread.is_alive()], "someone waits for ever"


async def tried(awaitable, chance: random.Random) -> bool:
    task = asyncio.ensure_future(awaitable)
    for _ in range(chance.randrange(4)):
        await asyncio.sleep(0)
    if chance.random() < 0.3:
        task.cancel()
    outcome = (await asyncio.gather(task, return_exceptions=True))[0]
    return not isinstance(outcome, BaseException)


def test_each_run_that_returned_was_carried_out_and_the_pool_is_idle_after() -> None:
    carried_out: list[int] = []
    returned: list[int] = []
    with ThreadPool("p", max_threads=4) as pool:

        def loop(seed: int) -> None:
            chance = random.Random(seed)

            async def one(number: int) -> None:
                if await tried(pool.run(carried_out.append, number), chance):
                    returned.append(number)

            async def main() -> None:
                for start in range(0, 900, 30):
                    await asyncio.gather(*[one(seed * 1000 + start + n) for n in range(30)])

            asyncio.run(main())

        def resize() -> None:
            for size in [1, 4, 2, 3] * 20:
                pool.resize(size)
                pool.submit(abs, size).result(30)

        run_all(lambda: loop(1), lambda: loop(2), resize)
        assert pool.statistics().queued == 0
    assert set(returned) <= set(carried_out)
    assert len(carried_out) == len(set(carried_out))
    figures = pool.statistics()
    assert (figures.threads, figures.busy) == (0, 0)


def test_each_put_that_returned_was_flushed_exactly_once() -> None:
    flushed: list[int] = []
    returned: list[int] = []
    batcher = Batcher("b", flushed.extend, max_items=7, capacity=20)

    def loop(seed: int) -> None:
        chance = random.Random(seed)

        async def one(number: int) -> None:
            if await tried(batcher.put(number), chance):
                returned.append(number)

        async def main() -> None:
            for start in range(0, 400, 40):
                await asyncio.gather(*[one(seed * 1000 + start + n) for n in range(40)])

        asyncio.run(main())

    def thread(seed: int) -> None:
        for n in range(200):
            try:
                with deadline(30 if n % 3 else 0):
                    batcher.put_sync(seed * 1000 + n)
            except DeadlineExceeded:
                continue
            returned.append(seed * 1000 + n)

    run_all(lambda: loop(1), lambda: loop(2), lambda: thread(3), lambda: thread(4))
    batcher.close(10)
    assert set(returned) <= set(flushed)
    assert len(flushed) == len(set(flushed))
    assert batcher.statistics().pending == 0
