"""What Seawall's locks, pool and batcher cost beside the standard library: one JSON line a figure.

Run: `uv run python -m benchmarks.locks`, or `uv run --group benchmark python -m benchmarks.locks` with the peers aiologic and
anyio. Each figure and its peer are measured in turn, several times in one run, and the median round counts; so the ratio
means something even where the machine is shared.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from dataclasses import dataclass

from benchmarks.report import report
from seawall import Batcher, Deadlock, Mutex, ReadWriteLock, Semaphore, ThreadPool, configure
from seawall.observe.settings import Level

ROUNDS = 9
LOCK_ROUNDS = 61
"""Many short rounds: what else runs on the machine then hits both of a pair, or stands out of the median."""

CONTENDED_ROUNDS = 5
Cost = Callable[[], float]


def main() -> None:
    """Measure everything and print it."""
    compare_levels()
    compare_contended()
    configure(level="watched")
    report("deadlock of 3 threads, from the wait that closes it to Deadlock", "ms", deadlock_ms(), goal="<= 100 ms")
    with on_one_core(), ThreadPool("bench", max_threads=2) as ours, ThreadPoolExecutor(2) as theirs:
        compare("submit().result(), one core", "us", result_cost(ours), "ThreadPoolExecutor", result_cost(theirs), 0.9)
    with ThreadPool("bench", max_threads=2) as ours, ThreadPoolExecutor(2) as theirs:
        compare("submit().result(), any core", "us", result_cost(ours), "ThreadPoolExecutor", result_cost(theirs), None)
        compare("submit 1,500, wait for all", "us", batch_cost(ours), "ThreadPoolExecutor", batch_cost(theirs), 0.5)
        compare(
            "await run, 32 at once", "us", run_cost(ours.run), "asyncio.to_thread", run_cost(asyncio.to_thread), 0.35
        )
    compare("await Batcher.put, 100 putters", "us", put_cost, "a bare future", future_cost, None)


@contextmanager
def on_one_core() -> Iterator[None]:
    """Keep this thread, and those it starts, on one core (Linux).

    Where the kernel puts a pool's thread decides what one hand-over costs, 15 us on the caller's core and 50 on the other,
    and a pool keeps its place for minutes: two pools on different places cannot be compared.
    """
    cores = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {max(cores)})
    try:
        yield
    finally:
        os.sched_setaffinity(0, cores)


def compare_levels() -> None:
    """What each level costs without contention, and what the peers do."""
    goals: dict[Level, float | None] = {"named": 1.5, "watched": 2.0, "ordered": 3.0, "timed": None}
    mutex, outer = Mutex("bench"), Mutex("bench outer")
    for level, goal in goals.items():
        configure(level=level)
        name = f"mutex with, uncontended, {level}"
        compare_lock(name, "ns", with_cost(mutex), "threading.Lock", with_cost(threading.Lock()), goal)
    configure(level="ordered")
    with outer:
        nested = with_cost(mutex)
        compare_lock(
            "mutex with, inside another, ordered", "ns", nested, "threading.Lock", with_cost(threading.Lock()), None
        )
    configure(level="watched")
    lock, slots = ReadWriteLock("bench"), Semaphore("bench", 2)
    compare_lock(
        "read side with, watched", "ns", with_cost(lock.read), "threading.Lock", with_cost(threading.Lock()), None
    )
    compare_lock(
        "write side with, watched", "ns", with_cost(lock.write), "threading.Lock", with_cost(threading.Lock()), None
    )
    theirs = with_cost(threading.Semaphore(2))
    compare_lock("semaphore with, watched", "ns", with_cost(slots), "threading.Semaphore", theirs, 0.5)
    compare_lock("mutex async with, watched", "ns", async_cost(Mutex), "asyncio.Lock", async_cost(no_name_lock), 1.7)
    for peer, make in async_peers().items():
        compare_lock("mutex async with, watched", "ns", async_cost(Mutex), peer, async_cost(make), None)
    for peer, make_sync in sync_peers().items():
        compare_lock("mutex with, watched", "ns", with_cost(mutex), peer, with_cost(make_sync()), None)


def compare_lock(name: str, unit: str, ours: Cost, peer: str, theirs: Cost, goal: float | None) -> None:
    """`compare`, with many short rounds."""
    compare(name, unit, ours, peer, theirs, goal, rounds=LOCK_ROUNDS)


def sync_peers() -> dict[str, Callable[[], AbstractContextManager[object]]]:
    """Peers for `with`, where they are installed."""
    try:
        import aiologic
    except ImportError:
        return {}
    return {"aiologic.Lock": aiologic.Lock}


def async_peers() -> dict[str, Callable[[str], AbstractAsyncContextManager[object]]]:
    """Peers for `async with`, where they are installed."""
    peers: dict[str, Callable[[str], AbstractAsyncContextManager[object]]] = {}
    try:
        import aiologic

        peers["aiologic.Lock"] = lambda _: aiologic.Lock()
    except ImportError:
        pass
    try:
        import anyio

        peers["anyio.Lock"] = lambda _: anyio.Lock()
    except ImportError:
        pass
    return peers


def compare_contended() -> None:
    """Eight threads and one lock: sections a second, and the longest wait of anyone."""
    configure(level="watched")
    for section_s, goal in ((1e-6, 0.3), (50e-6, 0.6)):
        rounds = [
            (contend(Mutex("bench"), section_s), contend(threading.Lock(), section_s)) for _ in range(CONTENDED_ROUNDS)
        ]
        ours, theirs = zip(*rounds, strict=True)
        shown = f"8 threads, {section_s * 1e6:g} us sections"
        report(
            f"mutex, {shown}: throughput", "sections/s", statistics.median(run.per_s for run in ours),
            peer="threading.Lock", peer_value=statistics.median(run.per_s for run in theirs),
            ratio=statistics.median(own.per_s / other.per_s for own, other in rounds), goal=f"ratio >= {goal}",
        )  # fmt: skip
        report(
            f"mutex, {shown}: longest wait", "ms", statistics.median(run.longest_wait_s for run in ours) * 1e3,
            peer="threading.Lock", peer_value=statistics.median(run.longest_wait_s for run in theirs) * 1e3,
            goal="<= 20 ms",
        )  # fmt: skip


@dataclass(frozen=True)
class Contention:
    """How a fight went."""

    per_s: float
    longest_wait_s: float


def contend(lock: AbstractContextManager[object], section_s: float, for_s: float = 0.7) -> Contention:
    """Have 8 threads enter again and again for a while, computing for `section_s` inside."""
    until_s = time.perf_counter() + for_s
    counts, waits_s = [0] * 8, [0.0] * 8

    def fight(number: int) -> None:
        count, longest_s = 0, 0.0
        now_s = time.perf_counter()
        while now_s < until_s:
            with lock:
                entered_s = time.perf_counter()
                longest_s = max(longest_s, entered_s - now_s)
                while time.perf_counter() - entered_s < section_s:
                    pass
                count += 1
            now_s = time.perf_counter()
        counts[number], waits_s[number] = count, longest_s

    threads = [threading.Thread(target=fight, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Contention(sum(counts) / for_s, max(waits_s))


def compare(
    name: str, unit: str, ours: Cost, peer: str, theirs: Cost, goal: float | None, rounds: int = ROUNDS
) -> None:
    """Measure both in turn and print one line. `ratio` is the median of the rounds' own ratios."""
    ours(), theirs()  # a first round warms up
    pairs = [(ours(), theirs()) for _ in range(rounds)]
    scale = {"ns": 1e9, "us": 1e6}[unit]
    report(
        name,
        unit,
        statistics.median(own for own, _ in pairs) * scale,
        peer=peer,
        peer_value=statistics.median(other for _, other in pairs) * scale,
        ratio=statistics.median(own / other for own, other in pairs),
        goal="" if goal is None else f"ratio <= {goal}",
    )


def deadlock_ms(rings: int = 100) -> float:
    """Plant rings of three threads; the median time within which one is refused, in milliseconds."""
    took_s: list[float] = []
    for _ in range(rings):
        mutexes, all_hold = [Mutex(f"m{number}") for number in range(3)], threading.Barrier(3)

        def enter(first: Mutex, then: Mutex, all_hold: threading.Barrier = all_hold) -> None:
            with first:
                all_hold.wait()
                began_s = time.perf_counter()
                try:
                    with then:
                        pass
                except Deadlock:
                    took_s.append(time.perf_counter() - began_s)

        threads = [threading.Thread(target=enter, args=(mutexes[n], mutexes[n - 1])) for n in range(3)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert len(took_s) == rings
    return statistics.median(took_s) * 1e3


def with_cost(lock: AbstractContextManager[object], count: int = 5_000) -> Cost:
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


def async_cost(make: Callable[[str], AbstractAsyncContextManager[object]], count: int = 3_000) -> Cost:
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
