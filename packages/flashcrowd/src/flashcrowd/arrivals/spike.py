"""A steady rate, and a crowd for some seconds of it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flashcrowd.arrivals import pieces


@dataclass(frozen=True, slots=True)
class Spike:
    """`base_per_s` for `duration_s`, but `peak_per_s` from `begins_s` on for `lasts_s`."""

    base_per_s: float
    peak_per_s: float
    begins_s: float
    lasts_s: float
    duration_s: float

    def instants(self) -> Iterator[float]:
        """See `OpenArrivals`."""
        after_s = self.duration_s - self.begins_s - self.lasts_s
        return pieces.instants(
            [(self.base_per_s, self.begins_s), (self.peak_per_s, self.lasts_s), (self.base_per_s, after_s)]
        )

    def __str__(self) -> str:
        return (
            f"open, spike, {self.base_per_s:g}/s for {self.duration_s:g} s, "
            f"{self.peak_per_s:g}/s from {self.begins_s:g} s for {self.lasts_s:g} s"
        )
