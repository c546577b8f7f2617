"""The handbook's page docs/patterns/pool-exhaustion.md: the trap, and the fix."""

import concurrent.futures
import threading
from concurrent.futures import Executor, Future, ThreadPoolExecutor

from seawall import Deadlock, ThreadPool


def reports(pool: Executor, count: int, stop: threading.Event) -> list[Future[int]]:
    """Reports that are each put together from a part, for which they wait. All begin before the first part is asked."""
    together = threading.Barrier(count)

    def part(number: int) -> int:
        return number * number

    def report(number: int) -> int:
        together.wait(30)
        asked = pool.submit(part, number)
        while not stop.is_set():
            if isinstance(pool, ThreadPool):
                return asked.result()
            try:
                return asked.result(0.05)
            except concurrent.futures.TimeoutError:
                continue
        return -1

    return [pool.submit(report, number) for number in range(count)]


def test_trap_work_that_waits_for_work_of_the_same_pool_stops_it_for_ever() -> None:
    stop = threading.Event()
    pool = ThreadPoolExecutor(4)
    asked = reports(pool, 4, stop)
    done, _ = concurrent.futures.wait(asked, timeout=0.3)
    assert done == set()  # four threads wait for four parts that need a thread
    stop.set()
    pool.shutdown()


def test_trap_with_one_thread_more_than_reports_nothing_is_wrong_so_tests_do_not_find_it() -> None:
    with ThreadPoolExecutor(5) as pool:
        assert [r.result(30) for r in reports(pool, 4, threading.Event())] == [0, 1, 4, 9]


def test_fix_the_one_who_waits_does_the_work_itself() -> None:
    with ThreadPool("reports", max_threads=4) as pool:
        assert [r.result(30) for r in reports(pool, 4, threading.Event())] == [0, 1, 4, 9]
        assert pool.statistics().threads == 4


def test_fix_what_can_never_go_on_says_so_and_where() -> None:
    with ThreadPool("reports", max_threads=1, spare_threads=0) as pool:

        def waits_and_tells() -> None:
            part = pool.submit(abs, -1)
            concurrent.futures.wait([part])  # only `result` can do the work in its place
            part.result()

        assert isinstance(pool.submit(waits_and_tells).exception(30), Deadlock)
