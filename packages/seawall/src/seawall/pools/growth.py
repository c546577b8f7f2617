"""How a pool's size follows its load: looks at a crew and has `core.sizing` decide."""

from __future__ import annotations

from collections import deque
from typing import TYPE_CHECKING

from seawall.core.sizing import Bounds, Look, Machine, decide
from seawall.core.statistics import Growth

if TYPE_CHECKING:
    from seawall.pools.crew import Crew

KEPT_DECISIONS = 20

STANDSTILL_S = 0.05
"""How long a pool that cannot grow must have stood still before a spare thread is tried. Waits that come right by
themselves are shorter; a person notices no less than twice that."""


class Pace:
    """What the looks at one crew have found. Used by the pacer's thread alone, but for `decisions`."""

    __slots__ = ("_begun_total", "_last_reason", "_moved_s", "decisions")

    def __init__(self) -> None:
        self.decisions: deque[Growth] = deque(maxlen=KEPT_DECISIONS)
        self._begun_total = 0
        self._moved_s = 0.0
        self._last_reason = ""

    def begin(self, crew: Crew, now_s: float) -> None:
        """Work waits, for the first time since a while."""
        self._begun_total = crew.begun_total()
        self._moved_s = now_s

    def look(self, crew: Crew, now_s: float, machine: Machine) -> None:
        """Grow or shrink the crew by at most one thread."""
        begun_total = crew.begun_total()
        taken, self._begun_total = begun_total - self._begun_total, begun_total
        if taken:
            self._moved_s = now_s
        allowed = crew.allowed
        look = Look(
            allowed=allowed,
            threads=crew.count,
            blocked=crew.blocked(),
            queued=len(crew.queue),
            oldest_s=crew.queue_age_s(now_s),
            taken=taken,
            still_s=now_s - self._moved_s,
        )
        decision = decide(look, Bounds(crew.eager, crew.max_threads), machine)
        if decision.allowed != allowed:
            crew.allow(decision.allowed)
        if decision.allowed != allowed or (decision.reason.startswith("veto") and decision.reason != self._last_reason):
            self.note(now_s, allowed, decision.allowed, decision.reason)
        self._last_reason = decision.reason
        if look.still_s >= STANDSTILL_S and allowed >= crew.max_threads and crew.stands_still():
            self._moved_s = now_s  # the next one no sooner than that
            crew.add_spare_or_fail_oldest()

    def note(self, now_s: float, before: int, after: int, reason: str) -> None:
        """Keep a decision for the snapshot."""
        self.decisions.append(Growth(at_s=now_s, before=before, after=after, reason=reason))
