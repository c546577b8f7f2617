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

SEEN = 10
"""What was seen in use less often when calm may be held for anything from half to twice of what it seems."""


class Gain(NamedTuple):
    """Peak with twice of it over the peak now, and what bounds it then; empty where nothing known does.

    The factor is None where what may bound it was seen too seldom to say.
    """

    factor: float | None
    next_bound: str


def predict_gain(load: Load, level: Level, widened: str) -> Gain:
    """The gain from twice of the resource with the key `widened` (`cpu` and `event loop` are those of the process)."""
    bounds = [
        (load.peak_per_s * hold.mean_s / use.capacity, hold.seen >= SEEN, use.name)
        for key, use in level.uses.items()
        if key != widened and use.capacity and (hold := load.calm_hold(key)) is not None
    ]
    if widened != "cpu" and level.cpu is not None and level.cores:
        # Of the process's time a part is for the looks themselves, which do not grow with the load: at most that.
        bounds.append((level.cpu / level.cores, True, "the CPU"))
    utilisation, is_sure, name = max(bounds, default=(0.0, True, ""))
    if utilisation * TWICE <= 1:
        return Gain(TWICE, "")
    return Gain(max(1.0, 1 / utilisation) if is_sure else None, name)
