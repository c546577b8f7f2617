"""Durations, counted in buckets that are as wide as a thousandth of what they hold.

The idea of HdrHistogram (Gil Tene, http://hdrhistogram.org): a fixed relative precision over any range. Its Python library
takes two and a half times as long for a value, of which there are three a request, holds 188 KB for each name, and needs
build tools at run time. Buckets here are kept in a dictionary, so that an empty one costs nothing.
"""

from __future__ import annotations

from flashcrowd.result import Latency

PRECISION_BITS = 10
"""A bucket's width is at most 2⁻¹⁰ of its lower bound: 0.1 %."""


def bucket(seconds: float) -> int:
    """The lower bound, in microseconds, of the bucket in which a duration falls."""
    micros = int(seconds * 1e6)
    if micros < 1 << PRECISION_BITS + 1:
        return micros if micros > 0 else 0
    shift = micros.bit_length() - PRECISION_BITS - 1
    return micros >> shift << shift


class Histogram:
    """Counts durations in seconds, to a microsecond below one millisecond and to 0.1 % above it."""

    __slots__ = ("_buckets", "count", "max_s")

    def __init__(self) -> None:
        # By the lower bound of each, in microseconds. At most 1,024 for each power of two: some 30,000 up to an hour.
        self._buckets: dict[int, int] = {}
        self.count = 0
        self.max_s = 0.0

    def add(self, seconds: float) -> None:
        """Counts one; what is below 0 counts as 0."""
        self.add_to(bucket(seconds), seconds)

    def add_to(self, micros: int, seconds: float) -> None:
        """Counts one whose `bucket` is known."""
        buckets = self._buckets
        buckets[micros] = buckets.get(micros, 0) + 1
        self.count += 1
        if seconds > self.max_s:
            self.max_s = seconds

    def merge(self, other: Histogram) -> None:
        """Adds what `other` counted."""
        buckets = self._buckets
        for micros, count in other._buckets.items():
            buckets[micros] = buckets.get(micros, 0) + count
        self.count += other.count
        self.max_s = max(self.max_s, other.max_s)

    def percentiles_s(self, *shares: float) -> list[float]:
        """For each share (0 to 1, ascending), the duration that this share of all does not exceed; 0 where there are none."""
        found: list[float] = []
        wanted = [max(1, -int(-share * self.count // 1)) for share in shares]
        seen = 0
        for micros in sorted(self._buckets):
            seen += self._buckets[micros]
            while len(found) < len(wanted) and seen >= wanted[len(found)]:
                found.append(min(micros / 1e6, self.max_s))
        return found + [0.0] * (len(wanted) - len(found))

    def latency(self) -> Latency:
        """What it came to, in milliseconds."""
        p50, p95, p99 = (seconds * 1000 for seconds in self.percentiles_s(0.5, 0.95, 0.99))
        return Latency(self.count, round(p50, 3), round(p95, 3), round(p99, 3), round(self.max_s * 1000, 3))
