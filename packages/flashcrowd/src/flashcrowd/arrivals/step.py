"""Several rates one after the other."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from flashcrowd.arrivals import pieces


@dataclass(frozen=True, slots=True)
class Steps:
    """Each of `rates_per_s` for an equal part of `duration_s`."""

    rates_per_s: tuple[float, ...]
    duration_s: float

    def instants(self) -> Iterator[float]:
        """See `OpenArrivals`."""
        each_s = self.duration_s / len(self.rates_per_s)
        return pieces.instants((rate, each_s) for rate in self.rates_per_s)

    def __str__(self) -> str:
        rates = ", ".join(f"{rate:g}/s" for rate in self.rates_per_s)
        return f"open, step, {rates}, {self.duration_s / len(self.rates_per_s):g} s each"
