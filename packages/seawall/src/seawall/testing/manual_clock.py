"""A clock that stands still until the test moves it."""

from __future__ import annotations


class ManualClock:
    """A `seawall.clock.Clock` whose time passes only by `advance`.

    >>> clock = ManualClock(time_s=1_700_000_000.0)
    >>> clock.advance(30)
    >>> clock.time()
    1700000030.0
    """

    def __init__(self, *, time_s: float = 0.0, monotonic_s: float = 0.0) -> None:
        self._time_s = time_s
        self._monotonic_s = monotonic_s

    def monotonic(self) -> float:
        """Seconds since the clock was made, plus `monotonic_s`."""
        return self._monotonic_s

    def time(self) -> float:
        """Seconds since 1970-01-01 UTC."""
        return self._time_s

    def advance(self, by_s: float) -> None:
        """Let `by_s` seconds pass. Raises ValueError when negative: use `set_time` for a clock that is put back."""
        if by_s < 0:
            raise ValueError(f"by_s must be 0 or more, not {by_s}")
        self._monotonic_s += by_s
        self._time_s += by_s

    def set_time(self, time_s: float) -> None:
        """Set the wall clock, as an operator or NTP may; the monotonic clock does not notice."""
        self._time_s = time_s
