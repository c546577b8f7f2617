from __future__ import annotations

from typing import Any

import pytest

from seawall import Wait
from seawall.console.reading import judge, read
from seawall.console.view import READINGS, as_text, view_of
from seawall.console.wait_tree import DEPTH, Queue, wait_tree
from seawall.core.gate_statistics import GateStatistics, Refused, WorkloadStatistics
from seawall.core.pool_statistics import CacheStatistics, ResourcePoolStatistics
from seawall.core.statistics import (
    BatcherStatistics,
    LockStatistics,
    LoopStatistics,
    PoolStatistics,
    ReadWriteLockStatistics,
    SemaphoreStatistics,
    Snapshot,
    WorkerStatistics,
)
from seawall.core.waiting import Waiting


def waits(*edges: tuple[str, str, str]) -> Snapshot:
    """A snapshot of waits: (waiter, resource, holders with commas)."""
    return Snapshot(waits=tuple(Wait(resource, who, tuple(held.split(","))) for who, resource, held in edges))


def in_words(queue: Queue) -> str:
    """`resource[holders](waiter(what it keeps), …)`."""
    if queue.is_repeated:
        return f"{queue.resource}…"
    inner = ", ".join(
        waiter.who + (f"({', '.join(map(in_words, waiter.keeps))})" if waiter.keeps else "") for waiter in queue.waiters
    )
    return f"{queue.resource}[{','.join(queue.holders)}]({inner})"


@pytest.mark.parametrize(
    ("edges", "trees"),
    [
        ([("a", "m", "b")], ["m[b](a)"]),
        ([("a", "m", "b"), ("c", "m", "b")], ["m[b](a, c)"]),
        ([("b", "n", "c"), ("a", "m", "b")], ["n[c](b(m[b](a)))"]),
        ([("a", "m", "b"), ("x", "p", "y"), ("z", "p", "y")], ["p[y](x, z)", "m[b](a)"]),
        ([("a", "pool", "b,c"), ("b", "m", "c")], ["m[c](b(pool[b,c](a)))"]),
        ([("a", "m", "b"), ("b", "n", "a")], ["m[b](a(n[a](b(m…))))"]),
        ([("a", "m", "a")], ["m[a](a(m…))"]),
        ([("a", "m", "b"), ("b", "n", "a"), ("x", "m", "b")], ["m[b](a(n[a](b(m…))), x)"]),
    ],
)
def test_trees_of_waiting_begin_with_whoever_waits_for_nothing(
    edges: list[tuple[str, str, str]], trees: list[str]
) -> None:
    assert [in_words(tree) for tree in wait_tree(waits(*edges))] == trees


def test_trees_are_cut_in_width_and_depth_and_say_what_is_hidden() -> None:
    wide = waits(*((f"w{number}", "m", "h") for number in range(50)))
    (tree,) = wait_tree(wide, shown=10)
    assert (len(tree.waiters), tree.hidden) == (10, 40)
    deep = waits(*((f"p{number}", f"m{number}", f"p{number + 1}") for number in range(DEPTH + 100)))
    trees = wait_tree(deep)
    assert len(trees) == 6 == (DEPTH + 100) // DEPTH
    assert all(text.count("[") == DEPTH for text in map(in_words, trees)), "each goes on where the one before is cut"
    assert len(wait_tree(deep, shown=30)) == 2


def test_waiting_times_come_from_every_kind_of_line() -> None:
    line = (Waiting("thread w", 1.5),)
    kinds = {
        "locks": LockStatistics("r", (), line, 0, 0.0),
        "read_write_locks": ReadWriteLockStatistics("r", (), None, line, 0, 0.0),
        "semaphores": SemaphoreStatistics("r", 1, 0, (), line, 0, 0.0),
        "resource_pools": ResourcePoolStatistics("r", 1, 1, 0, 1, (), 0, 0, 0, 0, 0.0, line),
    }
    for kind, statistics in kinds.items():
        snapshot = Snapshot(waits=(Wait("r", "thread w", ("thread h",)),), **{kind: (statistics,)})
        (tree,) = wait_tree(snapshot)
        assert tree.waiters[0].waited_s == 1.5
        (reading,) = read(snapshot)
        assert (reading.pressure_s, reading.state) == (1.5, "crowded")
        assert judge([reading]).title == f"The {reading.kind} r limits now"


