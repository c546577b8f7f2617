"""A snapshot as OpenMetrics text, for `/metrics`. Format: https://prometheus.io/docs/specs/om/open_metrics_spec/."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from seawall.core.histogram import BOUNDS_S, NOTHING, Distribution
from seawall.core.statistics import Snapshot

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
        series = f'{label}="{_escaped(name)}"'
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
        lines.extend(
            f'{family}{suffix}{{{label}="{_escaped(name)}"}} {_number(value)}' for name, value in added.items()
        )
    return lines


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')


def _number(value: float) -> str:
    return repr(int(value)) if value == int(value) else repr(value)
