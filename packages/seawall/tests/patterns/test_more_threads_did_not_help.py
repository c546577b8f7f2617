"""The handbook's page docs/patterns/why-more-threads-did-not-help.md: the traps, and the fix."""

import threading
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from seawall import Semaphore, ThreadPool


class Database:
    """Carries out so many queries at a time, whoever asks. Counts how many wait inside it."""

    def __init__(self, width: int) -> None:
        self.permits = Semaphore("inside the database", width)
        self.guard = threading.Lock()
        self.inside = self.most_inside = self.working = self.most_working = 0

    def query(self) -> None:
        with self.guard:
            self.inside += 1
            self.most_inside = max(self.most_inside, self.inside)
        with self.permits:
            with self.guard:
                self.working += 1
                self.most_working = max(self.most_working, self.working)
            threading.Event().wait(0.001)
            with self.guard:
                self.working -= 1
        with self.guard:
            self.inside -= 1


@pytest.mark.parametrize("threads", [4, 32])
def test_trap_the_bottleneck_does_as_much_at_a_time_with_32_threads_as_with_4(threads: int) -> None:
    database = Database(width=2)
    begun = threading.Barrier(threads)

    def page() -> None:
        begun.wait(30)
        database.query()

    with ThreadPoolExecutor(threads) as pool:
        for future in [pool.submit(page) for _ in range(threads)]:
            future.result(30)
    assert database.most_working == 2
    # What does grow is the crowd that waits inside, holding memory, connections and transactions.
    assert database.most_inside > database.most_working


def compute() -> int:
    return sum(step * step for step in range(40_000))


def test_trap_a_fixed_pool_starts_thread_after_thread_for_work_that_computes() -> None:
    pool = ThreadPoolExecutor(32)
    futures: list[Future[int]] = [pool.submit(compute) for _ in range(200)]
    assert len(pool._threads) > 8  # for one interpreter lock
    for future in futures:
        future.result(60)
    pool.shutdown()


def test_fix_an_elastic_pool_does_not_start_threads_that_would_only_wait_for_the_interpreter_lock() -> None:
    with ThreadPool("pages", max_threads=32) as pool:
        for future in [pool.submit(compute) for _ in range(200)]:
            future.result(60)
        figures = pool.statistics()
        assert figures.threads <= 8
        assert any(growth.reason.startswith(("veto", "fewer")) for growth in figures.decisions)


def test_fix_the_same_pool_does_start_them_for_work_that_waits() -> None:
    together = threading.Barrier(32)
    with ThreadPool("pages", max_threads=32) as pool:
        for future in [pool.submit(together.wait, 60) for _ in range(32)]:
            future.result(60)
        assert pool.statistics().threads == 32
