"""The handbook's page docs/patterns/the-gil-convoy.md: the trap, and the fixes."""

import asyncio
import statistics
import sys
import threading
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from time import monotonic

from seawall import ThreadPool

WIDE = 12


def compute_until(over: threading.Event) -> None:
    while not over.is_set():
        sum(step * step for step in range(2_000))


def lag_beside(pool: Executor, work: int, ticks: int = 6) -> float:
    """By how much a loop's timers are late (median, seconds) while `work` pieces of work compute in the pool."""
    over = threading.Event()

    async def look() -> float:
        loop = asyncio.get_running_loop()
        lags = []
        for _ in range(ticks):
            due_s = monotonic() + 0.002
            await asyncio.sleep(0.002)
            lags.append(monotonic() - due_s)
        assert loop.is_running()
        return statistics.median(lags)

    futures = [pool.submit(compute_until, over) for _ in range(work)]
    try:
        return asyncio.run(look())
    finally:
        over.set()
        for future in futures:
            future.result(60)


def both(one: Callable[[], float], other: Callable[[], float]) -> tuple[float, float]:
    """The medians of three turns each, taken in turn, so that whatever else the machine does meets both."""
    pairs = [(one(), other()) for _ in range(3)]
    return statistics.median(a for a, _ in pairs), statistics.median(b for _, b in pairs)


def test_trap_the_loop_waits_its_turn_behind_every_computing_thread_and_the_elastic_pool_keeps_these_few() -> None:
    with ThreadPoolExecutor(WIDE) as fixed, ThreadPool("pages", max_threads=WIDE) as elastic:
        convoy_s, spared_s = both(lambda: lag_beside(fixed, WIDE), lambda: lag_beside(elastic, WIDE))
    assert convoy_s > 1.5 * spared_s


def test_fix_a_shorter_switch_interval_shortens_every_wait_in_the_convoy() -> None:
    usual_s = sys.getswitchinterval()

    def shorter(pool: Executor) -> float:
        sys.setswitchinterval(usual_s / 10)
        try:
            return lag_beside(pool, WIDE)
        finally:
            sys.setswitchinterval(usual_s)

    with ThreadPoolExecutor(WIDE) as fixed:
        convoy_s, short_s = both(lambda: lag_beside(fixed, WIDE), lambda: shorter(fixed))
    assert convoy_s > 1.5 * short_s
