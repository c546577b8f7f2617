"""While a crowd asks, pages may share answers that are some seconds old."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from seawall.clock import Clock
from turnout.model.derived import Derived
from turnout.store.protocols import EventReader

SHARED_S = 1.0
"""Within the two seconds in which an acknowledged event is to be on the page."""
SHARED_IN_A_CROWD_S = 4.0
"""Twice it, for answers and then for what was drawn of them, is within the ten seconds in which an event is to be there when
everybody comes at once."""


class SharedFor:
    """How old may be what pages share, now: calling it tells seconds. For one event loop.

    `is_crowd` says whether somebody waits for a page. It stays a crowd for as long as answers are shared in one: were it over
    when nobody waits for a moment, everything would be asked anew just when it is all there.
    """

    def __init__(self, clock: Clock, *, is_crowd: Callable[[], bool], is_busy: Callable[[], bool]) -> None:
        self._clock = clock
        self._is_crowd = is_crowd
        self._is_busy = is_busy
        self._crowd_until_s = float("-inf")

    def __call__(self) -> float:
        """0 while no query runs, so that somebody alone sees what is there."""
        now_s = self._clock.monotonic()
        if self._is_crowd():
            self._crowd_until_s = now_s + SHARED_IN_A_CROWD_S
        if now_s < self._crowd_until_s:
            return SHARED_IN_A_CROWD_S
        return SHARED_S if self._is_busy() else 0.0


class RecentReader:
    """An `EventReader` whose version stands still for as long as `shared_s` says now: seconds, 0 for not at all.

    With events coming in all the time, each of a hundred viewers of one page would else ask at a version of their own,
    and none would share a run. Where it says 0 the version is the newest, so somebody alone sees what is there.
    For one event loop, but for `rows` and `interrupt`.
    """

    def __init__(self, reader: EventReader, clock: Clock, shared_s: Callable[[], float]) -> None:
        self._reader = reader
        self._clock = clock
        self._shared_s = shared_s
        self._version = 0
        self._taken_s = float("-inf")

    def version(self) -> int:
        """The position up to which answers are complete at least. Does not block."""
        now_s = self._clock.monotonic()
        if (shared_s := self._shared_s()) <= 0 or now_s - self._taken_s > shared_s:
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
