"""Which load to try next, to find the highest that a target holds: steps upward, then bisection."""

from __future__ import annotations

from dataclasses import dataclass

RISES = 1.05
"""Goodput that is not 5 % higher at twice the load has stopped rising: less than that is chance in levels of seconds."""

KEEPS_UP = 0.95
"""Goodput below 95 % of what was offered is not kept up with."""


@dataclass(frozen=True, slots=True)
class Tried:
    """What came of one load."""

    offered_per_s: float
    goodput_per_s: float
    promise_held: bool

    @property
    def held(self) -> bool:
        """True where the promise held and the target kept up."""
        return self.promise_held and self.goodput_per_s >= KEEPS_UP * self.offered_per_s


class KneeSearch:
    """Proposes loads and is told what came of each. Pure: it sends nothing, and takes no time of its own.

    Loads rise by `factor` from `start_per_s` until one does not hold, that is the promise breaks or goodput stays
    behind; one step more is tried where goodput still rose, to see the peak. Then the gap between the highest load
    that held and the lowest that did not is halved (by ratio) until it is narrower than `tolerance`. Where already the
    first load does not hold, the search goes down in the same way. It ends after `max_levels`, whatever it knows.
    """

    def __init__(
        self,
        *,
        start_per_s: float = 10.0,
        max_per_s: float = 100_000.0,
        min_per_s: float = 0.1,
        factor: float = 2.0,
        tolerance: float = 0.1,
        max_levels: int = 20,
    ) -> None:
        if not 0 < min_per_s <= start_per_s <= max_per_s or factor <= 1 or tolerance <= 0 or max_levels < 1:
            raise ValueError(
                "knee search: needs 0 < min_per_s <= start_per_s <= max_per_s, factor > 1, tolerance > 0, max_levels >= 1"
            )
        self._start_per_s, self._max_per_s, self._min_per_s = start_per_s, max_per_s, min_per_s
        self._factor, self._tolerance, self._max_levels = factor, tolerance, max_levels
        self._tried: list[Tried] = []

    @property
    def tried(self) -> tuple[Tried, ...]:
        """What was tried, in that order."""
        return tuple(self._tried)

    @property
    def holds_per_s(self) -> float | None:
        """The highest load that held with none below it that did not; None where none did."""
        fails = [one.offered_per_s for one in self._tried if not one.held]
        holds = [one.offered_per_s for one in self._tried if one.held and one.offered_per_s < min(fails, default=1e99)]
        return max(holds, default=None)

    @property
    def peak_per_s(self) -> float:
        """The highest goodput seen, 0 before the first load."""
        return max((one.goodput_per_s for one in self._tried), default=0.0)

    def tell(self, offered_per_s: float, goodput_per_s: float, *, promise_held: bool) -> None:
        """Say what came of a load: as it was offered, right answers a second, and whether the promise held."""
        self._tried.append(Tried(offered_per_s, goodput_per_s, promise_held))

    def next_load_per_s(self) -> float | None:
        """The load to try next; None at the end."""
        if not self._tried:
            return self._start_per_s
        if len(self._tried) >= self._max_levels:
            return None
        low, high = self.holds_per_s, min((one.offered_per_s for one in self._tried if not one.held), default=None)
        if high is None:
            highest = max(one.offered_per_s for one in self._tried)
            return min(highest * self._factor, self._max_per_s) if highest < self._max_per_s else None
        beyond = self._beyond()
        if beyond is not None:
            return beyond
        if low is None:
            lowest = min(one.offered_per_s for one in self._tried)
            return max(lowest / self._factor, self._min_per_s) if lowest > self._min_per_s else None
        return (low * high) ** 0.5 if high > low * (1 + self._tolerance) else None

    def _beyond(self) -> float | None:
        """One step more where the last one upward did not hold and still brought more: the peak lies beyond it."""
        ordered = sorted(self._tried, key=lambda one: one.offered_per_s)
        last = ordered[-1]
        before = max((one.goodput_per_s for one in ordered[:-1]), default=0.0)
        if last.held or self._tried[-1] is not last or last.offered_per_s >= self._max_per_s:
            return None
        if len(ordered) > 1 and last.goodput_per_s > RISES * before:
            return min(last.offered_per_s * self._factor, self._max_per_s)
        return None
