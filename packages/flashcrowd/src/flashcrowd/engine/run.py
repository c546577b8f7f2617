"""One run: has users come at their instants, sees them through, and says what came of it."""

from __future__ import annotations

import asyncio
import gc
import resource
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import accumulate
from random import Random
from typing import Protocol

from flashcrowd.arrivals.closed import Closed
from flashcrowd.clock import RunClock, monotonic
from flashcrowd.engine import machine, void
from flashcrowd.engine.connections import Connections
from flashcrowd.engine.heads import Heads
from flashcrowd.engine.plan import Plan
from flashcrowd.engine.record import Record
from flashcrowd.engine.session import Visit
from flashcrowd.engine.wake import Alarm
from flashcrowd.errors import BadInput, RequestFailed
from flashcrowd.result import RunResult, Second
from flashcrowd.samples import Reading, Sample
from seawall.clock import SYSTEM_CLOCK

SETTLING_S = 0.1
"""Between the last preparation and the first user."""
STARTED_AT_ONCE = 32
"""So many users are started in a row when they are due; then the loop may read answers."""
REACH_S = 10.0
TICK_S = 0.25
CLOSED_PROBE_S = 0.01
"""Closed users have no instant to be late for, so this is how often their generator's own lateness is asked for."""


@dataclass(frozen=True, slots=True)
class Progress:
    """A run at one moment."""

    at_s: float
    duration_s: float
    users: int
    arrived: int
    requests: int
    errors: Mapping[str, int]
    last: Second | None
    """The last second that is over."""
    reading: Reading | None
    """What the target said last."""


@dataclass(frozen=True, slots=True)
class Finished:
    """What came of a run, and a part of its requests for whoever looks closer."""

    result: RunResult
    samples: tuple[Sample, ...]
    one_in: int
    """`samples` are every so-manieth request."""

    @property
    def under_load(self) -> tuple[Sample, ...]:
        """Those of `samples` that were meant to be sent while users came: what is sent afterwards is of a load that ebbs."""
        return tuple(sample for sample in self.samples if sample.intended_s < self.result.duration_s)


Watch = Callable[[Progress], None]


class Looker(Protocol):
    """What takes readings of the target meanwhile: `flashcrowd.probe.probe.Probe`."""

    @property
    def readings(self) -> list[Reading]:
        """Those taken so far, by the run's clock."""
        ...

    async def run(self) -> None:
        """Takes readings until cancelled."""
        ...


