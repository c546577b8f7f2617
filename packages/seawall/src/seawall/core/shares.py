"""Whose turn it is among workloads: what is kept for each, and who gets the rest.

Three rules, each asked only where the one before leaves several or none:

1. *Whole seats of a share.* Who has fewer seats than its share has whole ones comes first, the one furthest below it.
2. *The rest of the shares.* With 4 seats, shares of 0.3 keep one whole seat each; the remaining fifth of a seat of each,
   and the seats that no share claims, take turns in time: each is charged the seconds it held a seat over its weight, and
   the least charged goes next. So a share of 0.1 of a single seat is a tenth of that seat's time, not nothing and not all.
3. *By priority*, for the seats that no share claims or that nobody else wants; among equals who has fewest seats, then who
   has waited longest for a turn.

Rule 2 is the stride scheduling of Waldspurger (1995) with the time charged when it is known, as Linux's CFS does: an
estimate when the seat is taken, put right when it is given back. Nobody inside is interrupted: a seat that was lent comes
back when its holder leaves, so a workload that wants its share waits for one departure at most for each seat.
"""

from __future__ import annotations

from collections.abc import Sequence

from seawall.core.fairness import FairQueue
from seawall.core.workload import RANKS, Workload

UNCLAIMED = "unclaimed"


class Turns:
    """Who was charged how much for time on a seat that several take turns at."""

    __slots__ = ("charged", "weight")

    def __init__(self, weight: float) -> None:
        self.weight = weight
        self.charged = 0.0


class Contender:
    """A workload with its seats and its queue."""

    __slots__ = ("busy", "last_turn", "queue", "rank", "rest", "seats_at_most", "service_s", "whole", "workload")

    def __init__(self, workload: Workload) -> None:
        self.workload = workload
        self.rank = RANKS[workload.priority]
        self.queue: FairQueue[object] = FairQueue()
        self.busy = 0
        self.whole = 0
        self.seats_at_most = 1
        self.rest = Turns(0.0)
        self.service_s: float | None = None  # of late; None until one has been served
        self.last_turn = 0


class Shares:
    """The seats of one gate. Knows no clock; for one thread at a time."""

    def __init__(self, workloads: Sequence[Contender]) -> None:
        self._contenders = tuple(workloads)
        self.limit = 0
        self.unclaimed = Turns(0.0)
        self._time = 0.0
        self._turn = 0

    def resize(self, limit: int) -> None:
        """Let there be `limit` seats."""
        self.limit = limit
        claimed = 0.0
        for contender in self._contenders:
            workload = contender.workload
            seats = workload.share * limit
            claimed += seats
            contender.whole = int(seats + 1e-9)
            contender.rest.weight = max(0.0, seats - contender.whole)
            contender.seats_at_most = workload.seats_at_most(limit)
        self.unclaimed.weight = max(0.0, limit - claimed)

    def next(self) -> tuple[Contender, Turns | None] | None:
        """Who gets a free seat, and at whose charge; None where nobody waits who may have one."""
        waiting = [c for c in self._contenders if c.queue and c.busy < c.seats_at_most]
        if not waiting:
            return None
        self._turn += 1
        below = [c for c in waiting if c.busy < c.whole]
        if below:
            chosen = min(below, key=lambda c: (c.busy / c.whole, c.rank, c.last_turn))
            chosen.last_turn = self._turn
            return chosen, None
        turns: Turns = self.unclaimed
        owner: Contender | None = None
        candidates = [c for c in waiting if c.rest.weight > 1e-9 and c.busy == c.whole]
        is_open = self.unclaimed.weight > 1e-9
        if candidates:
            first = min(candidates, key=lambda c: (self._charged(c.rest), c.rank, c.last_turn))
            if not is_open or self._charged(first.rest) < self._charged(self.unclaimed):
                owner, turns = first, first.rest
        chosen = owner or min(waiting, key=lambda c: (c.rank, c.busy, c.last_turn))
        chosen.last_turn = self._turn
        if turns.weight <= 1e-9:
            return chosen, None  # lent: nobody else wants it
        self._time = turns.charged = self._charged(turns)
        turns.charged += (chosen.service_s or 0.0) / turns.weight
        return chosen, turns

    def charge(self, turns: Turns, held_s: float, estimate_s: float) -> None:
        """Put right what was charged for a seat that is given back."""
        if turns.weight > 1e-9:
            turns.charged += (held_s - estimate_s) / turns.weight

    def _charged(self, turns: Turns) -> float:
        # Who did not want any for a while has not saved it up.
        return max(turns.charged, self._time)
