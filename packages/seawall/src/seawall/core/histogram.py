"""How long things took, in a dozen buckets: constant in size, cheap to add to, and to be added up over processes."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass

BOUNDS_S = (0.0001, 0.0003, 0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)
"""Upper bounds, in seconds; a last bucket takes the rest. Two a decade, from the cost of a thread switch to the
longest wait that a person endures: finer ones would cost more series than they tell."""


@dataclass(frozen=True, slots=True)
class Distribution:
    """How many durations fell in each bucket of `BOUNDS_S` (one more for the rest), and what they came to (seconds)."""

    counts: tuple[int, ...] = (0,) * (len(BOUNDS_S) + 1)
    sum_s: float = 0.0

    @property
    def total(self) -> int:
        """How many there were."""
        return sum(self.counts)

    def __add__(self, other: Distribution) -> Distribution:
        counts = tuple(mine + yours for mine, yours in zip(self.counts, other.counts, strict=True))
        return Distribution(counts, self.sum_s + other.sum_s)


NOTHING = Distribution()
"""Of what has not happened yet."""


class Histogram:
    """A distribution that grows. Whoever adds must be alone; a reader may see the count without the sum."""

    __slots__ = ("_counts", "_sum_s")

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS_S) + 1)
        self._sum_s = 0.0

    def add(self, duration_s: float) -> None:
        """Count one duration."""
        self._counts[bisect_left(BOUNDS_S, duration_s)] += 1
        self._sum_s += duration_s

    def distribution(self) -> Distribution:
        """What it came to so far."""
        return Distribution(tuple(self._counts), self._sum_s)
