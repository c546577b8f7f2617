"""A reader for pages: while a crowd asks, all of it may share answers that are a second old."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seawall.clock import Clock
from turnout.model.derived import Derived
from turnout.store.protocols import EventReader

SHARED_S = 1.0
"""Within the two seconds in which an acknowledged event is to be on the page."""


class RecentReader:
    """An `EventReader` whose version stands still for up to a second while `is_busy`.

    With events coming in all the time, each of a hundred viewers of one page would else ask at a version of their own,
    and none would share a run. While nothing runs the version is the newest, so somebody alone sees what is there.
    For one event loop, but for `rows` and `interrupt`.
    """

    def __init__(self, reader: EventReader, clock: Clock, is_busy: Callable[[], bool]) -> None:
        self._reader = reader
        self._clock = clock
        self._is_busy = is_busy
        self._version = 0
        self._taken_s = float("-inf")

    def version(self) -> int:
        """The position up to which answers are complete at least. Does not block."""
        now_s = self._clock.monotonic()
        if now_s - self._taken_s > SHARED_S or not self._is_busy():
            self._version, self._taken_s = self._reader.version(), now_s
        return self._version

    def rows(self, sql: str, parameters: Sequence[object], *, ticket: object = None) -> list[tuple[object, ...]]:
        """As `EventReader`."""
        return self._reader.rows(sql, parameters, ticket=ticket)

    def interrupt(self, ticket: object) -> None:
        """As `EventReader`."""
        self._reader.interrupt(ticket)

    def derived(self, site_id: int) -> Derived:
        """As `EventReader`: the days derived now, which may be more than at the version, and are right for it."""
        return self._reader.derived(site_id)
