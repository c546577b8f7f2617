"""Threads and two event loops borrow, break, cancel and run late; no resource is lent twice and no permit leaks."""

import asyncio
import os
import random
import threading

import pytest

from seawall import DeadlineExceeded, ResourcePool

ENOUGH = [10_000, pytest.param(int(os.environ.get("SOAK_CANCELS", "1000000")), marks=pytest.mark.soak)]
"""Borrowings that were cancelled or late."""
MAX_SIZE = 3


class Resource:
    def __init__(self) -> None:
        self.users = 0
        self.is_closed = False

    def use(self) -> None:
        self.users += 1
        assert self.users == 1, "lent twice"
        assert not self.is_closed, "lent though closed"

    def end_use(self) -> None:
        self.users -= 1

    def close(self) -> None:
        assert not self.is_closed, "closed twice"
        assert self.users == 0
        self.is_closed = True


class Early:
    """How many were cancelled or late, from many threads."""

    def __init__(self, enough: int) -> None:
        self.guard = threading.Lock()
        self.enough = enough
        self.count = 0

    def add(self) -> None:
        with self.guard:
            self.count += 1

    def is_over(self) -> bool:
        return self.count >= self.enough


def in_thread(pool: ResourcePool[Resource], seed: int, early: Early, errors: list[BaseException]) -> None:
    chance = random.Random(seed)
    try:
        while not early.is_over():
            try:
                with pool.borrow(timeout_s=chance.choice([None, 0.0, 0.001])) as resource:
                    resource.use()
                    resource.end_use()
                    if chance.random() < 0.1:
                        pool.discard(resource)
            except DeadlineExceeded:
                early.add()
    except BaseException as error:
        errors.append(error)


async def on_loop(pool: ResourcePool[Resource], seed: int, early: Early) -> None:
    chance = random.Random(seed)

    async def use(timeout_s: float | None) -> None:
        async with pool.borrow(timeout_s=timeout_s) as resource:
            resource.use()
            try:
                await asyncio.sleep(0)
            finally:
                resource.end_use()

    async def one(turns: int) -> None:
        task = asyncio.create_task(use(chance.choice([None, None, 0.0, 0.001])))
        for _ in range(turns):
            await asyncio.sleep(0)
        if chance.random() < 0.4:
            task.cancel()
        (outcome,) = await asyncio.gather(task, return_exceptions=True)
        if outcome is not None:
            assert isinstance(outcome, (asyncio.CancelledError, DeadlineExceeded)), outcome
            early.add()

    while not early.is_over():
        await asyncio.gather(*[one(chance.randrange(6)) for _ in range(10)])


@pytest.mark.parametrize("enough", ENOUGH)
def test_no_resource_is_lent_twice_and_no_permit_leaks(enough: int) -> None:
    pool = ResourcePool("stress", Resource, max_size=MAX_SIZE, close=Resource.close, idle_s=0.001)
    errors: list[BaseException] = []
    early = Early(enough)

    def loop(seed: int) -> None:
        try:
            asyncio.run(on_loop(pool, seed, early))
        except BaseException as error:
            errors.append(error)

    threads = [threading.Thread(target=in_thread, args=(pool, seed, early, errors), daemon=True) for seed in range(3)]
    threads += [threading.Thread(target=loop, args=(seed,), daemon=True) for seed in (10, 11)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60 + enough / 100)
    assert not [thread for thread in threads if thread.is_alive()], "a wake-up was lost"
    assert errors == []
    taken = 0
    while pool.permits.try_acquire():
        taken += 1
    assert taken == MAX_SIZE, "a permit leaked"
    pool.permits.release(taken)
    pool.close()
    figures = pool.statistics()
    assert (figures.in_use, figures.idle) == (0, 0)
    assert figures.created_total == figures.closed_total
