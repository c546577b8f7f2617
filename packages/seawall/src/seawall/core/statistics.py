"""What each kind of resource says of itself, and the snapshot of all: frozen, plain data."""

from __future__ import annotations

from dataclasses import dataclass

from seawall.core.gate_statistics import GateStatistics
from seawall.core.histogram import NOTHING, Distribution
from seawall.core.pool_statistics import CacheStatistics, ResourcePoolStatistics
from seawall.core.room_statistics import RoomStatistics
from seawall.core.waiting import Waiting
from seawall.errors import Wait


@dataclass(frozen=True, slots=True)
class LockStatistics:
    """A mutex. `waits_total` counts the entries that had to wait, `wait_s_total` what they waited (seconds).

    `waits` has them by length; `holds` has the entries by length, at level *timed*.
    """

    name: str
    holders: tuple[str, ...]
    waiters: tuple[Waiting, ...]
    waits_total: int
    wait_s_total: float
    waits: Distribution = NOTHING
    holds: Distribution = NOTHING


@dataclass(frozen=True, slots=True)
class SemaphoreStatistics:
    """A semaphore. `holders` are those inside a `with` or `async with`; permits taken otherwise have none."""

    name: str
    permits: int
    free: int
    holders: tuple[str, ...]
    waiters: tuple[Waiting, ...]
    waits_total: int
    wait_s_total: float
    waits: Distribution = NOTHING
    holds: Distribution = NOTHING


@dataclass(frozen=True, slots=True)
class ReadWriteLockStatistics:
    """A read-write lock. `writer` is inside, or next and waits for the last `readers` to leave. Both sides as one."""

    name: str
    readers: tuple[str, ...]
    writer: str | None
    waiters: tuple[Waiting, ...]
    waits_total: int
    wait_s_total: float
    waits: Distribution = NOTHING
    holds: Distribution = NOTHING


@dataclass(frozen=True, slots=True)
class Growth:
    """A decision on a pool's size: how many threads were allowed before and after it, and why (`at_s` monotonic)."""

    at_s: float
    before: int
    after: int
    reason: str


@dataclass(frozen=True, slots=True)
class PoolStatistics:
    """A thread pool. `queue_age_s` is how long the oldest queued work has waited, 0 where none does.

    `allowed` is how many threads the load justifies now; `blocked` of them wait in something that Seawall knows;
    `spare` ones were added because all others waited for each other; `inline_total` counts the work that its own
    waiter carried out. `decisions` are the last ones on its size, oldest first.
    """

    name: str
    threads: int
    max_threads: int
    busy: int
    queued: int
    queue_limit: int
    queue_age_s: float
    done_total: int
    refused_total: int
    cancelled_total: int
    blocked: int = 0
    allowed: int = 0
    spare: int = 0
    inline_total: int = 0
    decisions: tuple[Growth, ...] = ()


@dataclass(frozen=True, slots=True)
class BatcherStatistics:
    """A batcher. `pending` counts items put and not yet flushed, `waiting` the putters kept out by `capacity`."""

    name: str
    pending: int
    capacity: int
    waiting: int
    pending_age_s: float
    batches_total: int
    items_total: int
    failures_total: int
    restarts_total: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class FlightStatistics:
    """A single flight. `shared_total` counts the callers that joined work already under way."""

    name: str
    in_flight: int
    waiting: int
    started_total: int
    shared_total: int
    cancelled_total: int
    failed_total: int


@dataclass(frozen=True, slots=True)
class WorkerStatistics:
    """A supervised thread. `last_error` is the last exception of `run`, in words."""

    name: str
    is_running: bool
    failures_total: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class LoopStatistics:
    """How late an event loop runs its timers: the last look, and the worst of the last minute (seconds)."""

    name: str
    lag_s: float
    max_lag_s: float


@dataclass(frozen=True, slots=True)
class LeaseStatistics:
    """A lease or shared semaphore, as this process sees it. `tokens` are those it holds now, `failures_total` counts
    renewals and releases that the store did not answer."""

    name: str
    store: str
    permits: int
    tokens: tuple[int, ...]
    waiting: int
    acquired_total: int
    wait_s_total: float
    lost_total: int
    renewals_total: int
    failures_total: int
    last_error: str | None


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found since the process began; see `add_observer`, which is told of each."""

    deadlocks_total: int = 0
    inversions_total: int = 0
    long_holds_total: int = 0
    loop_stalls_total: int = 0
    leases_lost_total: int = 0
    observer_failures_total: int = 0


@dataclass(frozen=True, slots=True)
class Found:
    """One of the findings: when (`at_s`, seconds since 1970 UTC), what in one line, and where each of those in it stood.

    `kind` is *deadlock*, *inversion*, *long hold*, *loop stall* or *lost lease*. `stacks` has a pair of name and stack for
    each.
    """

    at_s: float
    kind: str
    told: str
    stacks: tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Every named resource that is open, at about one moment, each kind sorted by name.

    `waits` is who waits for whom just now, for what is *watched*; `deadlocks` are the last 16 found, oldest first.
    `found` has the last 16 of each kind of finding, oldest first.
    """

    locks: tuple[LockStatistics, ...] = ()
    semaphores: tuple[SemaphoreStatistics, ...] = ()
    read_write_locks: tuple[ReadWriteLockStatistics, ...] = ()
    pools: tuple[PoolStatistics, ...] = ()
    resource_pools: tuple[ResourcePoolStatistics, ...] = ()
    caches: tuple[CacheStatistics, ...] = ()
    batchers: tuple[BatcherStatistics, ...] = ()
    flights: tuple[FlightStatistics, ...] = ()
    workers: tuple[WorkerStatistics, ...] = ()
    loops: tuple[LoopStatistics, ...] = ()
    gates: tuple[GateStatistics, ...] = ()
    level: str = ""
    waits: tuple[Wait, ...] = ()
    deadlocks: tuple[tuple[Wait, ...], ...] = ()
    findings: Findings | None = None
    found: tuple[Found, ...] = ()
    leases: tuple[LeaseStatistics, ...] = ()
    rooms: tuple[RoomStatistics, ...] = ()
