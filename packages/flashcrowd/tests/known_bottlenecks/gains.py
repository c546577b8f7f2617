"""The gain that is predicted from widening a resource, and the one that comes when it is done."""

from __future__ import annotations

from dataclasses import dataclass

from known_bottlenecks.judge import judge, levels_of
from known_bottlenecks.record import record

LOADS = (0.3, 0.6, 1.2, 2.6)
"""Of what the narrow resource does: the last is more than the wide one does, too."""


@dataclass(frozen=True, slots=True)
class Widened:
    """One service before and after."""

    name: str
    before_per_s: float
    after_per_s: float
    predicted: float | None

    @property
    def measured(self) -> float:
        """Peak after over peak before."""
        return self.after_per_s / self.before_per_s


def compare(name: str, seed: int) -> Widened:
    """Run it as it is, and with twice of the planted resource, under the same crowd."""
    before = judge(record(name, seed, factors=LOADS, level_s=2.0))
    after = record(name, seed, widened=2, factors=LOADS, level_s=2.0)
    after_per_s = max(level.done_per_s for level in levels_of(after))
    predicted = before.verdict.predicted_gain if before.verdict else None
    return Widened(name, before.peak_per_s, after_per_s, predicted)
