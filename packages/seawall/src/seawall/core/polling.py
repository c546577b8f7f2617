"""How soon a waiter asks a server again: plain arithmetic. Whoever is next asks often, the others seldom."""

from __future__ import annotations

FIRST_S = 0.005
"""About what a short section under a lease takes; less would only load the server."""

NEXT_AT_MOST_S = 0.02
"""How long a lease that another process has freed may lie idle before the next in line looks. The second looks half as often,
the third a third, since one does not know when one has moved up: a long line asks some hundred times a second in all."""

OTHERS_AT_MOST_S = 0.5
"""A small part of `PLACE_S`, so that a place is not lost between two looks of a busy process."""

PLACE_S = 5.0
"""How long a place in line lasts unasked for: what a waiter that was killed can hold up those behind it."""


def look_again_s(place: int, permits: int, looks: int, chance: float) -> float:
    """Seconds until the next look of a waiter that has looked `looks` times. `chance`, from 0 to 1, spreads them."""
    ahead = max(0, place - permits + 1)
    at_most_s = min(NEXT_AT_MOST_S * (1 + ahead), OTHERS_AT_MOST_S)
    return min(FIRST_S * 2.0 ** min(looks, 10), at_most_s) * (0.5 + chance / 2)
