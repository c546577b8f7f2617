"""Who goes in, who waits and who is told to come back: a gate's decisions, without clock, thread or I/O.

Whoever calls tells the time and carries out what was decided. Every change of a visit's state is made here, in one place,
so that it is counted exactly once: arrivals = done + refused + cancelled + waiting + in flight.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seawall.core.fairness import Place
from seawall.core.gate_statistics import Capacity, Refused, WorkloadStatistics
from seawall.core.histogram import Histogram
from seawall.core.limits import Limit, Outcome
from seawall.core.patience import expected_wait_s, retry_after_s, smoothed
from seawall.core.shares import Contender, Shares, Turns
from seawall.core.workload import Workload
from seawall.errors import Misuse

Reason = Literal["full", "wait", "tenant", "late", "closed"]
"""Why one is refused: the queue is *full*; it would have to *wait* longer than its deadline; the *tenant* has more waiting
than its part, while others would be let in; it has waited too long (*late*); the gate is *closed*."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Not let in: why, and in how many seconds to come back."""

    reason: Reason
    retry_after_s: float


class Visit:
    """One piece of work at the gate: *new*, then *waiting* or *inside*, then *over*. Its fields are the control's."""

    __slots__ = (
        "arrived_s", "cost", "estimate_s", "has_seat", "inside_s", "refusal", "spot", "state", "tenant", "turns",
        "until_s", "work",
    )  # fmt: skip

    def __init__(self, work: Work, tenant: str, cost: float) -> None:
        self.work = work
        self.tenant = tenant
        self.cost = cost
        self.state: Literal["new", "waiting", "inside", "over"] = "new"
        self.refusal: Refusal | None = None
        self.has_seat = False
        self.arrived_s = 0.0
        self.inside_s = 0.0
        self.until_s = 0.0
        self.spot: Place[object] | None = None
        self.turns: Turns | None = None
        self.estimate_s = 0.0


class Work(Contender):
    """A workload and what became of those who came for it."""

    __slots__ = (
        "arrivals", "cancelled", "done", "dropped", "ignored", "in_flight", "refused", "shed", "waiting_since_s", "waits",
    )  # fmt: skip

    def __init__(self, workload: Workload) -> None:
        super().__init__(workload)
        self.waiting_since_s = 0.0
        """Since when somebody waits, where somebody does."""
        self.arrivals = self.done = self.ignored = self.dropped = self.cancelled = self.in_flight = 0
        self.refused: dict[str, int] = {}
        self.shed: dict[str, int] = {}
        self.waits = Histogram()


