"""So many a second, evenly."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Constant:
    """`rate_per_s` users a second for `duration_s`, at equal distances."""

    rate_per_s: float
    duration_s: float

    def instants(self) -> Iterator[float]:
        """See `OpenArrivals`."""
        number = 0
        # Multiplied, not added up: a million sums of a gap would drift.
        while (at := number / self.rate_per_s) < self.duration_s:
            yield at
            number += 1

    def __str__(self) -> str:
        return f"open, constant, {self.rate_per_s:g}/s for {self.duration_s:g} s"
