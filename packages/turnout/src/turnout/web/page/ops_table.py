"""The table of operations: every named thing, how it stands now and over the last hour, and what limits now. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec

from seawall.core.statistics import LockStatistics, SemaphoreStatistics, Snapshot
from turnout.web.page.sparkline import trace

State = Literal["calm", "busy", "crowded", "failing"]

CROWDED_S = 0.1
"""Something that keeps others waiting for longer than this is worth a look."""
BEHIND_S = 5.0
LAG_S = 0.1


class Figures(msgspec.Struct, frozen=True, kw_only=True):
    """What the table is made of beside Seawall's snapshot."""

    journal_depth: int
    journal_age_s: float
    days_waiting: int


class Reading(msgspec.Struct, frozen=True):
    """One thing now. `load` is what its line over the last hour draws; `pressure_s` how long somebody has waited for it."""

    kind: str
    name: str
    now: str
    detail: str
    load: float
    pressure_s: float
    state: State


class OpsRow(msgspec.Struct, frozen=True):
    """A line of the table."""

    kind: str
    name: str
    now: str
    detail: str
    line: str
    state: State


class OpsTable(msgspec.Struct, frozen=True):
    """The whole page."""

    verdict: str
    reason: str
    is_calm: bool
    rows: tuple[OpsRow, ...]


def read(snapshot: Snapshot, figures: Figures) -> list[Reading]:
    """How everything stands, by kind and name."""
    readings = [
        Reading(
            "pool",
            pool.name,
            f"{pool.busy} of {pool.max_threads} busy",
            f"{pool.queued} queued, for {_duration(pool.queue_age_s)}" if pool.queued else "nothing queued",
            pool.busy + pool.queued,
            pool.queue_age_s,
            _state(pool.queue_age_s, is_busy=pool.busy > 0),
        )
        for pool in snapshot.pools
    ]
    locks: list[LockStatistics | SemaphoreStatistics] = [*snapshot.locks, *snapshot.semaphores]
    for lock in locks:
        longest = max((waiting.waited_s for waiting in lock.waiters), default=0.0)
        held = f"held by {lock.holders[0]}" if lock.holders else "free"
        detail = f"{lock.waits_total:,} waits, {_duration(lock.wait_s_total)} in all"
        now = f"{len(lock.waiters)} wait, the first for {_duration(longest)}" if lock.waiters else held
        readings.append(
            Reading(
                "lock", lock.name, now, detail, len(lock.waiters), longest, _state(longest, is_busy=bool(lock.holders))
            )
        )
    for batcher in snapshot.batchers:
        pending = f"{batcher.pending:,} of {batcher.capacity:,} pending"
        detail = f"{batcher.items_total:,} in {batcher.batches_total:,} batches"
        state = "failing" if batcher.last_error else _state(batcher.pending_age_s, is_busy=batcher.pending > 0)
        readings.append(
            Reading("batcher", batcher.name, pending, detail, batcher.pending, batcher.pending_age_s, state)
        )
    depth, age_s = figures.journal_depth, figures.journal_age_s
    readings.append(
        Reading(
            "journal",
            "events",
            f"{depth:,} not in the store yet",
            f"the oldest for {_duration(age_s)}" if depth else "level",
            depth,
            age_s if age_s > BEHIND_S else 0.0,
            "crowded" if age_s > BEHIND_S else "busy" if depth else "calm",
        )
    )
    for worker in snapshot.workers:
        waiting = f"{figures.days_waiting} days wait" if worker.name == "derive" and figures.days_waiting else ""
        readings.append(
            Reading(
                "worker",
                worker.name,
                "runs" if worker.is_running else "does not run",
                worker.last_error or waiting,
                worker.failures_total,
                0.0,
                "calm" if worker.is_running else "failing",
            )
        )
    for loop in snapshot.loops:
        late = loop.max_lag_s > LAG_S
        detail = f"at most {_duration(loop.max_lag_s)} in the last minute"
        readings.append(
            Reading(
                "loop",
                loop.name,
                f"{_duration(loop.lag_s)} late",
                detail,
                loop.lag_s,
                0.0,
                "crowded" if late else "calm",
            )
        )
    return readings


def draw_ops(readings: Sequence[Reading], history: Mapping[tuple[str, str], Sequence[float]]) -> OpsTable:
    """The page for these readings. `history`: earlier loads of each (kind, name), the oldest first."""
    rows = tuple(
        OpsRow(
            one.kind,
            one.name,
            one.now,
            one.detail,
            trace([*history.get((one.kind, one.name), ()), one.load]),
            one.state,
        )
        for one in readings
    )
    failing = [one for one in readings if one.state == "failing"]
    worst = max(readings, key=lambda one: one.pressure_s, default=None)
    if failing:
        one = failing[0]
        return OpsTable(f"The {one.kind} {one.name} fails", one.detail or one.now, False, rows)
    if worst is None or worst.pressure_s < CROWDED_S:
        return OpsTable("Nothing limits now", "Nobody has waited for longer than a tenth of a second.", True, rows)
    reason = f"Somebody has waited {_duration(worst.pressure_s)} for it: {worst.now}; {worst.detail}."
    return OpsTable(f"The {worst.kind} {worst.name} limits now", reason, False, rows)


def _state(pressure_s: float, *, is_busy: bool) -> State:
    if pressure_s >= CROWDED_S:
        return "crowded"
    return "busy" if is_busy else "calm"


def _duration(seconds: float) -> str:
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"
