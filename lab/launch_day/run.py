"""One run: a step's service started afresh, a crowd sent, the recovery watched, the losses counted."""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lab.launch_day import crowd as flashcrowd
from lab.launch_day import recovery, standstill
from lab.launch_day.compose import compose
from lab.launch_day.crowd import Generator
from lab.launch_day.database import Database
from lab.launch_day.document import Load
from lab.launch_day.processes import Figures, Service, running
from lab.launch_day.requests import Tally, tally, void_reason
from lab.launch_day.seed import Crowd


@dataclass(frozen=True, slots=True)
class Plan:
    """How long a crowd comes, and for how long after it the service is watched."""

    load_s: float
    watch_s: float


@dataclass(frozen=True, slots=True)
class Result:
    """What one run showed. `lost_updates` is at least so many: what was counted for those who had left makes up for none."""

    offered_per_s: float
    goodput_per_s: float
    tally: Tally
    recovery_s: float | None
    watched_s: float
    backlog: int
    counted_views: int
    served_views: int
    lost_updates: int
    database_deadlocks: int
    memory_deadlocks: int
    pool_timeouts: int
    dropped: int
    void_reason: str = ""
    standstill: tuple[str, ...] = ()

    @property
    def void(self) -> bool:
        """Whether the generator was the limit, so that this says nothing about the service."""
        return bool(self.void_reason)

    def as_json(self, factor: float) -> Load:
        """One entry of `loads`."""
        return {
            "factor": factor,
            "offered_per_s": round(self.offered_per_s, 2),
            "goodput_per_s": round(self.goodput_per_s, 2),
            "p50_ms": round(self.tally.p50_ms),
            "p99_ms": round(self.tally.p99_ms),
            "recovery_s": None if self.recovery_s is None else round(self.recovery_s, 2),
            "watched_s": self.watched_s,
            "lost_updates": self.lost_updates,
            "served_views": self.served_views,
            "counted_views": self.counted_views,
            "deadlocks": self.database_deadlocks + self.memory_deadlocks,
            "database_deadlocks": self.database_deadlocks,
            "memory_deadlocks": self.memory_deadlocks,
            "locks_in_deadlock": list(self.standstill),
            "timeouts": self.tally.timeouts,
            "pool_timeouts": self.pool_timeouts,
            "refused": self.tally.refused,
            "errors": self.tally.errors,
            "wrong": self.tally.wrong,
            "slow": self.tally.slow,
            "good": self.tally.good,
            "sent": self.tally.sent,
            "backlog": self.backlog,
            "dropped": self.dropped,
            "lateness_ms": {"p99": round(self.tally.lateness_p99_ms, 1)},
            "void": self.void,
            "void_reason": self.void_reason,
        }


def run(
    mends: Sequence[str],
    database: Database,
    crowd: Crowd,
    directory: Path,
    plan: Plan,
    *,
    rate: float,
    coming: Generator = flashcrowd.coming,
) -> Result:
    """Send `rate` people a second, for as long as planned, to a service with these mends."""
    database.reset()
    deadlocks_before = database.deadlocks()
    with running(compose(mends), directory, database.url) as service:
        _warm_up(service, crowd)
        with coming(crowd, service.port, directory, rate=rate, seconds=plan.load_s) as people:
            ended_at = people.ends_at()
            time.sleep(max(0.0, ended_at - time.time()))
            backlog = _figures(service).in_flight
            probe = partial(recovery.opens_dashboard, service.port, crowd.visits[0])
            recovery_s = recovery.watch(probe, ended_at=ended_at, watch_s=plan.watch_s)
            came = people.wait()
        ring = () if recovery_s is not None else _ring(service)
        served = _figures(service).answers.get("dashboard 200", 0)
        counted = database.views()
    log = service.log.read_text(errors="replace")
    result = tally(came.requests)
    return Result(
        offered_per_s=rate,
        goodput_per_s=result.good / plan.load_s,
        tally=result,
        recovery_s=recovery_s,
        watched_s=plan.watch_s,
        backlog=backlog,
        counted_views=counted,
        served_views=served,
        lost_updates=max(0, served - counted),
        database_deadlocks=database.deadlocks() - deadlocks_before,
        memory_deadlocks=log.count("\nseawall.errors.Deadlock") + bool(ring),
        pool_timeouts=log.count("\nsqlalchemy.exc.TimeoutError"),
        dropped=came.dropped,
        void_reason=came.void_reason or void_reason(result, came.dropped),
        standstill=ring,
    )


def closed_rate(database: Database, crowd: Crowd, directory: Path, *, users: int, seconds: float) -> float:
    """Good answers a second of step 0 to `users` people who each wait for their answer and ask again."""
    database.reset()
    with running(compose(()), directory, database.url) as service:
        _warm_up(service, crowd)
        with flashcrowd.coming(crowd, service.port, directory, users=users, seconds=seconds) as people:
            requests = people.wait().requests
    return tally(requests).good / seconds


def _warm_up(service: Service, crowd: Crowd) -> None:
    """As it is in a service that has been up for a while: every site was looked at, somebody has signed in."""
    recovery.signs_in(service.port, crowd)
    for visit in {visit.site_id: visit for visit in crowd.visits}.values():
        recovery.opens_dashboard(service.port, visit)


def _figures(service: Service) -> Figures:
    try:
        return service.figures()
    except OSError:
        return Figures()


def _ring(service: Service) -> tuple[str, ...]:
    """The locks in a ring that is there in two looks a second apart."""
    source, file = service.source.read_text(), str(service.source)
    first = standstill.cycle_in(service.stacks(), source, file)
    time.sleep(1)
    return first if first and first == standstill.cycle_in(service.stacks(), source, file) else ()