class Run:
    """Carries out a plan, once. `watch` is called four times a second on the run's loop, so it must be quick."""

    def __init__(self, plan: Plan, *, watch: Watch | None = None, probe: Looker | None = None) -> None:
        self._plan = plan
        self._watch = watch
        self._probe = probe
        self._random = Random(plan.seed)
        self._weights = list(accumulate(cls.weight for cls in plan.users))
        self._heads = Heads()
        self._under_way: set[asyncio.Task[None]] = set()
        self._came = 0
        self._over = False
        self._coming: asyncio.Task[None] | None = None
        self.clock = RunClock(monotonic())
        """Of all instants of the run, once it has begun."""

    def stop(self) -> None:
        """Has nobody come any more, and cuts off those under way. The run is reported as far as it came."""
        self._over = True
        if self._coming is not None:
            self._coming.cancel()

    async def execute(self) -> Finished:
        """Runs. Raises `BadInput` where nothing answers, or a class of users can't be prepared."""
        _allow_descriptors(self._plan.limits.connections + 100)
        connections = Connections(self._plan.limits.connections, verify=self._plan.verify)
        try:
            await connections.reach(self._plan.target.origin, REACH_S)
            await self._prepare(connections)
            with _uninterrupted():
                return await self._measure(connections)
        finally:
            await connections.close()

    async def _prepare(self, connections: Connections) -> None:
        for cls in self._plan.users:
            visit = Visit(self._plan.target, connections, self._heads, None, cls, None)
            try:
                await cls.prepare(cls(visit, -1, self._plan.seed, self._plan.data))
            except BadInput:
                raise
            except Exception as error:
                raise BadInput(f"{cls.__name__}.prepare", f"failed: {_said(error)}") from error
            finally:
                visit.close()

    async def _measure(self, connections: Connections) -> Finished:
        plan, arrivals = self._plan, self._plan.arrivals
        began = datetime.fromtimestamp(SYSTEM_CLOCK.time() + SETTLING_S, UTC)
        clock = self.clock
        clock.began_s = monotonic() + SETTLING_S
        record = Record(clock, arrivals.duration_s)
        alarm = Alarm(asyncio.get_running_loop())
        come = self._stay if isinstance(arrivals, Closed) else self._arrive
        self._coming = asyncio.create_task(come(clock, record, connections, alarm))
        ticking = asyncio.create_task(self._tick(clock, record))
        beside = [ticking] if self._probe is None else [ticking, asyncio.create_task(self._probe.run())]
        try:
            await asyncio.wait({self._coming})
            if not self._coming.cancelled():
                self._coming.result()
            took_s = min(arrivals.duration_s, clock.now())
            await self._drain()
        finally:
            self._coming.cancel()
            for task in (*beside, *self._under_way):
                task.cancel()
            await asyncio.gather(self._coming, *beside, *self._under_way, return_exceptions=True)
            alarm.close()
        record.finish()
        why = void.reason(record, plan.limits)
        result = RunResult(
            target=plan.url,
            users=plan.users_name,
            arrivals=str(arrivals),
            began=began.isoformat(timespec="milliseconds"),
            duration_s=round(took_s, 3),
            seed=plan.seed,
            requests=record.requests,
            good=sum(tally.good for tally in record.tallies.values()),
            goodput_per_s=round(record.good_in_time / took_s, 3) if took_s > 0 else 0.0,
            offered_per_s=None if isinstance(arrivals, Closed) or took_s <= 0 else round(record.meant / took_s, 3),
            errors=record.errors(),
            latency_ms=record.latency().latency(),
            lateness_ms=record.lateness.latency(),
            void=bool(why),
            void_reason=why,
            steps=record.steps(),
            seconds=tuple(record.seconds),
            readings=tuple(self._readings()),
            verdict=None,
            machine=machine.describe(),
            arrived=record.arrived,
            unfinished=record.unfinished,
            reasons=dict(sorted(record.reasons.items(), key=lambda item: -item[1])),
        )
        return Finished(result, tuple(record.samples), record.one_in)

    def _readings(self) -> list[Reading]:
        return self._probe.readings if self._probe is not None else []

    async def _arrive(self, clock: RunClock, record: Record, connections: Connections, alarm: Alarm) -> None:
        """Open arrivals: starts each user at its instant, as far as it can."""
        arrivals = self._plan.arrivals
        assert not isinstance(arrivals, Closed)
        in_a_row = 0
        for at_s in arrivals.instants():
            due_s = clock.began_s + at_s
            if due_s > monotonic():
                await alarm.until(due_s)
                in_a_row = 0
            elif (in_a_row := in_a_row + 1) >= STARTED_AT_ONCE:
                await asyncio.sleep(0)
                in_a_row = 0
            if len(self._under_way) >= self._plan.limits.users:
                record.unstarted += 1
                continue
            task = asyncio.create_task(self._visit(record, connections, due_s))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        await alarm.until(clock.began_s + arrivals.duration_s)

    async def _stay(self, clock: RunClock, record: Record, connections: Connections, alarm: Alarm) -> None:
        """Closed arrivals: all come within the first second, and stay; then this asks how late the generator is."""
        arrivals = self._plan.arrivals
        assert isinstance(arrivals, Closed)
        within_s = min(1.0, arrivals.duration_s / 10)
        for number in range(arrivals.users):
            due_s = clock.began_s + within_s * number / arrivals.users
            if due_s > monotonic():
                await alarm.until(due_s)
            task = asyncio.create_task(self._again(record, connections, due_s))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
        ends_s = clock.began_s + arrivals.duration_s
        due_s = monotonic()
        while due_s < ends_s:
            await alarm.until(due_s)
            record.lateness.add(monotonic() - due_s)
            due_s = max(due_s, monotonic()) + CLOSED_PROBE_S
        self._over = True

    async def _again(self, record: Record, connections: Connections, due_s: float) -> None:
        meant_s: float | None = due_s
        while not self._over:
            await self._visit(record, connections, meant_s)
            meant_s = None
            await asyncio.sleep(0)  # users who do nothing at all leave the loop to the others

    async def _visit(self, record: Record, connections: Connections, meant_s: float | None) -> None:
        """One user, from coming to leaving."""
        plan = self._plan
        number, self._came = self._came, self._came + 1
        cls = plan.users[0]
        if len(plan.users) > 1:
            cls = self._random.choices(plan.users, cum_weights=self._weights)[0]
        record.come()
        visit = Visit(plan.target, connections, self._heads, record, cls, meant_s)
        try:
            user = cls(visit, number, plan.seed, plan.data)
            for act in cls.steps:
                await act(user)
                visit.settle()
        except RequestFailed:
            pass  # it is counted, and the user leaves
        except Exception as error:  # noqa: BLE001 - the users' own code: an answer it can't take, or a mistake
            if not visit.mark_wrong(_said(error)):
                record.crashes += 1
                record.crash = record.crash or _said(error)
        finally:
            visit.close()
            record.leave()

    async def _drain(self) -> None:
        """Sees those through who have come, as long as the most patient of them would wait."""
        if self._over and not isinstance(self._plan.arrivals, Closed):
            return
        if self._under_way:
            patience_s = max(self._plan.limits.drain_s, *(cls.timeout_s for cls in self._plan.users))
            await asyncio.wait(set(self._under_way), timeout=patience_s)

    async def _tick(self, clock: RunClock, record: Record) -> None:
        while True:
            await asyncio.sleep(TICK_S)
            record.roll()
            if self._watch is not None:
                self._watch(
                    Progress(
                        clock.now(),
                        self._plan.arrivals.duration_s,
                        record.users,
                        record.arrived,
                        record.requests,
                        record.errors(),
                        record.seconds[-1] if record.seconds else None,
                        self._readings()[-1] if self._readings() else None,
                    )
                )


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """What would make the generator late, kept away: nothing here makes cycles for each request, so that collections of all
    objects can be rare; and a thread that looks at the target gives the interpreter back within half a millisecond."""
    thresholds, switch_s = gc.get_threshold(), sys.getswitchinterval()
    gc.collect()
    gc.freeze()
    gc.set_threshold(100_000, 50, 1000)
    sys.setswitchinterval(0.0005)
    try:
        yield
    finally:
        sys.setswitchinterval(switch_s)
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def _allow_descriptors(wanted: int) -> None:
    """As many as wanted and allowed. Where that is too few, opening a connection fails, and makes the run void."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        limit = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, limit), hard))


def _said(error: Exception) -> str:
    return f"{type(error).__name__}: {error}"
