from __future__ import annotations

import asyncio
import json
import threading

from hypothesis import given
from hypothesis import strategies as st

from flashcrowd.probe.seawall_snapshot import read_seawall
from flashcrowd.samples import Resource
from seawall import Batcher, Fixed, Gate, Mutex, ReadWriteLock, ResourcePool, Semaphore, ThreadPool, Workload
from seawall.console.figures import figures

JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
    max_leaves=8,
)
PARTS = ["locks", "read_write_locks", "semaphores", "pools", "resource_pools", "batchers", "gates", "loops", "process"]


def now(name: str) -> Resource:
    """How the resource `name` of this process stands, by its JSON."""
    resources, _ = read_seawall(json.loads(json.dumps(figures())))
    return next(resource for resource in resources if resource.name == name)


def test_a_mutex_has_one_place_and_those_who_wait() -> None:
    mutex = Mutex("probe-mutex")
    waiter = threading.Thread(target=lambda: mutex.acquire() or mutex.release())
    with mutex:
        waiter.start()
        while not mutex.statistics().waiters:
            pass
        found = now("probe-mutex")
        assert (found.kind, found.capacity, found.in_use, found.waiting) == ("lock", 1, 1, 1)
    waiter.join()
    found = now("probe-mutex")
    assert found.in_use == 0
    assert found.waits_total == 1
    assert found.wait_s_total is not None
    assert found.wait_s_total > 0


def test_a_read_write_lock_is_busy_however_many_read() -> None:
    lock = ReadWriteLock("probe-lock")
    with lock.read:
        found = now("probe-lock")
    assert (found.kind, found.capacity, found.in_use) == ("lock", 1, 1)


def test_a_semaphore_has_its_permits() -> None:
    semaphore = Semaphore("probe-permits", 3)
    with semaphore:
        found = now("probe-permits")
    assert (found.kind, found.capacity, found.in_use, found.waiting) == ("semaphore", 3, 1, 0)


def test_pools_of_threads_and_of_connections_have_their_sizes() -> None:
    connections = ResourcePool("probe-connections", object, max_size=4)
    with ThreadPool("probe-threads", max_threads=5) as threads, connections.borrow(timeout_s=1):
        threads.submit(int).result()
        pool, lent = now("probe-threads"), now("probe-connections")
    assert (pool.kind, pool.capacity, pool.waiting) == ("thread pool", 5, 0)
    assert (lent.kind, lent.capacity, lent.in_use) == ("connection pool", 4, 1)


def test_a_batcher_is_a_queue_of_what_is_not_flushed() -> None:
    batcher: Batcher[int] = Batcher("probe-journal", len, max_items=10, capacity=100)
    batcher.put_sync(1)
    found = now("probe-journal")
    batcher.close(timeout_s=5)
    assert (found.kind, found.waiting, found.uses_total) == ("queue", 0, 1)


def test_a_gate_has_its_seats() -> None:
    gate = Gate("probe-gate", Fixed(2), [Workload("pages")])

    async def enter() -> Resource:
        async with gate.admit("pages"):
            return now("probe-gate")

    found = asyncio.run(enter())
    assert (found.kind, found.capacity, found.in_use, found.waiting) == ("gate", 2, 1, 0)


def test_the_process_tells_its_cpu_and_has_one_core_because_it_is_python() -> None:
    _, process = read_seawall(figures())
    assert process.cpu_s_total is not None
    assert process.cpu_s_total > 0
    assert process.cores == 1


@given(st.dictionaries(st.sampled_from(PARTS), JSON))
def test_no_json_makes_it_fail(snapshot: dict[str, object]) -> None:
    read_seawall(snapshot)
