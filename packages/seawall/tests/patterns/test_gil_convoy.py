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


def compute() -> int:
    """Some milliseconds of pure Python."""
    return sum(step * step for step in range(60_000))


def lag_beside(pool: Executor, work: int, ticks: int = 6) -> float:
    """By how much a loop's timers are late (median, seconds) beside so many clients that have the pool compute."""
    over, ended = threading.Event(), threading.Semaphore(0)

    def again(_: object = None) -> None:
        if over.is_set():
            ended.release()
        else:
            pool.submit(compute).add_done_callback(again)

    async def look() -> float:
        loop = asyncio.get_running_loop()
        lags = []
        for _ in range(ticks):
            due_s = monotonic() + 0.002
            await asyncio.sleep(0.002)
            lags.append(monotonic() - due_s)
        assert loop.is_running()
        return statistics.median(lags)

    for _ in range(work):
        again()
    try:
        return asyncio.run(look())
    finally:
        over.set()
        for _ in range(work):
            assert ended.acquire(timeout=60)


def is_seen(one: Callable[[], float], other: Callable[[], float]) -> bool:
    """Whether `one` is clearly more than `other`, measured in turn. Whatever else a busy machine does blurs single pairs."""
    return any(one() > 1.5 * other() for _ in range(12))


def test_trap_the_loop_waits_its_turn_behind_every_computing_thread_and_the_elastic_pool_keeps_these_few() -> None:
    with ThreadPoolExecutor(WIDE) as fixed, ThreadPool("pages", max_threads=WIDE) as elastic:
        assert is_seen(lambda: lag_beside(fixed, WIDE), lambda: lag_beside(elastic, WIDE))
        assert len(fixed._threads) == WIDE
        assert elastic.statistics().allowed < WIDE


def test_fix_a_shorter_switch_interval_shortens_every_wait_in_the_convoy() -> None:
    usual_s = sys.getswitchinterval()

    def shorter(pool: Executor) -> float:
        sys.setswitchinterval(usual_s / 10)
        try:
            return lag_beside(pool, WIDE)
        finally:
            sys.setswitchinterval(usual_s)

    with ThreadPoolExecutor(WIDE) as fixed:
        assert is_seen(lambda: lag_beside(fixed, WIDE), lambda: shorter(fixed))
