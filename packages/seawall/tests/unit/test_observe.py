import asyncio
import gc
import re
import threading

from seawall import (
    Batcher,
    Cache,
    LoopLag,
    Mutex,
    ReadWriteLock,
    ResourcePool,
    Semaphore,
    SingleFlight,
    Snapshot,
    ThreadPool,
    Worker,
    configure,
    openmetrics,
    snapshot,
)
from seawall.core.histogram import BOUNDS_S, Distribution
from seawall.core.statistics import LockStatistics, LoopStatistics
from seawall.observe.events import KEPT, Events, LongHold, LoopStall, OrderInverted

LABEL = r'[a-z]+="(?:[^"\\\n]|\\["\\n])*"'
SAMPLE = re.compile(rf'^([a-z_]+)(?:\{{({LABEL}(?:,(?!le=){LABEL})*)(?:,le="([0-9.e+-]+|\+Inf)")?\}})? (-?[0-9.e+-]+)$')
VALUE = re.compile(r'[a-z]+="((?:[^"\\\n]|\\["\\n])*)"')
SUFFIXES = {"gauge": {""}, "counter": {"_total"}, "histogram": {"_bucket", "_count", "_sum"}}


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
            labels = " ".join(VALUE.findall(match[2] or ""))
            series = (match[1], labels if match[3] is None else f"{labels} {match[3]}")
            assert series not in found, "a series may be there once only"
            found[series] = float(match[4])
    return found


def test_every_kind_is_in_the_snapshot_and_in_the_text() -> None:
    mutex, semaphore = Mutex("a lock"), Semaphore("observed slots", 3)
    flight, batcher = SingleFlight("pages"), Batcher("journal", lambda items: None, max_items=5, capacity=5)
    worker = Worker("rollups", lambda stop: stop.wait(None) and None)
    cache = Cache("kept pages", max_items=3, fresh_s=60, stale_s=60)
    resources = ResourcePool("connections", object, max_size=2)
    worker.start()
    batcher.put_sync(1, timeout_s=10)

    async def draw() -> str:
        return "page"

    async def main() -> Snapshot:
        lag = LoopLag("main")
        lag.start()
        assert await cache.get(1, draw) == await cache.get(1, draw) == "page"
        try:
            return snapshot()
        finally:
            lag.stop()

    with ThreadPool("reads", max_threads=1) as pool, mutex, resources.borrow():
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
    assert figures["seawall_resource_pool_in_use", "connections"] == 1
    assert figures["seawall_resource_pool_max_size", "connections"] == 2
    assert figures["seawall_resource_pool_created_total", "connections"] == 1
    assert figures["seawall_resource_pool_wait_seconds_count", "connections"] == 0
    assert figures["seawall_cache_items", "kept pages"] == 1
    assert figures["seawall_cache_misses_total", "kept pages"] == 1
    assert figures["seawall_cache_hits_total", "kept pages"] == 1
    resources.close()
    worker.stop(timeout_s=10)
    batcher.close(10)


def test_what_is_closed_or_dropped_vanishes() -> None:
    mutex, pool = Mutex("gone"), ThreadPool("gone", max_threads=1)
    batcher = Batcher("gone", lambda items: None, max_items=1, capacity=1)
    batcher.put_sync(1, timeout_s=10)
    batcher.close(10)
    pool.shutdown()
    resources, cache = ResourcePool("gone", object, max_size=1), Cache("gone", max_items=1, fresh_s=1, stale_s=1)
    resources.close()
    del mutex, cache
    gc.collect()
    taken = snapshot()
    everything = [*taken.locks, *taken.semaphores, *taken.pools, *taken.resource_pools, *taken.caches]
    everything += [*taken.batchers, *taken.flights, *taken.workers]
    assert not [s for s in everything if s.name == "gone"]


def test_odd_names_are_escaped_and_equal_names_added_up() -> None:
    odd = 'a "b" \\ \n c'
    waits = Distribution((2,) + (0,) * len(BOUNDS_S), 0.5)
    rows = tuple(LockStatistics(name, (), (), 2, 0.5, waits) for name in (odd, "same", "same"))
    figures = read(openmetrics(Snapshot(locks=rows)))
    assert figures["seawall_lock_wait_seconds_count", 'a \\"b\\" \\\\ \\n c'] == 2
    assert figures["seawall_lock_wait_seconds_sum", "same"] == 1.0
    assert figures["seawall_lock_wait_seconds_bucket", "same 0.0001"] == 4
    assert figures["seawall_lock_wait_seconds_bucket", "same +Inf"] == 4


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


def test_deadlocks_and_waits_of_now_are_in_the_snapshot_and_counted(watched, planting) -> None:
    before = snapshot().findings
    first, second = Mutex("first"), Mutex("second")
    planting.plant(("thread", "thread"), [(first, second), (second, first)])
    slots = Semaphore("slots that are waited for", 1)
    with slots:
        thread = threading.Thread(target=lambda: slots.acquire(timeout_s=20))
        thread.start()
        pause = threading.Event()
        while not slots.statistics().waiters:
            pause.wait(0.005)
        taken = snapshot()
    thread.join()
    assert before is not None
    assert taken.findings is not None
    assert taken.findings.deadlocks_total == before.deadlocks_total + 1
    assert {wait.resource for wait in taken.deadlocks[-1]} == {"first", "second"}
    assert [wait.holders for wait in taken.waits if wait.resource == slots.name] == [("thread MainThread",)]
    assert read(openmetrics(taken))["seawall_deadlocks_total", ""] == taken.findings.deadlocks_total
    assert slots.statistics().waits.total == 1


def test_hold_times_are_written_for_what_was_timed() -> None:
    configure(level="timed")
    mutex, lock = Mutex("timed mutex"), ReadWriteLock("timed read-write")
    with mutex, lock.read:
        pass
    figures = read(openmetrics(snapshot()))
    assert figures["seawall_lock_hold_seconds_count", mutex.name] == 1
    assert figures["seawall_read_write_lock_hold_seconds_count", lock.name] == 1


def test_what_is_told_again_because_it_lasts_is_found_once_with_its_latest_figures() -> None:
    events = Events()
    for held_s in (1.0, 2.0, 4.0):
        events.emit(LongHold("accounts", "thread a", held_s, 3, ("x.py:1 in f",)))
        events.emit(LoopStall("main", held_s, ("y.py:2 in g",)))
    events.emit(LongHold("sites", "thread a", 1.0, 1, ()))
    events.emit(OrderInverted("a", "b", ("thread a", "thread b"), (("x.py:1 in f",), ("y.py:2 in g",))))
    found = {one.told: one for one in events.found()}
    assert set(found) == {
        "thread a has held accounts for 4.0 s; 3 wait",
        "thread a has held sites for 1.0 s; 1 wait",
        "the event loop main has run nothing else for 4.0 s",
        "b was taken before a; elsewhere it is the other way round",
    }
    inversion = found["b was taken before a; elsewhere it is the other way round"]
    assert inversion.stacks == (("thread a", ("x.py:1 in f",)), ("thread b", ("y.py:2 in g",)))
    for number in range(3 * KEPT):
        events.emit(OrderInverted("a", f"b{number}", ("", ""), ((), ())))
    assert len([one for one in events.found() if one.kind == "inversion"]) == KEPT
