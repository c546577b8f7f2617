"""What one lease object counts for the snapshot."""

from __future__ import annotations

from typing import TYPE_CHECKING

from seawall.core.statistics import LeaseStatistics
from seawall.runtime.threads import RawLock

if TYPE_CHECKING:
    from seawall.dist.held import Held


class LeaseCounts:
    """Figures of the leases of one name in this process. From any thread."""

    def __init__(self) -> None:
        self._guard = RawLock()
        self._held: dict[int, Held] = {}  # guarded by self._guard, as is all below
        self._waiting = 0
        self._acquired_total = 0
        self._wait_s_total = 0.0
        self._lost_total = 0
        self._renewals_total = 0
        self._failures_total = 0
        self._last_error: str | None = None

    def waits(self) -> None:
        """Somebody begins to ask."""
        with self._guard:
            self._waiting += 1

    def waited(self, held: Held | None, for_s: float) -> None:
        """Somebody has it, or has given up."""
        with self._guard:
            self._waiting -= 1
            self._wait_s_total += for_s
            if held is not None:
                self._acquired_total += 1
                self._held[id(held)] = held

    def released(self, held: Held) -> None:
        """It is given back."""
        with self._guard:
            self._held.pop(id(held), None)

    def lost(self, held: Held) -> None:
        """It is lost."""
        with self._guard:
            self._lost_total += 1
            self._held.pop(id(held), None)

    def renewed(self, error: Exception | None) -> None:
        """A renewal has succeeded, or failed with `error`."""
        with self._guard:
            if error is None:
                self._renewals_total += 1
            else:
                self._note(error)

    def not_released(self, error: Exception) -> None:
        """The store could not be told of a release."""
        with self._guard:
            self._note(error)

    def statistics(self, name: str, store: str, permits: int) -> LeaseStatistics:
        """All of it."""
        with self._guard:
            return LeaseStatistics(
                name=name,
                store=store,
                permits=permits,
                tokens=tuple(sorted(held.token for held in self._held.values())),
                waiting=self._waiting,
                acquired_total=self._acquired_total,
                wait_s_total=self._wait_s_total,
                lost_total=self._lost_total,
                renewals_total=self._renewals_total,
                failures_total=self._failures_total,
                last_error=self._last_error,
            )

    def _note(self, error: Exception) -> None:
        self._failures_total += 1
        self._last_error = f"{type(error).__name__}: {error}"
