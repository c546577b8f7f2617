"""How long it may take and when to look in again: what a waiting room tells those who wait."""

from __future__ import annotations

from math import ceil, log1p

SOONEST_LOOK_S = 1.0
"""Nobody is asked to look in more often. What is called comes half of it later, on average."""

LATEST_LOOK_S = 60.0
"""A page that has not moved for longer seems dead."""

LOOKS_PER_S = 400.0
"""Those who wait for long are to look in so often at most, all together. At 0.1 ms each that is 4 % of a core."""

LIVELY_S, LIVELY_PER_S = 5.0, 100.0
"""Where few wait they may look in every five seconds, since a place that is seen to fall makes waiting shorter: as long as
that is no more than so many looks a second, all together."""

NEARER = 2 / 3
"""Where many wait, the next look comes after this part of the time that is left."""

QUICKENS = 0.05
"""By what part the line is taken to get quicker in a second at most, for who is not to be called while asleep."""

SPREAD = 0.2
"""By so much a look is put off or brought forward at random, so that a crowd does not fall in step."""


def estimate_s(place: int, per_s: float | None) -> float | None:
    """How long until `place` is called, in seconds; None while the line's speed is not known."""
    return None if not per_s else place / per_s


def told_s(estimate_s: float) -> int:
    """An estimate as it is told: rounded up to what it is worth, in seconds.

    It is off by about as much as the line's speed varies, a fifth or so. So 5 s up to 30, 10 s up to a minute, half
    minutes up to 5, whole ones up to 20, then 5 minutes.
    """
    for up_to_s, step_s in ((30, 5), (60, 10), (300, 30), (1200, 60)):
        if estimate_s <= up_to_s:
            return max(step_s, ceil(estimate_s / step_s - 1e-9) * step_s)
    return ceil(estimate_s / 300) * 300


def look_s(place: int, estimate_s: float | None, waiting: int, chance: float) -> float:
    """After how many seconds somebody at `place` is to look in again. `chance` is a random number from 0 to 1.

    Just before its turn could come at the soonest, if the line's pace rose from now on as fast as it can. So nobody is called
    while it sleeps, and a holder looks in the more often the nearer it is. Where so many wait that this would be more than
    `LOOKS_PER_S`, they sleep longer, but not for more than two thirds of the time left; so all together look in at most
    `LOOKS_PER_S` + 9 × (numbers called in a second) times a second, however many wait.
    """
    if place <= 0:
        wanted_s = SOONEST_LOOK_S
    elif estimate_s is None:
        wanted_s = SOONEST_LOOK_S + place / LOOKS_PER_S  # soon, since it is known soon
    else:
        soonest_s = min(LATEST_LOOK_S, log1p(QUICKENS * estimate_s) / QUICKENS) * (1 - SPREAD)
        wanted_s = max(soonest_s, min(estimate_s * NEARER, waiting / LOOKS_PER_S))
    wanted_s = min(wanted_s, max(LIVELY_S, waiting / LIVELY_PER_S))
    latest_s = max(LATEST_LOOK_S, waiting / LOOKS_PER_S)
    return max(SOONEST_LOOK_S, min(latest_s, wanted_s)) * (1 + SPREAD * (2 * chance - 1))
