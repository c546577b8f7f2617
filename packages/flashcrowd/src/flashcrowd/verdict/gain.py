"""What twice of a resource would bring, by the bounds of operational analysis.

With D seconds of a resource's time a request and c places of it, no more than c / D requests a second can go through (P. J.
Denning and J. P. Buzen, "The Operational Analysis of Queueing Network Models", 1978). Twice of the resource that binds
moves its own bound to twice the peak; what comes then is the nearest of the others' bounds.
"""

from __future__ import annotations

from typing import NamedTuple

from flashcrowd.verdict.level import Level
from flashcrowd.verdict.load import Load

TWICE = 2.0


class Gain(NamedTuple):
    """Peak with twice of it over the peak now, and what bounds it then; empty where nothing known does."""

    factor: float
    next_bound: str


def predict_gain(load: Load, level: Level, widened: str) -> Gain:
    """The gain from twice of the resource with the key `widened` (`cpu` and `event loop` are those of the process)."""
    bounds = [
        (load.peak_per_s * hold_s / use.capacity, use.name)
        for key, use in level.uses.items()
        if key != widened and use.capacity and (hold_s := load.calm_hold_s(key)) is not None
    ]
    if widened != "cpu" and level.cpu is not None and level.cores:
        # Of the process's time a part is for the looks themselves, which do not grow with the load: at most that.
        bounds.append((level.cpu / level.cores, "the CPU"))
    utilisation, name = max(bounds, default=(0.0, ""))
    if utilisation * TWICE <= 1:
        return Gain(TWICE, "")
    return Gain(max(1.0, 1 / utilisation), name)
