"""What Seawall's locks, pool and batcher cost beside the standard library: one JSON line a figure.

Run: `uv run python -m benchmarks.locks`. Each figure and its peer are measured in turn, several times in one run, and
the median round counts; so the ratio means something even where the machine is shared.
"""

from __future__ import annotations

import asyncio
import statistics
import threading
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor

from benchmarks.report import report
from seawall import Batcher, Mutex, Semaphore, ThreadPool

ROUNDS = 9
Cost = Callable[[], float]


def main() -> None:
    """Measure everything and print it."""
    mutex, semaphore = Mutex("bench"), Semaphore("bench", 2)
    compare("mutex with, uncontended", "ns", with_cost(mutex), "threading.Lock", with_cost(threading.Lock()), 1.5)
    compare(
        "semaphore with, uncontended", "ns", with_cost(semaphore), "threading.Semaphore",
        with_cost(threading.Semaphore(2)), 0.5,
    )  # fmt: skip
    compare("mutex async with, uncontended", "ns", async_cost(Mutex), "asyncio.Lock", async_cost(no_name_lock), 1.7)
    with ThreadPool("bench", max_threads=2) as ours, ThreadPoolExecutor(2) as theirs:
        compare("submit().result()", "us", result_cost(ours), "ThreadPoolExecutor", result_cost(theirs), 0.9)
        compare("submit 1,500, wait for all", "us", batch_cost(ours), "ThreadPoolExecutor", batch_cost(theirs), 0.5)
        compare(
            "await run, 32 at once", "us", run_cost(ours.run), "asyncio.to_thread", run_cost(asyncio.to_thread), 0.35
        )
    compare("await Batcher.put, 100 putters", "us", put_cost, "a bare future", future_cost, None)


def compare(name: str, unit: str, ours: Cost, peer: str, theirs: Cost, goal: float | None) -> None:
    """Measure both in turn and print one line. `ratio` is the median of the rounds' own ratios."""
    ours(), theirs()  # a first round warms up
    rounds = [(ours(), theirs()) for _ in range(ROUNDS)]
    scale = {"ns": 1e9, "us": 1e6}[unit]
    report(
        name,
        unit,
        statistics.median(own for own, _ in rounds) * scale,
        peer=peer,
        peer_value=statistics.median(other for _, other in rounds) * scale,
        ratio=statistics.median(own / other for own, other in rounds),
        goal="" if goal is None else f"ratio <= {goal}",
    )


def with_cost(lock: Mutex | Semaphore | threading.Lock | threading.Semaphore, count: int = 50_000) -> Cost:
    """Seconds for one `with` and its leaving."""

    def cost() -> float:
        began_s = time.perf_counter()
        for _ in range(count):
            with lock:
                pass
        return (time.perf_counter() - began_s) / count

    return cost


def no_name_lock(_name: str) -> asyncio.Lock:
    """An asyncio.Lock, made as a Mutex is."""
    return asyncio.Lock()


def async_cost(make: Callable[[str], Mutex | asyncio.Lock], count: int = 20_000) -> Cost:
    """Seconds for one `async with` and its leaving."""

    async def enter_and_leave() -> float:
        lock = make("bench")
        began_s = time.perf_counter()
        for _ in range(count):
            async with lock:
                pass
        return (time.perf_counter() - began_s) / count

    return lambda: asyncio.run(enter_and_leave())


def result_cost(pool: ThreadPool | ThreadPoolExecutor, count: int = 500) -> Cost:
    """Seconds for handing one call over and waiting for its result."""

    def cost() -> float:
        began_s = time.perf_counter()
        for _ in range(count):
            pool.submit(abs, 1).result()
        return (time.perf_counter() - began_s) / count

    return cost


def batch_cost(pool: ThreadPool | ThreadPoolExecutor, count: int = 1_500) -> Cost:
    """Seconds a call when many are submitted and then all are waited for."""

    def cost() -> float:
        began_s = time.perf_counter()
        for future in [pool.submit(abs, 1) for _ in range(count)]:
            future.result()
        return (time.perf_counter() - began_s) / count

    return cost


def run_cost(run: Callable[[Callable[[int], int], int], Awaitable[int]], count: int = 20) -> Cost:
    """Seconds a call when a loop has 32 calls made on threads at once."""

    async def run_all() -> float:
        began_s = time.perf_counter()
        for _ in range(count):
            await asyncio.gather(*[run(abs, 1) for _ in range(32)])
        return (time.perf_counter() - began_s) / count / 32

    return lambda: asyncio.run(run_all())


def put_cost() -> float:
    """Seconds of CPU for one put, its batch and its wake-up included, with 100 putters on one loop."""
    batcher: Batcher[int] = Batcher("bench", lambda items: None, max_items=1_000, capacity=10_000)
    try:
        return asyncio.run(cost_of_100(batcher.put))
    finally:
        batcher.close(10)


def future_cost() -> float:
    """Seconds of CPU for awaiting one future that the loop resolves at once: what no put can do without."""

    async def wait(_: int) -> None:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        loop.call_soon(future.set_result, None)
        await future

    return asyncio.run(cost_of_100(wait))


async def cost_of_100(wait: Callable[[int], Awaitable[None]], count: int = 100) -> float:
    """Seconds of CPU a call, by 100 tasks that call again and again."""

    async def caller() -> None:
        for number in range(count):
            await wait(number)

    began_s = time.process_time()
    await asyncio.gather(*[caller() for _ in range(100)])
    return (time.process_time() - began_s) / count / 100


if __name__ == "__main__":
    main()
