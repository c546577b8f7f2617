"""Instants of a rate that is constant by pieces; what step and spike are made of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

TOLERANCE_S = 1e-9
"""A user who would come this shortly before the end of a piece comes at the start of the next: rounding decides nothing."""


def instants(pieces: Iterable[tuple[float, float]]) -> Iterator[float]:
    """`pieces` are (rate per second, seconds). The n-th user, from 0, comes when the area under the rate reaches n."""
    came, area, began = 0, 0.0, 0.0
    for rate_per_s, seconds in pieces:
        while rate_per_s > 0 and (at := (came - area) / rate_per_s) < seconds - TOLERANCE_S:
            yield began + max(0.0, at)
            came += 1
        area += rate_per_s * seconds
        began += seconds
