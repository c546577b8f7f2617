import asyncio
import concurrent.futures
import contextvars
import gc
import subprocess
import sys
import threading

import pytest

from seawall import Closed, DeadlineExceeded, Misuse, Overloaded, ThreadPool, deadline, remaining_s

COLOUR = contextvars.ContextVar("colour", default="none")


class Held:
    """Work that says when it has begun and ends when it may."""

    def __init__(self) -> None:
        self.begun = threading.Event()
        self.go_on = threading.Event()

    def __call__(self) -> str:
        self.begun.set()
        assert self.go_on.wait(10)
        return "held"


def test_it_is_an_executor_for_the_standard_library() -> None:
    with ThreadPool("p", max_threads=3) as pool:
        assert isinstance(pool, concurrent.futures.Executor)
        assert list(pool.map(abs, [-1, 2, -3])) == [1, 2, 3]
        futures = [pool.submit(pow, 2, n) for n in range(20)]
        done, pending = concurrent.futures.wait(futures, timeout=10)
        assert not pending
        assert sorted(f.result() for f in done) == [2**n for n in range(20)]

        async def through_asyncio() -> int:
            return await asyncio.get_running_loop().run_in_executor(pool, abs, -5)

        assert asyncio.run(through_asyncio()) == 5


def test_an_exception_reaches_the_caller_either_way() -> None:
    with ThreadPool("p", max_threads=1) as pool:
        with pytest.raises(ZeroDivisionError):
            pool.submit(divmod, 1, 0).result(10)
        with pytest.raises(ZeroDivisionError):
            asyncio.run(pool.run(divmod, 1, 0))
        with pytest.raises(RuntimeError, match="StopIteration"):
            asyncio.run(pool.run(next, iter(())))


def test_a_full_queue_raises_overloaded_and_never_blocks() -> None:
    held = Held()
    with ThreadPool("p", max_threads=1, queue_limit=1) as pool:
        first = pool.submit(held)
        assert held.begun.wait(10)
        second = pool.submit(abs, -1)
        with pytest.raises(Overloaded) as caught:
            pool.submit(abs, -2)
        assert caught.value.retry_after_s > 0
        figures = pool.statistics()
        assert (figures.threads, figures.busy, figures.queued, figures.refused_total) == (1, 1, 1, 1)
        assert figures.queue_age_s >= 0
        held.go_on.set()
        assert (first.result(10), second.result(10)) == ("held", 1)


def test_cancelling_run_removes_queued_work() -> None:
    held, ran = Held(), []

    async def main(pool: ThreadPool) -> None:
        first = asyncio.create_task(pool.run(held))
        assert await asyncio.get_running_loop().run_in_executor(None, held.begun.wait, 10)
        queued = asyncio.create_task(pool.run(ran.append, 1))
        await asyncio.sleep(0)
        assert pool.statistics().queued == 1
        queued.cancel()
        await asyncio.wait([queued])
        assert pool.statistics().queued == 0
        held.go_on.set()
        assert await first == "held"

    with ThreadPool("p", max_threads=1) as pool:
        asyncio.run(main(pool))
    assert ran == []


def test_a_cancelled_future_leaves_the_queue_at_once() -> None:
    held = Held()
    with ThreadPool("p", max_threads=1) as pool:
        pool.submit(held)
        assert held.begun.wait(10)
        future = pool.submit(abs, -1)
        assert future.cancel()
        assert pool.statistics().queued == 0
        assert concurrent.futures.wait([future], timeout=10).done == {future}
        held.go_on.set()


def test_context_variables_and_the_deadline_travel() -> None:
    def look() -> tuple[str, bool]:
        return COLOUR.get(), remaining_s() is not None

    async def main(pool: ThreadPool) -> tuple[str, bool]:
        COLOUR.set("green")
        with deadline(60):
            return await pool.run(look)

    with ThreadPool("p", max_threads=1) as pool:
        assert asyncio.run(main(pool)) == ("green", True)
        assert pool.submit(look).result(10) == ("none", False)


def test_work_whose_deadline_passed_in_the_queue_is_not_begun() -> None:
    held, ran = Held(), []

    async def main(pool: ThreadPool) -> None:
        with pytest.raises(DeadlineExceeded), deadline(0.01):
            await pool.run(ran.append, 1)

    with ThreadPool("p", max_threads=1) as pool:
        pool.submit(held)
        assert held.begun.wait(10)
        asyncio.run(main(pool))
        with deadline(0):
            late = pool.submit(ran.append, 2)
        held.go_on.set()
        with pytest.raises(DeadlineExceeded):
            late.result(10)
    assert ran == []


def test_shutdown_carries_out_what_is_queued_and_takes_no_more() -> None:
    pool = ThreadPool("p", max_threads=1)
    futures = [pool.submit(abs, -n) for n in range(50)]
    pool.shutdown()
    assert [f.result(0) for f in futures] == list(range(50))
    with pytest.raises(Closed):
        pool.submit(abs, 1)
    with pytest.raises(RuntimeError):
        pool.submit(abs, 1)
    assert pool.statistics().threads == 0


def test_shutdown_with_cancel_futures_drops_what_is_queued() -> None:
    held = Held()
    pool = ThreadPool("p", max_threads=1)

    async def main() -> None:
        first = pool.submit(held)
        assert held.begun.wait(10)
        future = pool.submit(abs, -1)
        task = asyncio.create_task(pool.run(abs, -1))
        await asyncio.sleep(0)
        pool.shutdown(wait=False, cancel_futures=True)
        held.go_on.set()
        assert future.cancelled()
        with pytest.raises(Closed):
            await task
        assert first.result(10) == "held"

    asyncio.run(main())
    pool.shutdown()


def test_threads_start_on_demand_and_resize_takes_effect() -> None:
    with ThreadPool("p", max_threads=4) as pool:
        assert pool.statistics().threads == 0
        held = [Held() for _ in range(4)]
        futures = [pool.submit(h) for h in held]
        for h in held:
            assert h.begun.wait(10)
        assert pool.statistics().threads == 4
        pool.resize(1)
        for h in held:
            h.go_on.set()
        concurrent.futures.wait(futures, timeout=10)
        assert pool.submit(abs, -1).result(10) == 1
        pause = threading.Event()
        for _ in range(1000):
            if pool.statistics().threads == 1:
                break
            pause.wait(0.005)
        assert pool.statistics().threads == 1
        pool.resize(2)
        assert [f.result(10) for f in [pool.submit(abs, -n) for n in range(9)]] == list(range(9))


def test_a_forgotten_pool_ends_its_threads() -> None:
    pool = ThreadPool("forgotten", max_threads=2)
    pool.submit(abs, -1).result(10)
    threads = [t for t in threading.enumerate() if t.name.startswith("forgotten-")]
    assert threads
    del pool
    gc.collect()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


@pytest.mark.parametrize("sizes", [{"max_threads": 0}, {"min_threads": 3, "max_threads": 2}])
def test_nonsense_is_misuse(sizes) -> None:
    with pytest.raises(Misuse):
        ThreadPool("p", **sizes)


def test_what_was_submitted_is_carried_out_before_the_interpreter_ends() -> None:
    code = (
        "import seawall, threading\n"
        "pool = seawall.ThreadPool('p', max_threads=1)\n"
        "pool.submit(threading.Event().wait, 0.05)\n"
        "pool.submit(print, 'carried out')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert done.stdout == "carried out\n"
    assert done.stderr == ""
