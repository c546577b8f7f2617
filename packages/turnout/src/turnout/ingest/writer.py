"""The writer: moves events from the journal to the store, in order, and decides their visits on the way."""

from __future__ import annotations

import msgspec

from seawall import Stop
from seawall.clock import SYSTEM_CLOCK, Clock
from turnout.errors import StoreUnavailable
from turnout.ingest.journal import Journal
from turnout.ingest.visits import Visits
from turnout.store.protocols import EventWriter

BATCH_EVENTS = 4_000
"""About 50 ms of appending: large enough for the commit not to matter, small enough to answer a stop."""

PACE_S = 0.1
"""At least so long between two small commits, so that a steady trickle does not sync the store all the time."""

IDLE_S = 5.0
"""After this long without events the store's log is folded into its file, when nobody waits for it."""


class WriterFigures(msgspec.Struct, frozen=True):
    """How far the writer is: the last position stored, events still waiting, failures, and the last one's text."""

    position: int
    lag_events: int
    failures_total: int
    last_error: str | None


class Writer:
    """The only one that writes events to the store. Give `run` to a `seawall.Worker`, and wake it on each append.

    When the store fails, `run` raises and the worker calls it again after its back-off: it then begins at the
    position that the store itself holds, so nothing is skipped, doubled or put out of order.
    """

    def __init__(self, journal: Journal, store: EventWriter, clock: Clock = SYSTEM_CLOCK) -> None:
        self._journal = journal
        self._store = store
        self._clock = clock
        self._visits = Visits(store)
        self._position = store.position()
        self._failures_total = 0
        self._last_error: str | None = None
        self._is_hurried = False

    @property
    def position(self) -> int:
        """The position of the last event in the store."""
        return self._position

    def figures(self) -> WriterFigures:
        """How far the writer is now; never blocks."""
        lag_events = max(0, self._journal.last_position - self._position)
        return WriterFigures(self._position, lag_events, self._failures_total, self._last_error)

    def run(self, stop: Stop) -> None:
        """Store events until `stop`, and then what is left in the journal. Raises what the journal or store raised."""
        try:
            self._position = self._store.position()
            self._journal.trim(self._position)
            self._store_until(stop)
        except BaseException as error:
            self._visits.forget()
            self._failures_total += 1
            self._last_error = f"{type(error).__name__}: {error}"
            raise

    def hurry(self) -> None:
        """Have a `run` that was told to stop end after its batch; the rest stays in the journal. From any thread."""
        self._is_hurried = True

    def step(self) -> int:
        """Store one batch; how many events it had."""
        events = self._journal.read(self._position, BATCH_EVENTS)
        if events:
            self._store.append([self._visits.decide(event, position) for position, event in events])
            self._position = events[-1][0]
            self._visits.settle()
            self._journal.trim(self._position)
            self._last_error = None
        return len(events)

    def _store_until(self, stop: Stop) -> None:
        idle_since_s = self._clock.monotonic()
        is_folded = False
        while True:
            is_last = stop.is_set()  # looked at before the step, so that what was acknowledged before is stored
            count = self.step()
            if self._is_hurried:
                return
            if count:
                idle_since_s = self._clock.monotonic()
                is_folded = False
                if count < BATCH_EVENTS:
                    self._pace(stop)
                continue
            if is_last:
                return
            if not is_folded and self._clock.monotonic() - idle_since_s >= IDLE_S:
                self._fold()
                is_folded = True
            stop.wait(timeout_s=IDLE_S)

    def _fold(self) -> None:
        try:
            self._store.checkpoint()
            self._journal.shrink()
        except StoreUnavailable as error:
            # No event waits for this. It is tried again after the next ones; a store that is broken fails them.
            self._failures_total += 1
            self._last_error = str(error)

    def _pace(self, stop: Stop) -> None:
        until_s = self._clock.monotonic() + PACE_S
        while (left_s := until_s - self._clock.monotonic()) > 0:
            if stop.wait(timeout_s=left_s):
                return