def test_every_kind_has_a_reading_with_its_figures() -> None:
    readings = read(
        Snapshot(
            pools=(PoolStatistics("p", 2, 4, 2, 3, 100, 0.05, 10, 1, 0, blocked=1),),
            resource_pools=(ResourcePoolStatistics("db", 5, 3, 1, 0, ("thread a",), 9, 5, 2, 7, 0.5),),
            locks=(LockStatistics("m", ("thread a",), (), 3, 0.25),),
            read_write_locks=(ReadWriteLockStatistics("rw", ("thread a", "task b"), "thread c", (), 0, 0.0),),
            semaphores=(SemaphoreStatistics("s", 4, 1, (), (), 0, 0.0),),
            caches=(CacheStatistics("c", 7, 100, 6, 2, 2, 1, 3),),
            batchers=(BatcherStatistics("b", 5, 100, 2, 0.01, 3, 40, 0, 0, None),),
            workers=(WorkerStatistics("w", True, 0, None),),
            loops=(LoopStatistics("main", 0.002, 0.3),),
        )
    )
    assert [(one.kind, one.now, one.detail) for one in readings] == [
        ("pool", "2 of 4 busy, 1 of them blocked", "3 queued, for 50 ms; 1 refused"),
        ("resource pool", "3 of 5 lent, 1 idle", "7 waits, 500 ms in all; 2 closed as broken"),
        ("lock", "held by thread a", "3 waits, 250 ms in all"),
        ("read-write lock", "2 read, thread c writes next", "no waits before"),
        ("semaphore", "3 of 4 permits out", "no waits before"),
        ("cache", "7 of 100 kept", "80% of 10 answered at once; 3 pushed out; 1 refreshes failed"),
        ("batcher", "5 of 100 pending, 2 kept out", "40 in 3 batches"),
        ("worker", "runs", ""),
        ("loop", "2 ms late", "at most 300 ms in the last minute"),
    ]
    assert judge(readings).is_calm


def test_what_fails_is_told_before_what_is_slow_and_a_stalled_loop_limits() -> None:
    slow = PoolStatistics("p", 2, 2, 2, 9, 100, 5.0, 0, 0, 0)
    broken = WorkerStatistics("writer", False, 3, "disk full")
    assert judge(read(Snapshot(pools=(slow,), workers=(broken,)))).title == "The worker writer fails"
    assert judge(read(Snapshot(loops=(LoopStatistics("main", 0.8, 0.8),)))).title == "The loop main limits now"


def test_of_very_many_things_those_that_matter_are_listed() -> None:
    calm = tuple(LockStatistics(f"m{number:04}", (), (), 0, 0.0) for number in range(READINGS + 50))
    late = LockStatistics("zz", ("thread a",), (Waiting("thread b", 2.0),), 0, 0.0)
    view = view_of(Snapshot(locks=(*calm, late)))
    assert (len(view.readings), view.hidden) == (READINGS, 51)
    assert view.readings[0].name == "zz"
    assert "51 more are not shown" in as_text(view)


def test_without_anything_the_text_says_so() -> None:
    assert "Nobody waits for anything." in as_text(view_of(Snapshot()))


def gate(**figures: Any) -> GateStatistics:
    workload = {
        "name": "dashboard",
        "priority": "interactive",
        "share": 0.5,
        "in_flight": 0,
        "waiting": 0,
        "tenants_waiting": 0,
        "arrivals_total": 0,
        "done_total": 0,
        "ignored_total": 0,
        "dropped_total": 0,
        "cancelled_total": 0,
        **figures,
    }
    workloads = (WorkloadStatistics(**workload), WorkloadStatistics(**{**workload, **QUIET}))
    return GateStatistics("pages", 8, figures.get("in_flight", 0), False, False, (), workloads)


QUIET = {"name": "account", "in_flight": 0, "waiting": 0, "oldest_wait_s": 0.0, "refused": ()}


def test_a_gate_tells_of_each_workload_its_line_and_its_refusals_by_reason() -> None:
    refused = (Refused("full", 12), Refused("tenant", 1_003))
    crowded = gate(in_flight=8, waiting=14, oldest_wait_s=0.4, done_total=1_204, cancelled_total=2, refused=refused)
    found = read(Snapshot(gates=(crowded,)))
    assert [(one.kind, one.name, one.state, one.load) for one in found] == [
        ("gate", "pages: dashboard", "crowded", 22),
        ("gate", "pages: account", "calm", 0),
    ]
    assert found[0].now == "8 in flight, 8 of 8 seats taken; 14 in line, the first for 400 ms"
    assert found[0].detail == "1,204 done, 2 left; refused: 12 full, 1,003 tenant"
    assert judge(found).title == "The gate pages: dashboard limits now"


def test_a_gate_in_shadow_tells_what_it_would_have_refused() -> None:
    (one, _) = read(Snapshot(gates=(gate(shed=(Refused("wait", 5),)),)))
    assert one.detail == "0 done; to be refused, were it not a shadow: 5 wait"
