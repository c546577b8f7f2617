"""The one contract of shared limits, kept by every store."""

import asyncio
import threading

import pytest

from seawall import DeadlineExceeded, Misuse, Overloaded
from seawall.dist import SharedLimit


def test_a_burst_goes_through_and_the_next_is_told_when_to_come_back(store, name) -> None:
    limit = SharedLimit(name, store, rate_per_s=0.01, burst=3)
    for _ in range(3):
        limit.spend()
    assert not limit.try_spend()
    with pytest.raises(Overloaded, match="limit") as caught:
        limit.spend()
    assert 50 < caught.value.retry_after_s <= 100
    with pytest.raises(DeadlineExceeded):
        limit.acquire(timeout_s=1)


def test_many_at_once_get_no_more_than_the_burst(store, backend, name) -> None:
    others = [backend.open(timeout_s=5.0) for _ in range(2)] if backend.is_shared else []
    limits = [SharedLimit(name, each, rate_per_s=0.001, burst=10) for each in (store, *others)]
    taken = []

    def spend(limit: SharedLimit) -> None:
        for _ in range(10):
            taken.append(limit.try_spend())

    threads = [threading.Thread(target=spend, args=(limit,)) for limit in limits * 2]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for other in others:
        other.close()
    assert sum(taken) == 10


def test_waiting_for_the_next_one_ends_when_it_is_there(store, name) -> None:
    limit = SharedLimit(name, store, rate_per_s=20, burst=1)
    for _ in range(4):
        limit.acquire(timeout_s=100)

    async def main() -> None:
        await limit.acquire_async(timeout_s=100)
        slow = SharedLimit(f"{name} slow", store, rate_per_s=0.001)
        await slow.spend_async()
        assert not await slow.try_spend_async()
        with pytest.raises(DeadlineExceeded):
            await slow.acquire_async(timeout_s=0.5)

    asyncio.run(main())


def test_what_costs_more_takes_more(store, name) -> None:
    limit = SharedLimit(name, store, rate_per_s=0.001, burst=5)
    limit.spend(4.5)
    assert not limit.try_spend(1)
    assert limit.try_spend(0.5)


def test_bad_figures_are_told(store, name) -> None:
    for rate_per_s, burst in ((0, 1), (-1, 1), (float("inf"), 1), (1, 0.5), (1, float("nan"))):
        with pytest.raises(Misuse, match="rate_per_s must be above 0 and burst 1 or more"):
            SharedLimit(name, store, rate_per_s=rate_per_s, burst=burst)
    limit = SharedLimit(name, store, rate_per_s=1, burst=2)
    for cost in (0, -1, 3):
        with pytest.raises(Misuse, match="cost must be above 0 and at most burst"):
            limit.spend(cost)
    with pytest.raises(Misuse, match="name must be"):
        SharedLimit("", store, rate_per_s=1)