class Control:
    """The state of one gate. For one thread at a time."""

    def __init__(self, limit: Limit, workloads: Sequence[Workload], is_shadow: bool = False) -> None:
        names = [workload.name for workload in workloads]
        if not names or len(set(names)) < len(names):
            raise Misuse(f"a gate needs workloads of different names, not {names}")
        claimed = sum(workload.share for workload in workloads)
        if claimed > 1 + 1e-9:
            raise Misuse(f"the shares of a gate's workloads come to {claimed:g}; there is only 1 to give")
        self.limit = limit
        self.works = {workload.name: Work(workload) for workload in workloads}
        self.is_shadow = is_shadow
        self.is_closed = False
        self.taken = 0
        self._shares = Shares(tuple(self.works.values()))
        self._shares.resize(limit.seats)
        self._waiting = 0

    # Coming.

    def enter(self, visit: Visit, now_s: float) -> bool:
        """Let `visit` in where that needs no thought: a seat is free that nobody waits for, or none is
        asked for. The usual case."""
        work = visit.work
        if (
            self.taken >= self._shares.limit
            or work.queue
            or work.busy >= work.seats_at_most
            or self.is_closed
            or work.workload.exempt
        ):
            if not work.workload.exempt:
                return False
        else:
            self.taken += 1
            work.busy += 1
            visit.has_seat = True
        work.arrivals += 1
        work.in_flight += 1
        visit.state = "inside"
        visit.arrived_s = visit.inside_s = now_s
        return True

    def refusal_for(
        self, work: Work, tenant: str, now_s: float, budget_s: float | None, chance: float
    ) -> Refusal | None:
        """What one would be told that came now; None where it would be let in or may wait. Changes nothing.

        `budget_s` is what the caller's own deadline leaves for waiting and being served, in seconds.
        """
        workload = work.workload
        if workload.exempt:
            return None
        if self.is_closed:
            return self._refusal("closed", work, chance)
        if self._has_room(work):
            return None
        queue = work.queue
        is_crowded = len(queue) >= workload.queue_limit
        if is_crowded and not self._is_lighter(work, tenant):
            return self._refusal("tenant" if self._has_more_than_others(work, tenant) else "full", work, chance)
        if self._is_too_long(work, queue.turn_of(tenant), now_s, budget_s):
            return self._refusal("tenant" if self._has_more_than_others(work, tenant) else "wait", work, chance)
        return None

    def arrive(self, visit: Visit, now_s: float, budget_s: float | None, chance: float) -> list[Visit]:
        """Let `visit` in, queue it or refuse it: its state says which. Returns the others whose state that changed."""
        if self.enter(visit, now_s):
            return []
        work = visit.work
        work.arrivals += 1
        visit.arrived_s = now_s
        refusal = self.refusal_for(work, visit.tenant, now_s, budget_s, chance)
        if refusal is not None:
            self._refuse(visit, refusal, now_s)
            return []
        changed: list[Visit] = []
        if len(work.queue) >= work.workload.queue_limit:
            changed.append(self._drop_heaviest(work, chance, now_s))
        patience_s = self._patience_s(work, now_s)
        visit.until_s = now_s + (patience_s if budget_s is None else min(patience_s, budget_s))
        if not work.queue:
            work.waiting_since_s = now_s
        visit.state = "waiting"
        visit.spot = work.queue.push(visit, visit.tenant, self._charge_of(visit))
        self._waiting += 1
        return [other for other in (*changed, *self.settle(now_s)) if other is not visit]

    def note_refused(self, work: Work, refusal: Refusal) -> None:
        """Count one that was refused without ever having been a visit."""
        work.arrivals += 1
        work.refused[refusal.reason] = work.refused.get(refusal.reason, 0) + 1

    # Leaving.

    def leave(self, visit: Visit, outcome: Outcome | Literal["cancelled"], now_s: float) -> list[Visit]:
        """`visit`, which is inside, is done. Returns those whose state that changed. Harmless when repeated."""
        if visit.state == "waiting":  # in shadow: it was let in, though its turn never came
            self._unqueue(visit)
            if now_s > visit.until_s:
                self._count_shed(visit.work, "late")
            self._let_in(visit, now_s)
        if visit.state != "inside":
            return []
        work = visit.work
        held_s = now_s - visit.inside_s
        was_wanted = self._waiting > 0 and self.taken >= self._shares.limit
        self._end(visit)
        work.in_flight -= 1
        if outcome == "cancelled":
            work.cancelled += 1
        else:
            work.done += 1
            work.ignored += outcome == "ignored"
            work.dropped += outcome == "dropped"
            if outcome == "success" and visit.has_seat:
                # In shadow it began when it came, though its turn came later.
                work.service_s = smoothed(work.service_s, now_s - visit.arrived_s if self.is_shadow else held_s)
        if visit.has_seat:
            self.taken -= 1
            work.busy -= 1
            if visit.turns is not None:
                self._shares.charge(visit.turns, held_s, visit.estimate_s)
            self.limit.left("ignored" if outcome == "cancelled" else outcome, now_s, was_wanted)
        return self.settle(now_s)

    def withdraw(self, visit: Visit, now_s: float) -> list[Visit]:
        """`visit` goes away by itself, waiting or inside: it is cancelled."""
        if visit.state == "waiting":
            self._unqueue(visit)
            self._end(visit)
            visit.work.cancelled += 1
            return self.settle(now_s)
        return self.leave(visit, "cancelled", now_s)

    def expire(self, visit: Visit, now_s: float, chance: float) -> list[Visit]:
        """`visit` has waited too long. Nothing happens where it is not waiting any more."""
        if visit.state != "waiting":
            return []
        self._unqueue(visit)
        self._refuse(visit, self._refusal("late", visit.work, chance), now_s)
        return self.settle(now_s)

    def delayed(self, delay_s: float, now_s: float) -> list[Visit]:
        """One that was let in had to wait for the resource itself."""
        self.limit.delayed(delay_s, now_s)
        return self.settle(now_s)

    def settle(self, now_s: float) -> list[Visit]:
        """Give free seats to those whose turn it is. Returns them, and those who were too late for it."""
        shares, limit = self._shares, self.limit
        if limit.seats != shares.limit:
            shares.resize(limit.seats)
        changed: list[Visit] = []
        while self._waiting and self.taken < shares.limit and (found := shares.next()) is not None:
            contender, turns = found
            visit = contender.queue.pop()
            assert isinstance(visit, Visit)
            self._waiting -= 1
            visit.spot = None
            if now_s <= visit.until_s:
                visit.work.waits.add(now_s - visit.arrived_s)
                self._take_seat(visit, turns)
                self._let_in(visit, now_s)
            else:
                if turns is not None:
                    shares.charge(turns, 0.0, contender.service_s or 0.0)
                self._refuse(visit, self._refusal("late", visit.work, 0.5), now_s)
            changed.append(visit)
        return changed

    # What is known.

    def position(self, visit: Visit) -> int | None:
        """How many of its workload go before `visit`; None where it does not wait."""
        return None if visit.spot is None else visit.work.queue.position(visit.spot)

    def wait_of(self, work: Work, ahead: int) -> float:
        """What one with so many ahead of it in this workload's queue would wait, in seconds."""
        return expected_wait_s(ahead, work.service_s, self._seats_of(work))

    def spare_seats(self, work: Work) -> int:
        """How many more of `work` could go in at once."""
        if work.queue:
            return 0
        return max(0, min(self._shares.limit - self.taken, work.seats_at_most - work.busy))

    def capacity(self, work: Work) -> Capacity:
        """What there is for `work`."""
        spare, workload = self.spare_seats(work), work.workload
        seats = max(self._seats_of(work), work.busy + spare)
        per_s = seats / work.service_s if work.service_s else None
        return Capacity(spare, len(work.queue), workload.queue_limit, workload.deadline_s, per_s)

    def is_empty(self) -> bool:
        """Whether nobody is inside or waits."""
        return not self._waiting and not any(work.in_flight for work in self.works.values())

    def statistics(self, work: Work, now_s: float) -> WorkloadStatistics:
        """How one workload stands."""
        return WorkloadStatistics(
            name=work.workload.name,
            priority=work.workload.priority,
            share=work.workload.share,
            in_flight=work.in_flight,
            waiting=len(work.queue),
            tenants_waiting=work.queue.tenants(),
            arrivals_total=work.arrivals,
            done_total=work.done,
            ignored_total=work.ignored,
            dropped_total=work.dropped,
            cancelled_total=work.cancelled,
            refused=tuple(Refused(reason, total) for reason, total in sorted(work.refused.items())),
            shed=tuple(Refused(reason, total) for reason, total in sorted(work.shed.items())),
            service_s=work.service_s,
            expected_wait_s=0.0 if self._has_room(work) else self.wait_of(work, work.queue.turn_of("")),
            capacity_per_s=self._seats_of(work) / work.service_s if work.service_s else None,
            spare_seats=self.spare_seats(work),
            oldest_wait_s=max((now_s - v.arrived_s for v in work.queue if isinstance(v, Visit)), default=0.0),
            waits=work.waits.distribution(),
        )

    # Steps.

    def _has_room(self, work: Work) -> bool:
        return self.taken < self._shares.limit and not work.queue and work.busy < work.seats_at_most

    def _seats_of(self, work: Work) -> float:
        """The seats whose departures `work` can count on: its share, or those it has."""
        return max(work.workload.share * self._shares.limit, work.busy, 1.0)

    def _patience_s(self, work: Work, now_s: float) -> float:
        """How long one that comes now may wait."""
        workload = work.workload
        is_burst = not work.queue or now_s - work.waiting_since_s < workload.burst_s
        return max(workload.deadline_s, workload.burst_s) if is_burst else workload.deadline_s

    def _is_too_long(self, work: Work, ahead: int, now_s: float, budget_s: float | None) -> bool:
        if not work.busy and not work.queue:
            # Nobody's leaving would ever put the forecast right: refused for it once, refused for good while others
            # take the seats. So one may always wait.
            return False
        wait_s = self.wait_of(work, ahead)
        return wait_s > self._patience_s(work, now_s) or (
            budget_s is not None and wait_s + (work.service_s or 0.0) > budget_s
        )

    def _is_lighter(self, work: Work, tenant: str) -> bool:
        """Whether another tenant has so much more in the full queue that its newest is to make room for this one.

        As fq_codel (RFC 8290) drops from the longest queue: else the tenant that fills it shuts the others out.
        """
        queue = work.queue
        if not queue:
            return False
        heaviest = queue.heaviest()
        left = queue.load_of(heaviest.tenant) - heaviest.charge
        return heaviest.tenant != tenant and left >= queue.load_of(tenant) + self._charge(work, tenant, 1.0)

    def _has_more_than_others(self, work: Work, tenant: str) -> bool:
        queue = work.queue
        return queue.load_of(tenant) * queue.tenants() > queue.load * (1 + 1e-9)

    def _drop_heaviest(self, work: Work, chance: float, now_s: float) -> Visit:
        visit = work.queue.heaviest().item
        assert isinstance(visit, Visit)
        self._unqueue(visit)
        self._refuse(visit, self._refusal("tenant", work, chance), now_s)
        return visit

    def _charge_of(self, visit: Visit) -> float:
        return self._charge(visit.work, visit.tenant, visit.cost)

    def _charge(self, work: Work, tenant: str, cost: float) -> float:
        return cost / work.workload.weights.get(tenant, 1.0)

    def _refusal(self, reason: Reason, work: Work, chance: float) -> Refusal:
        return Refusal(reason, retry_after_s(self.wait_of(work, len(work.queue)), chance))

    def _unqueue(self, visit: Visit) -> None:
        assert visit.spot is not None
        visit.work.queue.remove(visit.spot)
        visit.spot = None
        self._waiting -= 1

    def _take_seat(self, visit: Visit, turns: Turns | None) -> None:
        self.taken += 1
        visit.work.busy += 1
        visit.has_seat = True
        visit.turns = turns
        visit.estimate_s = visit.work.service_s or 0.0

    def _let_in(self, visit: Visit, now_s: float) -> None:
        visit.work.in_flight += 1
        visit.state = "inside"
        visit.inside_s = now_s

    def _refuse(self, visit: Visit, refusal: Refusal, now_s: float) -> None:
        if self.is_shadow and refusal.reason != "closed":
            self._count_shed(visit.work, refusal.reason)
            self._let_in(visit, now_s)
            return
        visit.refusal = refusal
        visit.work.refused[refusal.reason] = visit.work.refused.get(refusal.reason, 0) + 1
        self._end(visit)

    def _count_shed(self, work: Work, reason: Reason) -> None:
        work.shed[reason] = work.shed.get(reason, 0) + 1

    def _end(self, visit: Visit) -> None:
        visit.state = "over"
