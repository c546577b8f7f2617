"""How long somebody would have to wait, and when to come back: arithmetic on what is known at the door."""

from __future__ import annotations

LONGEST_RETRY_S = 120.0
"""Who is told to come back later than in two minutes does not come back."""

SMOOTHING = 0.1
"""The weight of the newest of a running mean: it forgets in some tens of departures."""


def smoothed(mean: float | None, value: float) -> float:
    """The running mean with one value more."""
    return value if mean is None else mean + (value - mean) * SMOOTHING


def expected_wait_s(ahead: int, service_s: float | None, seats: float) -> float:
    """What one with `ahead` others before it waits for a seat: one departure for each, and one for itself.

    By Little's law `seats` that are held for `service_s` seconds each are given back at `seats / service_s` a second. 0
    while no service time is known: then nobody is refused for it.
    """
    return 0.0 if service_s is None else (ahead + 1) * service_s / max(seats, 1e-3)


def retry_after_s(drain_s: float, chance: float) -> float:
    """When to come back, in seconds: once the queue has drained, spread over one drain time more; one second at least.

    `chance` is a random number from 0 to 1. Without the spread, all that were refused in one second would be back in one.
    """
    at_least_s = max(1.0, drain_s)
    return min(LONGEST_RETRY_S, at_least_s) * (1.0 + chance)
