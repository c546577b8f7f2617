import asyncio
import itertools
import threading

import pytest

from seawall import Deadlock, Mutex, ResourcePool, Semaphore, ThreadPool


def until(is_so) -> None:
    pause = threading.Event()
    for _ in range(4000):
        if is_so():
            return
        pause.wait(0.005)
    raise AssertionError("it never came to be so")


@pytest.fixture
def pool(watched):
    with ThreadPool("work", max_threads=2) as pool:
        yield pool


def enter(lock) -> str:
    with lock:
        return "entered"


def test_a_mutex_held_while_waiting_for_the_worker_that_needs_it_is_refused_to_the_worker(pool) -> None:
    mutex = Mutex("m")
    told, go_on = threading.Event(), threading.Event()

    def work() -> str:
        told.set()
        go_on.wait(20)
        return enter(mutex)

    def hold_and_wait() -> None:
        with mutex:
            future = pool.submit(work)
            told.wait(20)
            threading.Timer(0.02, go_on.set).start()
            with pytest.raises(Deadlock) as caught:
                future.result(20)
            assert {wait.resource for wait in caught.value.cycle} == {"m", "pool work"}

    hold_and_wait()
    assert not mutex.locked()


def test_it_is_refused_to_the_one_who_waits_for_the_work_where_the_worker_waits_already(pool) -> None:
    mutex = Mutex("m")
    with mutex:
        future = pool.submit(enter, mutex)
        until(lambda: mutex.statistics().waiters)
        with pytest.raises(Deadlock) as caught:
            future.result(20)
        assert {wait.resource for wait in caught.value.cycle} == {"m", "pool work"}
    assert future.result(20) == "entered"


def test_it_is_found_for_tasks_too(pool) -> None:
    mutex = Mutex("m")

    async def main() -> str:
        async with mutex:
            with pytest.raises(Deadlock):
                await pool.run(enter, mutex)
        return await pool.run(enter, mutex)

    assert asyncio.run(main()) == "entered"


def test_a_loop_that_waits_for_work_which_needs_one_of_its_tasks_is_found(pool) -> None:
    mutex = Mutex("m")

    async def main() -> None:
        go_on = asyncio.Event()

        async def hold() -> None:
            async with mutex:
                await go_on.wait()

        holder = asyncio.create_task(hold())
        await asyncio.sleep(0)
        future = pool.submit(enter, mutex)
        with pytest.raises(Deadlock) as caught:
            future.result(20)
        assert "its event loop" in {wait.resource for wait in caught.value.cycle}
        go_on.set()
        await holder

    asyncio.run(main())


def test_through_a_semaphore_and_a_pool(pool) -> None:
    slots = Semaphore("slots", 1)
    with slots:
        future = pool.submit(enter, slots)
        with pytest.raises(Deadlock):
            future.result(20)


def test_waiting_for_work_that_needs_nothing_is_no_deadlock(pool) -> None:
    mutex = Mutex("m")
    with mutex:
        assert pool.submit(abs, -1).result(20) == 1

    async def main() -> int:
        async with mutex:
            return await pool.run(abs, -2)

    assert asyncio.run(main()) == 2


class Borrowing:
    """A place in a resource pool, to be entered by anyone any number of times."""

    def __init__(self, pool: ResourcePool) -> None:
        self.pool = pool
        self.inside = threading.local()
        self.by_task = {}

    def __enter__(self) -> None:
        self.inside.block = self.pool.borrow()
        self.inside.block.__enter__()

    def __exit__(self, *error) -> None:
        self.inside.block.__exit__(*error)

    async def __aenter__(self) -> None:
        block = self.by_task[asyncio.current_task()] = self.pool.borrow()
        await block.__aenter__()

    async def __aexit__(self, *error) -> None:
        await self.by_task.pop(asyncio.current_task()).__aexit__(*error)


@pytest.mark.parametrize(
    "kinds", [k for n in range(2, 6) for k in itertools.combinations_with_replacement(("thread", "task"), n)]
)
def test_a_ring_through_resource_pools_and_a_mutex_is_broken_by_refusing_one(watched, planting, kinds) -> None:
    pools = [Borrowing(ResourcePool(f"r{n}", object, max_size=1)) for n in range(len(kinds) - 1)]
    ring = [*pools, Mutex("m")]
    outcome = planting.plant(kinds, [(ring[n], ring[(n + 1) % len(ring)]) for n in range(len(ring))])
    assert (len(outcome.refused), len(outcome.through)) == (1, len(kinds) - 1)
    assert {wait.resource for wait in outcome.refused[0][1].cycle} == {"m", *(p.pool.name for p in pools)}
    assert all(p.pool.statistics().in_use == 0 for p in pools)


def test_a_second_resource_wanted_while_all_are_out_with_those_who_want_one(watched, planting) -> None:
    places = [Borrowing(pool := ResourcePool("r", object, max_size=3)), Borrowing(pool)]
    outcome = planting.plant(("thread", "task", "thread"), [tuple(places)] * 3)
    assert (len(outcome.refused), len(outcome.through)) == (1, 2)
    assert all(len(wait.holders) == 3 for wait in outcome.refused[0][1].cycle)
