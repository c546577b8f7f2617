"""Derives days that are over, in the background, so that questions about them need not read every event."""

from __future__ import annotations

import logging
from datetime import UTC, date, datetime, timedelta

import msgspec

from seawall import Stop
from seawall.clock import SYSTEM_CLOCK, Clock
from turnout.errors import StoreUnavailable
from turnout.jobs.giving_way import Bustle, Nobody, give_way
from turnout.store.ledger import Group
from turnout.store.protocols import EventDeriver

_LOG = logging.getLogger("turnout")

QUIET_S = 60.0
"""A day is left alone for so long after its last event, so that an import does not have it derived over and over."""

LOOK_S = 20.0
"""So often it is looked for days that are over."""

AFTER_FAILURE_S = 30.0

MOST_REST_S = 5.0
"""After each group it rests for as long as that took, this long at the most: half of one core is left to others."""

WEST = timedelta(hours=12)
"""How long after its end in UTC a date ends in the last place on Earth."""


class DerivationFigures(msgspec.Struct, frozen=True):
    """How far it is: days that are over and wait, how many groups were derived, what the last one took, failures, and for
    how long in all it has rested because others were served."""

    days_waiting: int
    groups_total: int
    put_off_total: int
    last_duration_s: float
    failures_total: int
    last_error: str | None
    gave_way_s: float


class Derivation:
    """What derives days. Give `run` to a `seawall.Worker`. It gives way to `bustle`, which may be set before that.

    Nothing depends on when it runs: a day that is not derived is read from its events, and one that gets events after it
    was derived is derived no longer.
    """

    def __init__(self, store: EventDeriver, clock: Clock = SYSTEM_CLOCK, *, quiet_s: float = QUIET_S) -> None:
        self._store = store
        self._clock = clock
        self._quiet_s = quiet_s
        self.bustle: Bustle = Nobody()
        self._gave_way_s = 0.0
        self._has_looked = False
        self._groups_total = 0
        self._put_off_total = 0
        self._days_waiting = 0
        self._last_duration_s = 0.0
        self._failures_total = 0
        self._last_error: str | None = None

    def figures(self) -> DerivationFigures:
        """How far it was after its last step. Never blocks."""
        return DerivationFigures(
            self._days_waiting,
            self._groups_total,
            self._put_off_total,
            self._last_duration_s,
            self._failures_total,
            self._last_error,
            self._gave_way_s,
        )

    def run(self, stop: Stop) -> None:
        """Derive days as they end, until `stop`. A store that fails is logged and tried again later."""
        while not stop.is_set():
            self._gave_way_s += give_way(self.bustle, stop)
            if stop.is_set():
                return
            try:
                rest_s = self._step()
            except StoreUnavailable as error:
                if stop.is_set():
                    return
                self._failures_total += 1
                self._last_error = str(error)
                _LOG.warning("days could not be derived, and are read from their events: %s", error)
                rest_s = AFTER_FAILURE_S
            if stop.wait(timeout_s=rest_s):
                return

    def step(self) -> bool:
        """Derive the next days, where some are ready; whether there were any. Blocks. Raises `StoreUnavailable`."""
        if not self._has_looked:
            self._store.find_days()
            self._has_looked = True
        over_before = self._over_before()
        group = self._store.next_group(over_before, self._quiet_s)
        if group is not None:
            self._derive(group)
        self._days_waiting = self._store.waiting_days(over_before)
        return group is not None

    def _derive(self, group: Group) -> None:
        began_s = self._clock.monotonic()
        try:
            is_done = self._store.derive(group)
        except StoreUnavailable:
            self._store.postpone(group)
            raise
        self._last_duration_s = self._clock.monotonic() - began_s
        if is_done:
            self._groups_total += 1
            self._last_error = None
        else:
            self._put_off_total += 1

    def _step(self) -> float:
        """What `step` does, and for how long to rest then."""
        return min(self._last_duration_s, MOST_REST_S) if self.step() else LOOK_S

    def _over_before(self) -> date:
        return (datetime.fromtimestamp(self._clock.time(), UTC) - WEST).date()
