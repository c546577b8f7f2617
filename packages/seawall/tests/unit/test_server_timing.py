import asyncio
import contextvars
import threading

import pytest

from seawall import DeadlineExceeded, Mutex, ReadWriteLock, Semaphore, SingleFlight, ThreadPool, request_timing
from seawall.clock import SYSTEM_CLOCK


def wait_a_moment_for(lock) -> None:
    with pytest.raises(DeadlineExceeded):
        lock.acquire(timeout_s=0.001)


def test_waits_are_told_by_what_was_waited_for_in_milliseconds() -> None:
    config = ReadWriteLock("config")
    with request_timing() as timing:
        timing.add("queue", 0.012)
        timing.add("lock.sites", 0.02)
        timing.add("lock.sites", 0.0204)
        assert timing.header() == "queue;dur=12, lock.sites;dur=40.4"
        with request_timing() as inner:
            wait_a_moment_for(Semaphore("slots", 0))
            held = threading.Thread(target=config.read.acquire)
            held.start()
            held.join()
            wait_a_moment_for(config.write)
    assert set(inner.waits_s()) == {"semaphore.slots", "lock.config"}
    assert set(timing.waits_s()) == {"queue", "lock.sites"}


def test_it_travels_into_tasks_and_pool_threads_and_ends_with_the_block() -> None:
    mutex = Mutex("odd name;")

    async def request(pool: ThreadPool) -> str:
        with request_timing() as timing:

            async def part() -> None:
                with pytest.raises(DeadlineExceeded):
                    await Semaphore("in task", 0).acquire_async(timeout_s=0.001)

            await asyncio.gather(part(), pool.run(wait_a_moment_for, mutex))
        wait_a_moment_for(Semaphore("outside", 0))
        return timing.header()

    with ThreadPool("pool", max_threads=1) as pool, mutex:
        header = asyncio.run(request(pool))
    assert {part.split(";")[0] for part in header.split(", ")} == {"semaphore.in_task", "pool.pool", "lock.odd_name_"}


def test_without_a_request_nothing_is_noted() -> None:
    with request_timing() as timing:
        contextvars.Context().run(wait_a_moment_for, Semaphore("slots", 0))
    assert timing.waits_s() == {}
    assert timing.header() == ""


def test_the_time_in_a_pools_queue_counts_for_whoever_submitted() -> None:
    may_end = threading.Event()
    with ThreadPool("small", max_threads=1) as pool:
        first = pool.submit(may_end.wait, 30)
        with request_timing() as timing:
            second = pool.submit(abs, -1)
        began_s = SYSTEM_CLOCK.monotonic()
        while SYSTEM_CLOCK.monotonic() - began_s < 0.02:
            pass
        may_end.set()
        assert (first.result(30), second.result(30)) == (True, 1)
    assert timing.waits_s()["pool.small"] >= 0.02


def test_who_shares_anothers_work_waits_for_the_flight_and_who_began_it_for_what_it_does() -> None:
    flights = SingleFlight("pages")

    async def request(pool: ThreadPool) -> set[str]:
        with request_timing() as timing:
            await flights.run("site", lambda: pool.run(abs, -1))
        return set(timing.waits_s())

    async def main() -> list[set[str]]:
        with ThreadPool("reads", max_threads=1) as pool:
            return await asyncio.gather(request(pool), request(pool))

    assert asyncio.run(main()) == [{"pool.reads"}, {"flight.pages"}]
