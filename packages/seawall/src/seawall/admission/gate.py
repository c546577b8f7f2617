"""A gate: decides, before work starts, who goes in, who waits and who is told to come back."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from random import random
from typing import Literal

from seawall.admission.admitted import Admitted
from seawall.clock import SYSTEM_CLOCK
from seawall.core.control import Control, Refusal, Visit, Work
from seawall.core.gate_statistics import Capacity, GateStatistics
from seawall.core.limits import Limit, Outcome
from seawall.core.patience import smoothed
from seawall.core.wait_graph import Need
from seawall.core.workload import Workload
from seawall.errors import DeadlineExceeded, Misuse, Overloaded
from seawall.locks.waiting import misuse_of_loop
from seawall.observe.registry import REGISTRY
from seawall.observe.server_timing import note_wait
from seawall.observe.settings import SETTINGS
from seawall.observe.waits import WAITS, OwnerNeed
from seawall.runtime.deadline import remaining_s, wait_limit_s
from seawall.runtime.park import TaskWaiter, ThreadWaiter
from seawall.runtime.threads import RawRLock
from seawall.runtime.who import Owner, name_of, running_loop, this_task

Step = Callable[[float], list[Visit]]

ASKED = 8
"""Of those inside, so many are asked whether they wait before all are."""


class Gate:
    """At most so many pieces of work inside at once; the others wait in short, fair queues or are refused at once.

    One gate stands before one resource, and `limit` says how many that has use for: `Fixed(4)`, or `Adaptive()`, which looks
    for the number. Handlers that compute and handlers that wait for a database are two resources, so two gates; streams
    (SSE, WebSocket) are a third, whose long stays then are nobody else's samples. `workloads` share the gate's seats by
    `share` and `priority`, see `Workload`.

    Whoever arrives goes in at once where a seat is free; else it is refused on arrival where it would not be let in within
    its workload's `deadline_s` and the ambient `deadline` (with the time it takes to be served), or where the queue is
    full; else it waits. One of a workload of which nobody is inside or waits may always wait: it puts a forecast right that
    was too long. Tenants of one workload wait with equal right by start-time fair queuing; in a full queue the tenant with
    most in it makes room. Within a tenant first come, first served, threads and tasks in one line. Nobody inside is ever
    interrupted.

    Entering raises `Overloaded` (`reason` is *full*, *wait*, *tenant* or *closed*, and `retry_after_s` spreads those who
    come back), `DeadlineExceeded` when the wait was over before its turn, `Deadlock` where every seat is held by who
    waits, in the end, for this one (from level *watched* on), and `Misuse` on an event loop's thread where a plain `with`
    would have to wait. A waiter that is cancelled leaves the queue at once, and passes on what it was given.

    With `is_shadow` all are let in at once, and the statistics tell what would have been `shed`.

    >>> gate = Gate("pages", Fixed(2), [Workload("dashboard", priority="interactive")])
    >>> with gate.admit_sync("dashboard", tenant="acme"):
    ...     gate.statistics().in_flight
    1
    """

    def __init__(self, name: str, limit: Limit, workloads: Sequence[Workload], *, is_shadow: bool = False) -> None:
        self.name = name
        self._control = Control(limit, workloads, is_shadow)
        # Guards the control and all below; held for a few steps only. Re-entrant, because the garbage collector may end a
        # coroutine that is inside, or a signal handler may run, in the middle of a step of this very thread.
        self._guard = RawRLock()
        self._is_deciding = False
        self._later: deque[Step] = deque()
        self._inside: dict[Admitted, None] = {}
        self._holders: tuple[Owner, ...] | None = None  # of seats; None after each change, until somebody asks
        self._drainers: list[ThreadWaiter | TaskWaiter] = []
        self._delay_s: float | None = None
        REGISTRY.add(self)

    @property
    def is_shadow(self) -> bool:
        """Whether it lets all in and only tells what it would have refused. May be set at any time."""
        return self._control.is_shadow

    @property
    def workloads(self) -> tuple[Workload, ...]:
        """Its workloads, as given."""
        return tuple(work.workload for work in self._control.works.values())

    def admit(self, workload: str, *, tenant: str = "", cost: float = 1.0) -> Admitted:
        """For `async with`: a seat for one piece of work of `workload`, waited for at the block's beginning.

        `cost` is what it weighs against others of its workload, above 0: a tenant that asks for twice as much gets half as
        many turns. It takes one seat whatever it costs. Raises Misuse for a workload that the gate has not; for what
        entering raises see the class. This call itself neither blocks nor counts.
        """
        work = self._work_of(workload)
        if cost <= 0:
            raise Misuse(f"gate {self.name}: cost must be above 0, not {cost}")
        return Admitted(self, work, tenant, cost)

    def admit_sync(self, workload: str, *, tenant: str = "", cost: float = 1.0) -> Admitted:
        """As `admit`, for `with` in a thread, which blocks until it is let in or refused."""
        return self.admit(workload, tenant=tenant, cost=cost)

    def refuse(self, workload: str, *, tenant: str = "") -> Refusal | None:
        """Refuse, and count, one that would be refused if it came now; None leaves it to `admit`, uncounted.

        For adapters that can say no more cheaply than by an exception. Does not block; in shadow always None.
        """
        work = self._work_of(workload)
        with self._guard:
            if self._is_deciding or self._control.is_shadow:
                return None
            refusal = self._control.refusal_for(work, tenant, SYSTEM_CLOCK.monotonic(), remaining_s(), random())
            if refusal is not None:
                self._control.note_refused(work, refusal)
        return refusal

    def observe_delay(self, delay_s: float) -> None:
        """Tell an adaptive limit how long one that is inside had to wait for the resource itself, in seconds.

        For what the gate can't see: the wait for a connection, say. Does not block. Ignored by a fixed limit.
        """
        if self._control.limit.wants_delays:
            self._delay_s = smoothed(self._delay_s, delay_s)
            self._decide(lambda now_s: self._control.delayed(delay_s, now_s))

    def expected_wait_s(self, workload: str, ahead: int) -> float:
        """What one with `ahead` others before it in this workload would wait, in seconds. Does not block."""
        with self._guard:
            return self._control.wait_of(self._work_of(workload), ahead)

    def spare_seats(self, workload: str) -> int:
        """How many more of this workload would be let in at once, now: what a waiting room may send. Does not block."""
        with self._guard:
            return self._control.spare_seats(self._work_of(workload))

    def capacity(self, workload: str) -> Capacity:
        """What there is for this workload: spare seats, who waits for one, departures a second. Does not block."""
        with self._guard:
            return self._control.capacity(self._work_of(workload))

    def shadow(self, is_shadow: bool) -> None:
        """Go into shadow, or out of it and refuse from now on. Those who wait then stay in line. Does not block."""
        with self._guard:
            self._control.is_shadow = is_shadow

    def close(self) -> None:
        """Refuse whoever comes from now on, with the reason *closed*. Those who wait are let in yet, and *exempt* work
        (health checks) always. It leaves the snapshot when the last is gone. Does not block."""
        with self._guard:
            self._control.is_closed = True
        self._tell_drained()

    def drain(self, *, timeout_s: float | None = None) -> None:
        """Close, and block until nobody is inside or waits. Raises DeadlineExceeded after `timeout_s` seconds."""
        self.close()
        waiter = ThreadWaiter()
        if self._is_to_be_awaited(waiter):
            self._end_drain(waiter, waiter.wait(wait_limit_s(timeout_s)))

    async def drain_async(self, *, timeout_s: float | None = None) -> None:
        """As `drain`, in a task: waits until nobody is inside or waits. DeadlineExceeded after `timeout_s` seconds."""
        self.close()
        waiter = TaskWaiter(this_task().get_loop())
        if self._is_to_be_awaited(waiter):
            try:
                is_drained = await waiter.wait(wait_limit_s(timeout_s))
            except BaseException:
                self._end_drain(waiter, was_told=True)
                raise
            self._end_drain(waiter, is_drained)

    def statistics(self) -> GateStatistics:
        """How it stands: seats, and by workload who is inside, who waits and what became of all others. Does not block."""
        control = self._control
        with self._guard:
            now_s = SYSTEM_CLOCK.monotonic()
            workloads = tuple(control.statistics(work, now_s) for work in control.works.values())
            holders = [visit.owner for visit in self._inside]
            taken, limit = control.taken, control.limit.seats
        return GateStatistics(
            name=self.name,
            limit=limit,
            seats_taken=taken,
            is_shadow=control.is_shadow,
            is_closed=control.is_closed,
            holders=tuple(name_of(owner) for owner in holders),
            workloads=workloads,
            delay_s=self._delay_s,
        )

    # What `Admitted` does.

    def _arrive(self, visit: Admitted) -> bool:
        """Whether it is in. If not, its `refusal` says why it never will be; or it has none, and is to wait."""
        control = self._control
        with self._guard:
            if self._is_deciding or visit.state != "new":
                raise self._misuse_of(visit)
            self._is_deciding = True
            try:
                now_s = SYSTEM_CLOCK.monotonic()
                is_in = control.enter(visit, now_s)
                if is_in:
                    self._inside[visit] = None
                    self._holders = None
                elif not control.is_shadow:
                    visit.refusal = control.refusal_for(visit.work, visit.tenant, now_s, remaining_s(), random())
                    if visit.refusal is not None:
                        control.note_refused(visit.work, visit.refusal)
                        visit.state = "over"
            finally:
                self._is_deciding = False
            if not self._later:
                return is_in
            changed = self._carry_out(self._later.popleft())
        self._tell(changed)
        return is_in

    def _misuse_of(self, visit: Admitted) -> Misuse:
        if visit.state != "new":
            return Misuse(f"gate {self.name}: what admit returns is for one block only; ask anew")
        return Misuse(f"gate {self.name}: entered from a finaliser or a signal handler, in the middle of a decision")

    def _leave(self, visit: Admitted, outcome: Outcome | Literal["cancelled"]) -> None:
        def step(now_s: float) -> list[Visit]:
            self._inside.pop(visit, None)
            return self._control.leave(visit, outcome, now_s)

        self._decide(step)

    async def _wait_in_task(self, visit: Admitted) -> None:
        if visit.refusal is not None:
            self._raise_refusal(visit)
        waiter = TaskWaiter(this_task().get_loop())
        if self._is_settled_on_arrival(visit, waiter):
            return
        is_watched = SETTINGS.level != "named"
        if is_watched:
            WAITS.begin(waiter, lambda: self._need_of(visit))
        try:
            if is_watched and not waiter.is_decided() and self._may_stand_still():
                WAITS.refuse_deadlock(waiter)
            was_told = await waiter.wait(self._limit_s(visit))
        except BaseException:
            self._give_up(visit)
            raise
        finally:
            if is_watched:
                WAITS.end(waiter)
        self._end_wait(visit, was_told)

    def _wait_in_thread(self, visit: Admitted) -> None:
        if visit.refusal is not None:
            self._raise_refusal(visit)
        if running_loop() is not None and not self._control.is_shadow:
            raise misuse_of_loop(f"gate {self.name}")
        waiter = ThreadWaiter()
        if self._is_settled_on_arrival(visit, waiter):
            return
        is_watched = SETTINGS.level != "named"
        if is_watched:
            WAITS.begin(waiter, lambda: self._need_of(visit))
        try:
            if is_watched and not waiter.is_decided() and self._may_stand_still():
                WAITS.refuse_deadlock(waiter)
            was_told = waiter.wait(self._limit_s(visit))
        except BaseException:
            self._give_up(visit)
            raise
        finally:
            if is_watched:
                WAITS.end(waiter)
        self._end_wait(visit, was_told)

    def _work_of(self, workload: str) -> Work:
        work = self._control.works.get(workload)
        if work is None:
            raise Misuse(f"gate {self.name} has no workload {workload!r}; it has {', '.join(self._control.works)}")
        return work

    def _place_of(self, visit: Admitted) -> int | None:
        with self._guard:
            position = self._control.position(visit)
        return None if position is None else position + 1

    # Steps of a wait.

    def _is_settled_on_arrival(self, visit: Admitted, waiter: ThreadWaiter | TaskWaiter) -> bool:
        control, budget_s = self._control, remaining_s()
        visit.waiter = waiter

        def step(now_s: float) -> list[Visit]:
            changed = control.arrive(visit, now_s, budget_s, random())
            if visit.state == "inside" or control.is_shadow:
                self._inside[visit] = None
            return changed

        self._decide(step)
        if visit.refusal is not None:
            self._raise_refusal(visit)
        return visit in self._inside

    def _limit_s(self, visit: Admitted) -> float:
        return max(0.0, visit.until_s - SYSTEM_CLOCK.monotonic())

    def _give_up(self, visit: Admitted) -> None:
        """Its task was cancelled, or its thread interrupted: what it was given goes to the next."""
        assert visit.waiter is not None
        visit.waiter.claim()

        def step(now_s: float) -> list[Visit]:
            self._inside.pop(visit, None)
            return self._control.withdraw(visit, now_s)

        self._decide(step)

    def _end_wait(self, visit: Admitted, was_told: bool) -> None:
        waiter = visit.waiter
        assert waiter is not None
        woke_s = SYSTEM_CLOCK.monotonic()
        visit.waited_s = woke_s - waiter.since_s
        note_wait("queue", visit.waited_s)
        if not was_told and waiter.claim():
            # A seat that came just after the time was up still counts: nothing is done then.
            self._decide(lambda now_s: self._control.expire(visit, now_s, random()))
        if visit.state == "over":
            self._raise_refusal(visit)
        self.observe_delay(woke_s - visit.inside_s)

    def _raise_refusal(self, visit: Admitted) -> None:
        refusal = visit.refusal
        if refusal is None or refusal.reason == "late":
            raise DeadlineExceeded(f"gate {self.name}", visit.waited_s)
        raise Overloaded(refusal.reason, refusal.retry_after_s)

    def _may_stand_still(self) -> bool:
        """Whether some of those inside wait for something: with a thousand seats, to ask all of them costs more than all
        the rest of a wait, and one that can go on will give its seat back."""
        with self._guard:
            some = [visit.owner for visit in islice(self._inside, ASKED) if visit.has_seat]
        return all(WAITS.is_blocked(owner) for owner in some)

    def _need_of(self, visit: Admitted) -> OwnerNeed | None:
        """See `observe.waits`: any one of those with a seat has to leave."""
        holders = self._holders
        if holders is None:
            with self._guard:
                holders = tuple(dict.fromkeys(other.owner for other in self._inside if other.has_seat))
                self._holders = holders
        # Looked at last: whoever was given a seat and has not been told yet is among the holders, and waits for nobody.
        if visit.state != "waiting" or not holders:
            return None
        return Need(f"gate {self.name}", holders, 1, None)

    # Deciding under the guard, and telling afterwards.

    def _decide(self, step: Step) -> None:
        with self._guard:
            if self._is_deciding:
                self._later.append(
                    step
                )  # inside another step of this thread, which carries this one out when it is done
                return
            changed = self._carry_out(step)
        if changed or self._control.is_closed:
            self._tell(changed)

    def _carry_out(self, step: Step | None) -> list[Visit]:
        changed: list[Visit] = []
        self._is_deciding = True
        try:
            while step is not None:
                changed += step(SYSTEM_CLOCK.monotonic())
                step = self._later.popleft() if self._later else None
        finally:
            self._is_deciding = False
        for visit in changed:
            if visit.state == "inside" and isinstance(visit, Admitted):
                self._inside[visit] = None
        self._holders = None
        return changed

    def _tell(self, visits: Iterable[Visit]) -> None:
        for visit in visits:
            waiter = visit.waiter if isinstance(visit, Admitted) else None
            if waiter is None or waiter.grant():
                continue
            if waiter.loop is not None and waiter.loop.is_closed():
                self._give_up(visit)  # type: ignore[arg-type]  # its task will never run
            # Otherwise it has decided to leave, and gives back what it was given by itself.
        if self._control.is_closed:
            self._tell_drained()

    def _tell_drained(self) -> None:
        with self._guard:
            if not self._control.is_empty():
                return
            drainers, self._drainers = self._drainers, []
        REGISTRY.remove(self)
        for waiter in drainers:
            waiter.grant()

    def _is_to_be_awaited(self, waiter: ThreadWaiter | TaskWaiter) -> bool:
        with self._guard:
            if self._control.is_empty():
                return False
            self._drainers.append(waiter)
            return True

    def _end_drain(self, waiter: ThreadWaiter | TaskWaiter, was_told: bool) -> None:
        if not waiter.claim():
            return  # drained
        with self._guard:
            if waiter in self._drainers:
                self._drainers.remove(waiter)
        if not was_told:
            raise DeadlineExceeded(f"gate {self.name}", SYSTEM_CLOCK.monotonic() - waiter.since_s)
