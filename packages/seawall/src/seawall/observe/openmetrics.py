"""A snapshot as OpenMetrics text, for `/metrics`. Format: https://prometheus.io/docs/specs/om/open_metrics_spec/."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seawall.core.gate_statistics import GateStatistics
from seawall.core.histogram import BOUNDS_S, NOTHING, Distribution
from seawall.core.pool_statistics import CacheStatistics, ResourcePoolStatistics
from seawall.core.statistics import Snapshot
from seawall.observe.gate_metrics import gate_rows
from seawall.observe.room_metrics import room_rows

CONTENT_TYPE = "application/openmetrics-text; version=1.0.0; charset=utf-8"
"""The content type to answer with."""

Row = tuple[str, float]


def openmetrics(snapshot: Snapshot, *, eof: bool = True) -> str:
    """The snapshot's figures as OpenMetrics text. Pass `eof=False` to put metrics of your own before `# EOF`.

    Resources of one kind that share a name are added up, since a text with one series twice is not valid.
    """
    lines: list[str] = []
    for family in _families(snapshot):
        lines.extend(family)
    if eof:
        lines.append("# EOF")
    return "".join(f"{line}\n" for line in lines)


def _families(snapshot: Snapshot) -> Iterable[list[str]]:
    locks, semaphores, pools = snapshot.locks, snapshot.semaphores, snapshot.pools
    read_write_locks, findings = snapshot.read_write_locks, snapshot.findings
    batchers, flights, workers = snapshot.batchers, snapshot.flights, snapshot.workers
    yield _gauge("seawall_lock_waiters", "Waiting for the mutex.", "lock", [(s.name, len(s.waiters)) for s in locks])
    yield _waits("seawall_lock_wait_seconds", "lock", [(s.name, s.waits) for s in locks])
    yield _holds("seawall_lock_hold_seconds", "lock", [(s.name, s.holds) for s in locks])
    yield _gauge(
        "seawall_read_write_lock_waiters",
        "Waiting for either side.",
        "lock",
        [(s.name, len(s.waiters)) for s in read_write_locks],
    )
    yield _gauge(
        "seawall_read_write_lock_readers", "Reading.", "lock", [(s.name, len(s.readers)) for s in read_write_locks]
    )
    yield _waits("seawall_read_write_lock_wait_seconds", "lock", [(s.name, s.waits) for s in read_write_locks])
    yield _holds("seawall_read_write_lock_hold_seconds", "lock", [(s.name, s.holds) for s in read_write_locks])
    yield _gauge(
        "seawall_semaphore_waiters",
        "Waiting for a permit.",
        "semaphore",
        [(s.name, len(s.waiters)) for s in semaphores],
    )
    yield _gauge("seawall_semaphore_free", "Free permits.", "semaphore", [(s.name, s.free) for s in semaphores])
    yield _waits("seawall_semaphore_wait_seconds", "semaphore", [(s.name, s.waits) for s in semaphores])
    yield _holds("seawall_semaphore_hold_seconds", "semaphore", [(s.name, s.holds) for s in semaphores])
    yield _gauge("seawall_pool_threads", "Threads alive.", "pool", [(s.name, s.threads) for s in pools])
    yield _gauge("seawall_pool_busy", "Threads at work.", "pool", [(s.name, s.busy) for s in pools])
    yield _gauge("seawall_pool_queued", "Work not yet begun.", "pool", [(s.name, s.queued) for s in pools])
    yield _gauge(
        "seawall_pool_queue_age_seconds",
        "Age of the oldest queued work.",
        "pool",
        [(s.name, s.queue_age_s) for s in pools],
    )
    yield _counter("seawall_pool_done", "Work carried out.", "pool", [(s.name, s.done_total) for s in pools])
    yield _counter("seawall_pool_refused", "Work refused.", "pool", [(s.name, s.refused_total) for s in pools])
    yield from _resource_pools(snapshot.resource_pools)
    yield from _caches(snapshot.caches)
    yield _gauge(
        "seawall_batcher_pending", "Items not flushed yet.", "batcher", [(s.name, s.pending) for s in batchers]
    )
    yield _gauge("seawall_batcher_waiting", "Putters kept out.", "batcher", [(s.name, s.waiting) for s in batchers])
    yield _counter(
        "seawall_batcher_batches", "Batches flushed.", "batcher", [(s.name, s.batches_total) for s in batchers]
    )
    yield _counter("seawall_batcher_items", "Items flushed.", "batcher", [(s.name, s.items_total) for s in batchers])
    yield _counter(
        "seawall_batcher_failures", "Batches failed.", "batcher", [(s.name, s.failures_total) for s in batchers]
    )
    yield _gauge("seawall_flight_in_flight", "Work under way.", "flight", [(s.name, s.in_flight) for s in flights])
    yield _counter("seawall_flight_started", "Work begun.", "flight", [(s.name, s.started_total) for s in flights])
    yield _counter(
        "seawall_flight_shared", "Callers that joined.", "flight", [(s.name, s.shared_total) for s in flights]
    )
    yield _counter(
        "seawall_worker_failures", "Failures of run.", "worker", [(s.name, s.failures_total) for s in workers]
    )
    yield _gauge("seawall_loop_lag_seconds", "Lateness of timers.", "loop", [(s.name, s.lag_s) for s in snapshot.loops])
    yield from _gates(snapshot.gates)
    yield from _labelled(room_rows(snapshot.rooms))
    leases = snapshot.leases
    yield _gauge("seawall_lease_held", "Held by this process.", "lease", [(s.name, len(s.tokens)) for s in leases])
    yield _gauge("seawall_lease_waiting", "Waiting for it here.", "lease", [(s.name, s.waiting) for s in leases])
    yield _counter("seawall_lease_lost", "Lost before given back.", "lease", [(s.name, s.lost_total) for s in leases])
    yield _counter(
        "seawall_lease_failures", "Renewals unanswered.", "lease", [(s.name, s.failures_total) for s in leases]
    )
    if findings is not None:
        yield _count("seawall_deadlocks", "Deadlocks found.", findings.deadlocks_total)
        yield _count("seawall_lock_order_inversions", "Inverted lock orders found.", findings.inversions_total)
        yield _count("seawall_long_holds", "Long holds found by the watchdog.", findings.long_holds_total)
        yield _count("seawall_loop_stalls", "Stalled loops found by the watchdog.", findings.loop_stalls_total)
        yield _count("seawall_observer_failures", "Observers that raised.", findings.observer_failures_total)


def _resource_pools(pools: Sequence[ResourcePoolStatistics]) -> Iterable[list[str]]:
    family, label = "seawall_resource_pool", "pool"
    yield _gauge(f"{family}_in_use", "Lent now.", label, [(s.name, s.in_use) for s in pools])
    yield _gauge(f"{family}_idle", "Open and not lent.", label, [(s.name, s.idle) for s in pools])
    yield _gauge(f"{family}_max_size", "The most that are lent at once.", label, [(s.name, s.max_size) for s in pools])
    yield _gauge(f"{family}_waiters", "Waiting for one.", label, [(s.name, s.waiting) for s in pools])
    yield _waits(f"{family}_wait_seconds", label, [(s.name, s.waits) for s in pools])
    yield _counter(f"{family}_created", "Made.", label, [(s.name, s.created_total) for s in pools])
    yield _counter(f"{family}_closed", "Closed.", label, [(s.name, s.closed_total) for s in pools])
    yield _counter(f"{family}_broken", "Closed as broken.", label, [(s.name, s.broken_total) for s in pools])


def _caches(caches: Sequence[CacheStatistics]) -> Iterable[list[str]]:
    family, label = "seawall_cache", "cache"
    yield _gauge(f"{family}_items", "Values kept.", label, [(s.name, s.items) for s in caches])
    yield _gauge(f"{family}_max_items", "The most that are kept.", label, [(s.name, s.max_items) for s in caches])
    yield _counter(f"{family}_hits", "Fresh values returned.", label, [(s.name, s.hits_total) for s in caches])
    yield _counter(f"{family}_stale", "Stale values returned.", label, [(s.name, s.stale_total) for s in caches])
    yield _counter(f"{family}_misses", "Callers that waited.", label, [(s.name, s.misses_total) for s in caches])
    failed = [(s.name, s.refreshes_failed_total) for s in caches]
    yield _counter(f"{family}_refreshes_failed", "Refreshes that raised.", label, failed)
    yield _counter(f"{family}_evicted", "Values pushed out.", label, [(s.name, s.evicted_total) for s in caches])


def _gates(gates: Sequence[GateStatistics]) -> Iterable[list[str]]:
    yield from _labelled(gate_rows(gates))
    waits = [(_labels({"gate": g.name, "workload": w.name}), w.waits) for g in gates for w in g.workloads]
    yield _waits("seawall_gate_wait_seconds", "", waits)


def _labelled(families: Iterable[tuple[str, str, str, list[tuple[dict[str, str], float]]]]) -> Iterable[list[str]]:
    for family, kind, help_text, rows in families:
        suffix = "_total" if kind == "counter" else ""
        yield _family(family, kind, help_text, "", [(suffix, [(_labels(labels), value) for labels, value in rows])])


def _gauge(family: str, help_text: str, label: str, rows: Sequence[Row]) -> list[str]:
    return _family(family, "gauge", help_text, label, [("", rows)])


def _counter(family: str, help_text: str, label: str, rows: Sequence[Row]) -> list[str]:
    return _family(family, "counter", help_text, label, [("_total", rows)])


def _count(family: str, help_text: str, value: int) -> list[str]:
    return [f"# TYPE {family} counter", f"# HELP {family} {help_text}", f"{family}_total {value}"]


def _waits(family: str, label: str, rows: Sequence[tuple[str, Distribution]]) -> list[str]:
    return _histogram(family, "Waits that were needed.", label, rows)


def _holds(family: str, label: str, rows: Sequence[tuple[str, Distribution]]) -> list[str]:
    # There are holds at level *timed* only; a family of zeros would look like locks that nobody takes.
    return _histogram(family, "How long it was held.", label, [row for row in rows if row[1].total])


def _histogram(family: str, help_text: str, label: str, rows: Sequence[tuple[str, Distribution]]) -> list[str]:
    if not rows:
        return []
    added: dict[str, Distribution] = {}
    for name, distribution in rows:
        added[name] = added.get(name, NOTHING) + distribution
    lines = [f"# TYPE {family} histogram", f"# UNIT {family} seconds", f"# HELP {family} {help_text}"]
    for name, distribution in added.items():
        series = _series(label, name)
        upto = 0
        for bound, count in zip((*(repr(bound_s) for bound_s in BOUNDS_S), "+Inf"), distribution.counts, strict=True):
            upto += count
            lines.append(f'{family}_bucket{{{series},le="{bound}"}} {upto}')
        lines.append(f"{family}_count{{{series}}} {upto}")
        lines.append(f"{family}_sum{{{series}}} {_number(distribution.sum_s)}")
    return lines


def _family(
    family: str, kind: str, help_text: str, label: str, samples: Sequence[tuple[str, Sequence[Row]]]
) -> list[str]:
    if not any(rows for _, rows in samples):
        return []
    lines = [f"# TYPE {family} {kind}"]
    if family.endswith("_seconds"):
        lines.append(f"# UNIT {family} seconds")
    lines.append(f"# HELP {family} {help_text}")
    for suffix, rows in samples:
        added: dict[str, float] = {}
        for name, value in rows:
            added[name] = added.get(name, 0) + value
        lines.extend(f"{family}{suffix}{{{_series(label, name)}}} {_number(value)}" for name, value in added.items())
    return lines


def _series(label: str, name: str) -> str:
    """One label and its value; without a label, `name` is the whole series, as `_labels` writes it."""
    return f'{label}="{_escaped(name)}"' if label else name


def _labels(labels: dict[str, str]) -> str:
    return ",".join(f'{label}="{_escaped(value)}"' for label, value in labels.items())


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) else repr(value)
