"""What Seawall's thread pool costs beside the standard library and anyio, and how well it chooses its size.

Run: `uv run --group benchmark python -m benchmarks.pools [--costs | --sizes | --lag] [--seconds 1.0]`. A figure and its
peer are measured in turn, several times in one run, and the median of the rounds' own ratios counts; so it means
something on a shared machine too.
"""

from __future__ import annotations

import argparse
import asyncio
import statistics
import sys
import time
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor

import anyio.to_thread
from asgiref.sync import sync_to_async

from benchmarks.locks import batch_cost, compare, result_cost, run_cost
from benchmarks.pool_loads import LOADS, Load, throughput
from benchmarks.report import report
from seawall import ThreadPool

SIZES = (1, 2, 4, 8, 16, 32, 64)


def main() -> None:
    """Measure what is asked for, or everything, and print it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--costs", action="store_true")
    parser.add_argument("--sizes", action="store_true")
    parser.add_argument("--lag", action="store_true")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each measurement of a size")
    asked = parser.parse_args()
    everything = not (asked.costs or asked.sizes or asked.lag)
    if everything or asked.costs:
        costs()
    if everything or asked.sizes:
        for load in LOADS:
            sizes(load, asked.seconds)
    if everything or asked.lag:
        compare_lag()


def costs() -> None:
    """Of one call, in three ways."""
    with ThreadPool("bench", max_threads=2) as ours, ThreadPoolExecutor(2) as theirs:
        compare("submit().result()", "us", result_cost(ours), "ThreadPoolExecutor", result_cost(theirs), 0.9)
        compare("submit 1,500, wait for all", "us", batch_cost(ours), "ThreadPoolExecutor", batch_cost(theirs), 0.5)
        run, stock = run_cost(ours.run), run_cost(asyncio.to_thread)
        compare("await run, 32 at once", "us", run, "asyncio.to_thread", stock, 0.35)
        compare("await run, 32 at once", "us", run, "anyio.to_thread", run_cost(anyio_run), None)
        compare("await run, 32 at once", "us", run, "asgiref.sync_to_async", run_cost(asgiref_run), None)


async def anyio_run(fn: Callable[[int], int], value: int) -> int:
    """As `asyncio.to_thread`."""
    return await anyio.to_thread.run_sync(fn, value)


async def asgiref_run(fn: Callable[[int], int], value: int) -> int:
    """As `asyncio.to_thread`. Not on asgiref's one shared thread, which is its default and would be no contest."""
    return await sync_to_async(fn, thread_sensitive=False)(value)


def sizes(load: Load, seconds: float, rounds: int = 3) -> None:
    """The elastic pool's throughput beside that of each fixed size. The elastic one gets up to 5 seconds to find its own."""
    best: list[float] = []
    shares: list[float] = []
    found: list[float] = []
    chosen: list[int] = []
    for _ in range(rounds):
        fixed = {size: warm_throughput(ThreadPoolExecutor(size), load, seconds) for size in SIZES}
        size, rate = max(fixed.items(), key=lambda item: item[1])
        with ThreadPool("bench", max_threads=64) as pool:
            throughput(pool, load, seconds=2.0)
            elastic = throughput(pool, load, seconds)
            found.append(pool.statistics().allowed)
        best.append(rate)
        shares.append(elastic / rate)
        chosen.append(size)
    sizes_seen = f"best fixed size {statistics.median(chosen):g}, found {statistics.median(found):g}"
    report(
        f"elastic pool, {load.name}: throughput ({sizes_seen})",
        "calls/s",
        statistics.median(best) * statistics.median(shares),
        peer="best fixed size",
        peer_value=statistics.median(best),
        ratio=statistics.median(shares),
        goal="ratio >= 0.95",
    )


def warm_throughput(pool: ThreadPoolExecutor, load: Load, seconds: float) -> float:
    """Of a pool whose threads have all been started before."""
    with pool:
        throughput(pool, load, seconds=0.2)
        return throughput(pool, load, seconds)


LAG_GOAL_MS = 25.0


def compare_lag(rounds: int = 5) -> None:
    """How late an event loop is beside 40 clients whose work holds the GIL, at Python's switch interval and at Turnout's."""
    usual_s = sys.getswitchinterval()
    for interval_s in (usual_s, 0.0005):
        sys.setswitchinterval(interval_s)
        with ThreadPool("bench", max_threads=40) as ours, ThreadPoolExecutor(40) as theirs:
            pairs = [(lags_ms(ours), lags_ms(theirs)) for _ in range(rounds)]
        for name, share in (("median", 0.5), ("p99", 0.99)):
            found = statistics.median(at(share, pair[0]) for pair in pairs)
            stock = statistics.median(at(share, pair[1]) for pair in pairs)
            report(
                f"loop lag, {name}, beside 40 computing handlers, switch interval {interval_s * 1000:g} ms",
                "ms",
                found,
                peer="ThreadPoolExecutor(40)",
                peer_value=stock,
                goal=f"<= {LAG_GOAL_MS:g} ms" if name == "p99" else None,
            )
    sys.setswitchinterval(usual_s)


def at(share: float, values: list[float]) -> float:
    """The value below which `share` of them lie."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def lags_ms(pool: Executor, ticks: int = 400) -> list[float]:
    """How late a loop's timers were while handlers of some 10 ms of computing kept coming, 40 at a time."""

    async def measure() -> list[float]:
        loop = asyncio.get_running_loop()
        lags: list[float] = []
        over = False

        async def client() -> None:
            while not over:
                await loop.run_in_executor(pool, compute)

        clients = [asyncio.ensure_future(client()) for _ in range(40)]
        for _ in range(ticks):
            due_s = time.perf_counter() + 0.005
            await asyncio.sleep(0.005)
            lags.append((time.perf_counter() - due_s) * 1000)
        over = True
        await asyncio.gather(*clients)
        return lags

    return asyncio.run(measure())


def compute() -> int:
    """Some 10 ms of pure Python."""
    return sum(step * step for step in range(150_000))


if __name__ == "__main__":
    main()
