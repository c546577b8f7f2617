import asyncio
import threading

import pytest

from seawall import Deadlock, Mutex, Semaphore, ThreadPool


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
