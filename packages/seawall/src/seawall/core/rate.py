"""A rate with a burst, as one number: the generic cell rate algorithm. Plain arithmetic, the same in every store.

Source: ITU-T I.371 (the virtual scheduling form). The number is when the bucket will be full again; each cost moves it
ahead by `cost / rate_per_s` seconds, and it may lie at most `burst / rate_per_s` ahead of now. What differs: where it lies
further ahead than that, because the clock was put back or the limit was made stricter, it is drawn in, so that a jump of
the clock holds nobody up for longer than an empty bucket would.
"""

from __future__ import annotations


def spend(full_at_s: float, *, rate_per_s: float, burst: float, cost: float, now_s: float) -> tuple[float, float]:
    """Take `cost` from the bucket. Returns the new `full_at_s` and 0, or the old one and the seconds until it would do."""
    window_s = burst / rate_per_s
    full_at_s = min(max(full_at_s, now_s), now_s + window_s)
    after_s = full_at_s + cost / rate_per_s
    over_s = after_s - (now_s + window_s)
    # Sums of floats miss by some 1e-7 at the size of a date; without the tolerance the last of a burst is refused at times.
    return (after_s, 0.0) if over_s <= 1e-6 else (full_at_s, over_s)
