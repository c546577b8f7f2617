"""Deletes the events of deleted sites, in the background."""

from __future__ import annotations

import logging
from collections.abc import Callable

from seawall import Stop
from seawall.clock import Clock
from turnout.errors import StoreUnavailable
from turnout.jobs.giving_way import Bustle, Nobody, give_way
from turnout.store.protocols import EventDeriver
from turnout.store.sql.sites import SiteRepository

_LOG = logging.getLogger("turnout")

LOOK_S = 60.0
LEVEL_S = 0.2
LAST_EVENT_S = 600
"""An event that was on its way when its site was deleted is in the store after this long: then it is swept once more."""


class Deletions:
    """What deletes sites' events. Give `run` to a `seawall.Worker`, and wake it when a site is deleted. Before each site it
    gives way to `bustle`, which may be set before that.

    A site is put down as deleted in the transaction that deletes it, and struck off when its events are gone: so a
    deletion that is killed goes on after the next start.
    """

    def __init__(
        self,
        repository: SiteRepository,
        store: EventDeriver,
        *,
        accepted: Callable[[], int],
        stored: Callable[[], int],
        clock: Clock,
    ) -> None:
        """`accepted` and `stored` tell how far journal and store are."""
        self._repository = repository
        self._store = store
        self._accepted = accepted
        self._stored = stored
        self._clock = clock
        self.bustle: Bustle = Nobody()
        self.swept_total = 0
        """How often a deleted site's events were cleared away."""

    def run(self, stop: Stop) -> None:
        """Delete what is put down, until `stop`. A store that fails is logged and tried again later."""
        while not stop.is_set():
            try:
                self._step(stop)
            except StoreUnavailable as error:
                _LOG.warning("a deleted site's events could not be deleted, and will be later: %s", error)
            stop.wait(timeout_s=LOOK_S)

    def _step(self, stop: Stop) -> None:
        gone = self._repository.unscoped_deletions()
        if not gone:
            return
        level = self._accepted()
        while self._stored() < level:
            if stop.wait(timeout_s=LEVEL_S):
                return
        for site_id, deleted_s in gone:
            give_way(self.bustle, stop)
            self._store.delete_site(site_id)
            self.swept_total += 1
            if deleted_s + LAST_EVENT_S <= self._clock.time():
                self._repository.unscoped_end_deletion(site_id)
