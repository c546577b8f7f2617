"""A snapshot in words: one reading for each named thing, and what limits now. Pure; for any page that shows it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, TypeVar

from seawall.core.gate_statistics import GateStatistics, Refused, WorkloadStatistics
from seawall.core.pool_statistics import CacheStatistics, ResourcePoolStatistics
from seawall.core.room_statistics import RoomStatistics
from seawall.core.statistics import (
    BatcherStatistics,
    FlightStatistics,
    LockStatistics,
    LoopStatistics,
    PoolStatistics,
    ReadWriteLockStatistics,
    SemaphoreStatistics,
    Snapshot,
    WorkerStatistics,
)
from seawall.core.waiting import Waiting

S = TypeVar("S")
State = Literal["calm", "busy", "crowded", "failing"]

CROWDED_S = 0.1
"""Something that keeps others waiting for longer than this is worth a look: it is what a person begins to notice."""

HOLDERS = 4
"""How many holders a reading names."""


@dataclass(frozen=True, slots=True)
class Reading:
    """One thing now. `load` is what a line of its past would draw; `pressure_s` how long somebody has waited for it.

    `holders` are the first few of those who have it, by names for which `observe.whereabouts` finds stacks.
    """

    kind: str
    name: str
    now: str
    detail: str
    load: float
    pressure_s: float
    state: State
    holders: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Verdict:
    """What limits now, in a title and a sentence; `limits` is its kind and name."""

    title: str
    reason: str
    is_calm: bool
    limits: tuple[str, str] | None = None


def read(snapshot: Snapshot) -> list[Reading]:
    """How everything stands, by kind and name."""
    return [
        *(_workload(gate, workload) for gate in snapshot.gates for workload in gate.workloads),
        *_each(_room, snapshot.rooms),
        *_each(_pool, snapshot.pools),
        *_each(_resource_pool, snapshot.resource_pools),
        *_each(_lock, snapshot.locks),
        *_each(_read_write_lock, snapshot.read_write_locks),
        *_each(_semaphore, snapshot.semaphores),
        *_each(_cache, snapshot.caches),
        *_each(_flight, snapshot.flights),
        *_each(_batcher, snapshot.batchers),
        *_each(_worker, snapshot.workers),
        *_each(_loop, snapshot.loops),
    ]


def judge(readings: Sequence[Reading]) -> Verdict:
    """What fails, or what somebody has waited longest for."""
    for one in readings:
        if one.state == "failing":
            return Verdict(f"The {one.kind} {one.name} fails", one.detail or one.now, False, (one.kind, one.name))
    worst = max(readings, key=lambda one: one.pressure_s, default=None)
    if worst is None or worst.pressure_s < CROWDED_S:
        return Verdict("Nothing limits now", "Nobody has waited for longer than a tenth of a second.", True)
    held = f"; held by {' and '.join(worst.holders)}" if worst.holders and "held by" not in worst.now else ""
    reason = f"{worst.now}{held}; {worst.detail}."
    reason = reason[0].upper() + reason[1:]
    return Verdict(f"The {worst.kind} {worst.name} limits now", reason, False, (worst.kind, worst.name))


def duration(seconds: float) -> str:
    """Seconds as people read them: `12 ms`, `3.9 s`, `5 min`."""
    if seconds < 1:
        return f"{seconds * 1000:.0f} ms"
    return f"{seconds:.1f} s" if seconds < 100 else f"{seconds / 60:.0f} min"


def _each(reading: Callable[[S], Reading], statistics: Iterable[S]) -> Iterator[Reading]:
    return map(reading, statistics)


def _workload(gate: GateStatistics, workload: WorkloadStatistics) -> Reading:
    now = f"{workload.in_flight:,} in flight, {gate.seats_taken:,} of {gate.limit:,} seats taken"
    if workload.waiting:
        now += f"; {workload.waiting:,} in line, the first for {duration(workload.oldest_wait_s)}"
    longest = workload.oldest_wait_s
    done = f"{workload.done_total:,} done"
    left = f", {workload.cancelled_total:,} left" if workload.cancelled_total else ""
    refused = _refused("refused", workload.refused) + _refused("to be refused, were it not a shadow", workload.shed)
    load = workload.in_flight + workload.waiting
    state = _state(longest, is_busy=workload.in_flight > 0)
    return Reading("gate", f"{gate.name}: {workload.name}", now, done + left + refused, load, longest, state)


def _refused(told: str, refused: Sequence[Refused]) -> str:
    by_reason = ", ".join(f"{one.total:,} {one.reason}" for one in refused if one.total)
    return f"; {told}: {by_reason}" if by_reason else ""


def _room(room: RoomStatistics) -> Reading:
    now = f"{room.waiting:,} wait, {room.due:,} called" if room.is_open else "nobody before a newcomer"
    if room.is_open and room.per_s is not None and room.expected_wait_s is not None:
        now += f"; {room.per_s:.1f} places a second, a newcomer waits {duration(room.expected_wait_s)}"
    detail = f"{room.joined_total:,} came, {room.in_total + room.late_total:,} let in, {room.missed_total:,} gave up"
    # What keeps people in the room is behind the gate: that is named first, where anybody waits for it.
    pressure_s = CROWDED_S if room.waiting else 0.0
    state = _state(pressure_s, is_busy=room.is_open)
    return Reading("waiting room", room.workload, now, detail, room.waiting, pressure_s, state)


def _pool(pool: PoolStatistics) -> Reading:
    blocked = f", {pool.blocked} of them blocked" if pool.blocked else ""
    queued = f"{pool.queued:,} queued, for {duration(pool.queue_age_s)}" if pool.queued else "nothing queued"
    refused = f"; {pool.refused_total:,} refused" if pool.refused_total else ""
    now = f"{pool.busy} of {pool.max_threads} busy{blocked}"
    state = _state(pool.queue_age_s, is_busy=pool.busy > 0)
    return Reading("pool", pool.name, now, queued + refused, pool.busy + pool.queued, pool.queue_age_s, state)


def _resource_pool(pool: ResourcePoolStatistics) -> Reading:
    longest = _longest(pool.waiters)
    now = f"{pool.in_use} of {pool.max_size} lent, {pool.idle} idle"
    if pool.waiters:
        now += f"; {_line(pool.waiters)}"
    broken = f"; {pool.broken_total:,} closed as broken" if pool.broken_total else ""
    detail = _waited(pool.waits_total, pool.wait_s_total) + broken
    load = pool.in_use + pool.waiting
    state = _state(longest, is_busy=pool.in_use > 0)
    return Reading("resource pool", pool.name, now, detail, load, longest, state, pool.holders[:HOLDERS])


def _lock(lock: LockStatistics) -> Reading:
    return _held("lock", lock, lock.holders, "free")


def _read_write_lock(lock: ReadWriteLockStatistics) -> Reading:
    inside = lock.readers + (() if lock.writer is None else (lock.writer,))
    reading = f"{len(lock.readers)} read" if lock.readers else "free"
    if lock.writer is not None:
        reading = f"{lock.writer} writes" if not lock.readers else f"{reading}, {lock.writer} writes next"
    return _held("read-write lock", lock, inside, reading)


def _semaphore(semaphore: SemaphoreStatistics) -> Reading:
    out = f"{max(0, semaphore.permits - semaphore.free)} of {semaphore.permits} permits out"
    is_busy = semaphore.free < semaphore.permits
    return _held("semaphore", semaphore, semaphore.holders, out, is_busy=is_busy)


def _held(
    kind: str,
    lock: LockStatistics | ReadWriteLockStatistics | SemaphoreStatistics,
    holders: tuple[str, ...],
    unless_waited_for: str,
    *,
    is_busy: bool | None = None,
) -> Reading:
    longest = _longest(lock.waiters)
    held = f"held by {holders[0]}" if kind == "lock" and holders else unless_waited_for
    now = _line(lock.waiters) if lock.waiters else held
    state = _state(longest, is_busy=bool(holders) if is_busy is None else is_busy)
    detail = _waited(lock.waits_total, lock.wait_s_total)
    return Reading(kind, lock.name, now, detail, len(lock.waiters), longest, state, holders[:HOLDERS])


def _cache(cache: CacheStatistics) -> Reading:
    asked = cache.hits_total + cache.stale_total + cache.misses_total
    hits = f"{(asked - cache.misses_total) / asked:.0%} of {asked:,} answered at once" if asked else "not asked yet"
    failed = f"; {cache.refreshes_failed_total:,} refreshes failed" if cache.refreshes_failed_total else ""
    evicted = f"; {cache.evicted_total:,} pushed out" if cache.evicted_total else ""
    now = f"{cache.items:,} of {cache.max_items:,} kept"
    return Reading("cache", cache.name, now, hits + evicted + failed, cache.items, 0.0, "calm")


def _flight(flight: FlightStatistics) -> Reading:
    now = f"{flight.in_flight:,} under way for {flight.waiting:,}" if flight.in_flight else "nothing under way"
    detail = f"{flight.started_total:,} begun, {flight.shared_total:,} shared"
    if flight.failed_total:
        detail += f", {flight.failed_total:,} failed"
    state: State = "busy" if flight.in_flight else "calm"
    return Reading("flight", flight.name, now, detail, flight.in_flight, 0.0, state)


def _batcher(batcher: BatcherStatistics) -> Reading:
    now = f"{batcher.pending:,} of {batcher.capacity:,} pending"
    if batcher.waiting:
        now += f", {batcher.waiting:,} kept out"
    detail = batcher.last_error or f"{batcher.items_total:,} in {batcher.batches_total:,} batches"
    state = "failing" if batcher.last_error else _state(batcher.pending_age_s, is_busy=batcher.pending > 0)
    return Reading("batcher", batcher.name, now, detail, batcher.pending, batcher.pending_age_s, state)


def _worker(worker: WorkerStatistics) -> Reading:
    now = "runs" if worker.is_running else "does not run"
    state: State = "calm" if worker.is_running else "failing"
    return Reading("worker", worker.name, now, worker.last_error or "", worker.failures_total, 0.0, state)


def _loop(loop: LoopStatistics) -> Reading:
    state: State = "crowded" if loop.max_lag_s > CROWDED_S else "calm"
    detail = f"at most {duration(loop.max_lag_s)} in the last minute"
    return Reading("loop", loop.name, f"{duration(loop.lag_s)} late", detail, loop.lag_s, loop.lag_s, state)


def _longest(waiters: Sequence[Waiting]) -> float:
    return max((waiting.waited_s for waiting in waiters), default=0.0)


def _line(waiters: Sequence[Waiting]) -> str:
    longest = duration(_longest(waiters))
    return f"{len(waiters):,} wait, the first for {longest}" if len(waiters) > 1 else f"one waits, for {longest}"


def _waited(waits_total: int, wait_s_total: float) -> str:
    if not waits_total:
        return "no waits before"
    return f"{waits_total:,} {'wait' if waits_total == 1 else 'waits'}, {duration(wait_s_total)} in all"


def _state(pressure_s: float, *, is_busy: bool) -> State:
    if pressure_s >= CROWDED_S:
        return "crowded"
    return "busy" if is_busy else "calm"
