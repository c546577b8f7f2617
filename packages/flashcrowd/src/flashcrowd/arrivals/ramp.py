"""From one rate to another, in a straight line."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import sqrt


@dataclass(frozen=True, slots=True)
class Ramp:
    """The rate goes evenly from `from_per_s` to `to_per_s` within `duration_s`; either may be 0, not both."""

    from_per_s: float
    to_per_s: float
    duration_s: float

    def instants(self) -> Iterator[float]:
        """See `OpenArrivals`. The n-th user comes when the area under the rate is n."""
        slope = (self.to_per_s - self.from_per_s) / self.duration_s
        number = 0
        while True:
            under_root = self.from_per_s**2 + 2 * slope * number
            if under_root < 0:
                return
            divisor = self.from_per_s + sqrt(under_root)
            at = 2 * number / divisor if divisor else 0.0
            if at >= self.duration_s:
                return
            yield at
            number += 1

    def __str__(self) -> str:
        return f"open, ramp, {self.from_per_s:g}/s to {self.to_per_s:g}/s in {self.duration_s:g} s"
