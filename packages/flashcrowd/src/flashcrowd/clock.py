"""The run's own clock: seconds since it began."""

from __future__ import annotations

from collections.abc import Callable

from seawall.clock import SYSTEM_CLOCK

monotonic: Callable[[], float] = SYSTEM_CLOCK.monotonic
"""Seconds since some fixed moment. For what is kept between two instants of one process."""


class RunClock:
    """Counts from the start of a run; before it, the time is negative. Never goes back."""

    __slots__ = ("began_s",)

    def __init__(self, began_s: float) -> None:
        self.began_s = began_s
        """The start, by `monotonic`."""

    def now(self) -> float:
        """Seconds since the run began."""
        return monotonic() - self.began_s
