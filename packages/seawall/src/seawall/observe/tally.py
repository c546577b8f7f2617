"""What waiting and holding came to: the figures every lock keeps."""

from __future__ import annotations

from seawall.core.histogram import NOTHING, Distribution, Histogram
from seawall.runtime.threads import RawRLock


class Tally:
    """Wait and hold times of one resource (seconds). Any thread may add; touched only by waits, and at *timed*."""

    __slots__ = ("_guard", "_holds", "_waits", "wait_s_total", "waits_total")

    def __init__(self) -> None:
        # Re-entrant: the garbage collector may run code that waits while one adds.
        self._guard = RawRLock()
        self._waits: Histogram | None = (
            None  # guarded by self._guard; made when it is wanted, for most locks never wait
        )
        self._holds: Histogram | None = None  # guarded by self._guard
        self.waits_total = 0  # guarded by self._guard
        self.wait_s_total = 0.0  # guarded by self._guard

    def add(self, waited_s: float) -> None:
        """Count one wait."""
        with self._guard:
            self.waits_total += 1
            self.wait_s_total += waited_s
            if self._waits is None:
                self._waits = Histogram()
            self._waits.add(waited_s)

    def add_hold(self, held_s: float) -> None:
        """Put the time for which something was held in its histogram."""
        with self._guard:
            if self._holds is None:
                self._holds = Histogram()
            self._holds.add(held_s)

    def waits(self) -> Distribution:
        """The waits by length."""
        with self._guard:
            return NOTHING if self._waits is None else self._waits.distribution()

    def holds(self) -> Distribution:
        """The holds by length, while *timed*."""
        with self._guard:
            return NOTHING if self._holds is None else self._holds.distribution()
