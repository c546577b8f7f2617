import asyncio
import gc
import re

from seawall import (
    Batcher,
    LoopLag,
    Mutex,
    Semaphore,
    SingleFlight,
    Snapshot,
    ThreadPool,
    Worker,
    openmetrics,
    snapshot,
)
from seawall.core.statistics import LockStatistics, LoopStatistics

SAMPLE = re.compile(r'^([a-z_]+)\{([a-z]+)="((?:[^"\\\n]|\\["\\n])*)"\} (-?[0-9.e+-]+)$')
SUFFIXES = {"gauge": {""}, "counter": {"_total"}, "summary": {"_count", "_sum"}}


def read(text: str) -> dict[tuple[str, str], float]:
    """Read OpenMetrics text as strictly as its rules are, for what Seawall writes."""
    assert text.endswith("# EOF\n")
    family, kind, found, families = "", "", {}, set()
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ")
            assert family not in families, "the lines of a family belong together"
            families.add(family)
        elif line.startswith("# UNIT "):
            assert line.split(" ")[2] == family
            assert family.endswith("_" + line.split(" ")[3])
        elif line.startswith("# HELP "):
            assert line.split(" ")[2] == family
        else:
            match = SAMPLE.match(line)
            assert match, line
            assert match[1].removeprefix(family) in SUFFIXES[kind]
            assert (match[1], match[3]) not in found, "a series may be there once only"
            found[match[1], match[3]] = float(match[4])
    return found


def test_every_kind_is_in_the_snapshot_and_in_the_text() -> None:
    mutex, semaphore = Mutex("a lock"), Semaphore("observed slots", 3)
    flight, batcher = SingleFlight("pages"), Batcher("journal", lambda items: None, max_items=5, capacity=5)
    worker = Worker("rollups", lambda stop: stop.wait(None) and None)
    worker.start()
    batcher.put_sync(1, timeout_s=10)

    async def main() -> Snapshot:
        lag = LoopLag("main")
        lag.start()
        await asyncio.sleep(0)
        try:
            return snapshot()
        finally:
            lag.stop()

    with ThreadPool("reads", max_threads=1) as pool, mutex:
        pool.submit(abs, 1).result(10)
        taken = asyncio.run(main())
    figures = read(openmetrics(taken))
    assert figures["seawall_lock_waiters", mutex.name] == 0
    assert figures["seawall_semaphore_free", semaphore.name] == 3
    assert figures["seawall_pool_threads", "reads"] == 1
    assert figures["seawall_batcher_items_total", "journal"] == 1
    assert figures["seawall_flight_in_flight", flight.name] == 0
    assert figures["seawall_worker_failures_total", "rollups"] == 0
    assert figures["seawall_loop_lag_seconds", "main"] >= 0
    worker.stop(timeout_s=10)
    batcher.close(10)


def test_what_is_closed_or_dropped_vanishes() -> None:
    mutex, pool = Mutex("gone"), ThreadPool("gone", max_threads=1)
    batcher = Batcher("gone", lambda items: None, max_items=1, capacity=1)
    batcher.put_sync(1, timeout_s=10)
    batcher.close(10)
    pool.shutdown()
    del mutex
    gc.collect()
    taken = snapshot()
    everything = [*taken.locks, *taken.pools, *taken.batchers, *taken.workers]
    assert not [s for s in everything if s.name == "gone"]


def test_odd_names_are_escaped_and_equal_names_added_up() -> None:
    odd = 'a "b" \\ \n c'
    rows = tuple(LockStatistics(name, (), (), 2, 0.5) for name in (odd, "same", "same"))
    figures = read(openmetrics(Snapshot(locks=rows)))
    assert figures["seawall_lock_wait_seconds_count", 'a \\"b\\" \\\\ \\n c'] == 2
    assert figures["seawall_lock_wait_seconds_sum", "same"] == 1.0


def test_without_resources_the_text_is_its_end_alone() -> None:
    assert openmetrics(Snapshot()) == "# EOF\n"
    assert openmetrics(Snapshot(), eof=False) == ""
    assert "# EOF" not in openmetrics(Snapshot(loops=(LoopStatistics("main", 0.1, 0.2),)), eof=False)


def test_a_stalled_loop_shows_while_it_is_stalled() -> None:
    async def main() -> float:
        lag = LoopLag()
        lag.start()
        before = lag.statistics()
        assert before.lag_s <= before.max_lag_s
        while lag.statistics().lag_s == 0:
            pass  # this blocks the loop, so that the next look is overdue
        shown = lag.statistics().lag_s
        lag.stop()
        return shown

    assert asyncio.run(main()) > 0
