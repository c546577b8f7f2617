"""What hangs `ThreadPoolExecutor` and anyio's limiter for ever ends here: by its result, or by `Deadlock`."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from concurrent.futures import Executor, Future, ThreadPoolExecutor

import pytest

from seawall import DeadlineExceeded, Deadlock, Mutex, Semaphore, ThreadPool, deadline


class Held:
    """Work that says when it has begun and ends when it may."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go_on.wait(30)
        return "held"


def meet_and_nest(pool: Executor, width: int, wait: Callable[[Future[int]], int]) -> list[Future[int]]:
    """`width` pieces of work that all begin, and then each wait for another of the same pool."""
    together = threading.Barrier(width)

    def parent(number: int) -> int:
        together.wait(30)
        return wait(pool.submit(abs, -number))

    return [pool.submit(parent, number) for number in range(width)]


def test_trap_the_standard_librarys_pool_hangs_when_all_its_work_waits_for_more_of_it() -> None:
    pool = ThreadPoolExecutor(2)
    released = threading.Event()
    children: list[Future[int]] = []

    def wait(child: Future[int]) -> int:
        children.append(child)
        while not released.is_set():
            if child.done():
                return child.result()
            released.wait(0.01)
        return -1

    parents = meet_and_nest(pool, 2, wait)
    assert concurrent.futures.wait(parents, timeout=0.3).done == set()
    assert not any(child.running() or child.done() for child in children)  # they cannot even begin
    released.set()
    assert [parent.result(30) for parent in parents] == [-1, -1]
    pool.shutdown()


def test_work_that_waits_for_queued_work_of_its_own_full_pool_carries_it_out_itself() -> None:
    with ThreadPool("p", max_threads=2) as pool:
        parents = meet_and_nest(pool, 2, lambda child: child.result())
        assert [parent.result(30) for parent in parents] == [0, 1]
        figures = pool.statistics()
        assert figures.inline_total >= 1
        assert figures.threads <= 2
        assert figures.spare == 0


def test_waits_nested_deeper_than_inline_runs_go_end_too() -> None:
    with ThreadPool("p", max_threads=1) as pool:

        def count(depth: int) -> int:
            return 0 if depth == 0 else 1 + pool.submit(count, depth - 1).result()

        assert pool.submit(count, 19).result(30) == 19
        assert pool.submit(count, 60).result(30) == 60  # beyond the deepest a spare thread goes on


def test_the_inline_run_has_the_context_and_the_deadline_it_was_submitted_with() -> None:
    with ThreadPool("p", max_threads=1) as pool:

        def parent() -> None:
            with deadline(0):
                late = pool.submit(abs, 1)
            late.result(30)

        with pytest.raises(DeadlineExceeded):
            pool.submit(parent).result(30)


def test_waits_that_only_show_in_the_stack_get_a_spare_thread() -> None:
    def wait(child: Future[int]) -> int:
        (done,) = concurrent.futures.wait([child]).done
        return done.result()

    with ThreadPool("p", max_threads=2) as pool:
        parents = meet_and_nest(pool, 2, wait)
        assert [parent.result(30) for parent in parents] == [0, 1]
        assert any("spare" in growth.reason for growth in pool.statistics().decisions)


def test_a_pool_in_a_pool_that_wait_for_each_other_both_end() -> None:
    with ThreadPool("outer", max_threads=1) as outer, ThreadPool("inner", max_threads=1) as inner:

        def work(depth: int) -> int:
            if depth == 0:
                return 0
            other = inner if depth % 2 else outer
            return 1 + other.submit(work, depth - 1).result()

        assert outer.submit(work, 10).result(30) == 10


def test_without_a_spare_thread_the_work_that_cannot_begin_raises_deadlock_with_both_stacks() -> None:
    def wait(child: Future[int]) -> int:
        concurrent.futures.wait([child])
        return child.result()

    with ThreadPool("p", max_threads=2, spare_threads=0) as pool:
        parents = meet_and_nest(pool, 2, wait)
        errors = [parent.exception(30) for parent in parents]
        (found,) = {type(error) for error in errors if error is not None}
        assert found is Deadlock
        (deadlock, *_) = [error for error in errors if isinstance(error, Deadlock)]
        (edge,) = deadlock.cycle
        assert edge.resource == "pool p"
        assert len(edge.holders) == len(edge.holder_stacks) == 2
        assert any("test_nested_waits" in line for stack in edge.holder_stacks for line in stack)


def test_a_mutex_held_while_waiting_for_a_worker_that_needs_it_is_named_as_a_deadlock() -> None:
    mutex = Mutex("accounts")

    def child() -> None:
        with mutex:
            pass

    with ThreadPool("p", max_threads=1) as pool:

        def parent() -> None:
            with mutex:
                pool.submit(child).result()

        with pytest.raises(Deadlock, match="accounts"):
            pool.submit(parent).result(30)


def test_a_worker_that_blocks_in_something_known_is_counted_and_makes_room_for_another() -> None:
    permit = Semaphore("permit", 0)
    with ThreadPool("p", max_threads=64) as pool:
        waiting = [pool.submit(permit.acquire) for _ in range(20)]
        after = pool.submit(abs, -1)
        assert after.result(30) == 1
        assert pool.statistics().blocked == 20
        permit.release(20)
        for future in waiting:
            future.result(30)
        assert pool.statistics().blocked == 0


def test_clean_up_begins_though_every_thread_waits_for_what_it_gives_back() -> None:
    permit = Semaphore("connection", 0)
    with ThreadPool("p", max_threads=2, spare_threads=0) as pool:
        waiting = [pool.submit(permit.acquire) for _ in range(4)]
        pool.submit_cleanup(permit.release, 2).result(30)
        asyncio.run(pool.run_cleanup(permit.release, 2))
        for future in waiting:
            future.result(30)


def test_clean_up_is_carried_out_though_its_deadline_has_passed_and_its_caller_is_cancelled() -> None:
    held, freed = Held(), threading.Event()

    async def main(pool: ThreadPool) -> None:
        with deadline(0):
            pool.submit_cleanup(held)
            task = asyncio.create_task(pool.run_cleanup(freed.set))
            await asyncio.sleep(0)
        task.cancel()
        await asyncio.wait([task])
        held.go_on.set()

    with ThreadPool("p", max_threads=1) as pool:
        asyncio.run(main(pool))
    assert freed.is_set()


def test_work_of_one_who_is_inside_goes_before_that_of_newcomers_who_wait_for_what_it_holds() -> None:
    connections = Semaphore("connections", 1)
    with ThreadPool("p", max_threads=2, spare_threads=0) as pool:
        pool.submit(connections.acquire).result(30)  # the first step of a request
        newcomers = [pool.submit(connections.acquire) for _ in range(10)]  # the first steps of others
        pool.submit_next(connections.release).result(30)  # its last step
        for number, newcomer in enumerate(newcomers):
            newcomer.result(30)
            if number < 9:
                pool.submit_next(connections.release).result(30)


def test_all_threads_waiting_for_something_slow_is_no_deadlock() -> None:
    held = Held()
    with ThreadPool("p", max_threads=1, spare_threads=1) as pool, ThreadPoolExecutor(1) as elsewhere:
        slow = elsewhere.submit(held)
        waiting = [pool.submit(slow.result, 30) for _ in range(2)]
        queued = pool.submit(abs, -1)
        assert concurrent.futures.wait([queued], timeout=0.4).done == set()
        held.go_on.set()
        assert [future.result(30) for future in waiting] == ["held", "held"]
        assert queued.result(30) == 1
