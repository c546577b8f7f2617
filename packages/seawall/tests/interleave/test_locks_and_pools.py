"""Seawall's fast paths in many orders: threads may change between any two of their bytecodes."""

import asyncio
import inspect
import textwrap
from typing import Any

import pytest

from seawall import DeadlineExceeded, Mutex, ResourcePool, Semaphore
from seawall.pools.crew import Crew
from seawall.pools.future import PoolFuture
from seawall.testing.interleavings import Hang, Interleaving, explore, replay


class Inside:
    def __init__(self, permits: int) -> None:
        self.permits = permits
        self.now = 0
        self.entries = 0

    def pass_through(self) -> None:
        self.now += 1
        assert self.now <= self.permits
        self.entries += 1
        self.now -= 1


def mutex_among_threads(run: Interleaving):
    mutex, inside = Mutex("m"), Inside(1)

    def enter() -> None:
        for _ in range(3):
            with mutex:
                inside.pass_through()

    def enter_in_time() -> None:
        try:
            mutex.acquire(timeout_s=1)
        except DeadlineExceeded:
            return
        inside.pass_through()
        mutex.release()

    run.thread(enter)
    run.thread(enter)
    run.thread(enter_in_time)

    def check() -> None:
        assert not mutex.locked()
        assert inside.entries >= 6

    return check


def semaphore_among_threads_and_tasks(run: Interleaving):
    semaphore, inside = Semaphore("s", 1), Inside(1)

    def enter() -> None:
        for _ in range(2):
            with semaphore:
                inside.pass_through()

    async def main() -> None:
        async def enter_async() -> None:
            async with semaphore:
                inside.pass_through()

        tasks = [asyncio.ensure_future(enter_async()) for _ in range(3)]
        await asyncio.sleep(0)
        tasks[1].cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    run.thread(enter)
    run.tasks(main)

    def check() -> None:
        assert semaphore.statistics().free == 1
        assert inside.entries >= 4

    return check


def crew_under_load(run: Interleaving):
    crew = Crew("p", 0, 2, 100, 0)
    crew.is_watched = True  # the pacer lives for the process, and is not scripted
    done: list[int] = []
    ended: list[str] = []

    def end(name: str) -> None:
        ended.append(name)
        if len(ended) == 3:
            crew.close()

    def submit_and_wait(number: int) -> None:
        for value in range(2):
            future = PoolFuture(crew, done.append, (number + value,), {})
            crew.take_on(future)
            future.result()
        end("waited")

    def submit_and_cancel() -> None:
        future = PoolFuture(crew, done.append, (99,), {})
        crew.take_on(future)
        if future.cancel():
            done.append(99)
        end("cancelled")

    run.thread(lambda: submit_and_wait(0))
    run.thread(lambda: submit_and_wait(10))
    run.thread(submit_and_cancel)

    def check() -> None:
        assert crew.count == 0
        assert not crew.queue
        assert sorted(done) == [0, 1, 10, 11, 99]

    return check


def future_and_its_waiters(run: Interleaving):
    crew = Crew("p", 0, 1, 100, 0)
    future = PoolFuture(crew, abs, (-7,), {})
    heard: list[object] = []

    run.thread(future.carry_out)
    run.thread(lambda: heard.append(future.result()))
    run.thread(lambda: future.add_done_callback(lambda f: heard.append(f.result())))

    def check() -> None:
        assert heard == [7, 7]

    return check


def resources_among_threads(run: Interleaving):
    pool = ResourcePool("r", lambda: Inside(1), max_size=1)

    def use() -> None:
        with pool.borrow() as resource:
            resource.pass_through()

    run.thread(use)
    run.thread(use)
    run.thread(use)

    def check() -> None:
        figures = pool.statistics()
        assert (figures.in_use, figures.created_total) == (0, 1)

    return check


def test_a_mutex_holds_threads_apart_in_every_order_tried() -> None:
    explore(mutex_among_threads, runs=150)


def test_a_semaphore_loses_no_permit_to_a_cancelled_task_in_any_order_tried() -> None:
    explore(semaphore_among_threads_and_tasks, runs=150)


def test_a_pool_leaves_no_work_lying_in_any_order_tried() -> None:
    explore(crew_under_load, runs=150)


def test_a_futures_waiters_and_callbacks_are_told_once_in_every_order_tried() -> None:
    explore(future_and_its_waiters, runs=150)


def test_a_resource_is_lent_to_one_at_a_time_in_every_order_tried() -> None:
    explore(resources_among_threads, runs=150)


def test_a_planted_lost_wake_up_is_found() -> None:
    leaves = inspect.getsource(Mutex.__exit__)
    second_look = "self._free.append(None)\n        if self._waiters:\n            self._line.settle()"
    assert second_look in leaves
    broken = textwrap.dedent(leaves.replace(second_look, "self._free.append(None)"))
    scope: dict[str, Any] = {"TracebackType": object}
    exec(compile("from __future__ import annotations\n" + broken, inspect.getfile(Mutex), "exec"), scope)
    broken_mutex = type("BrokenMutex", (Mutex,), {"__exit__": scope["__exit__"], "__slots__": ()})

    def scenario(run: Interleaving) -> None:
        mutex = broken_mutex("m")

        def enter() -> None:
            for _ in range(3):
                with mutex:
                    pass

        run.thread(enter)
        run.thread(enter)

    with pytest.raises(Hang) as caught:
        explore(scenario, runs=2000)
    (note,) = caught.value.__notes__
    with pytest.raises(Hang):
        replay(scenario, note.split("'")[1])
