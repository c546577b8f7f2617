"""Decides each event's visit, in journal order. The one place where visits begin, go on and end.

A visit is all events of one visitor with no silence of more than 30 minutes between them. The visitor hash changes
at the site's midnight, so no visit crosses it. An event earlier than its visit's last moment (a clock stepped
back) joins the visit too; it changes neither the visit's start nor its end, so no duration is ever negative.

What is held in memory is a cache of the store and decides nothing by itself: `since_ms` says from which last moment
on a site's visits are known, and an event that needs older ones has them loaded. So the same events get the same
visits whatever the batches, restarts and failures between them.
"""

from __future__ import annotations

from collections import OrderedDict
from sys import intern

from turnout.model.event import ENGAGEMENT, PAGEVIEW, Event, StoredEvent, VisitFacts
from turnout.store.protocols import EventWriter, OpenVisit

SILENCE_MS = 30 * 60 * 1000
"""A visit ends when nothing came for longer than this."""

SLACK_MS = 5 * 60 * 1000
"""Visits are kept this much longer, so that clock jitter between two events does not ask the store again."""

PRUNE_EVERY_MS = 60 * 1000


class Visits:
    """The open visits of the sites at work now. Used by the writer thread alone.

    Call `settle` after each commit of what was decided, and `forget` after each failed one.
    """

    def __init__(self, store: EventWriter, *, max_sites: int = 2_000) -> None:
        self._store = store
        self._max_sites = max_sites
        self._sites: OrderedDict[int, _SiteVisits] = OrderedDict()  # least recently used first

    def decide(self, event: Event, position: int) -> StoredEvent:
        """Give the event its visit. May read the store; raises `StoreUnavailable` when that fails."""
        site = self._known(event.site_id, event.at_ms - SILENCE_MS)
        site.recent_ms = event.at_ms
        visit = site.visits.get(event.visitor)
        if visit is not None and event.at_ms - visit.last_ms > SILENCE_MS:
            visit = None
        if visit is None:
            if event.name == ENGAGEMENT:
                return StoredEvent(position, event, None, 0, 0, 0)
            visit = OpenVisit(event.visitor, _facts(event, position), event.at_ms, 0, 0)
            site.visits[event.visitor] = visit
            bounce_before, duration_before, visit_delta = 0, 0, 1
        else:
            bounce_before, duration_before, visit_delta = _bounce(visit), _duration_ms(visit), 0
        _count(visit, event)
        bounce_delta = _bounce(visit) - bounce_before
        duration_delta_ms = _duration_ms(visit) - duration_before
        return StoredEvent(position, event, visit.facts, visit_delta, bounce_delta, duration_delta_ms)

    def settle(self) -> None:
        """Let go of what can no longer matter. Only after a commit: what is let go must be in the store."""
        for site in self._sites.values():
            site.prune()
        while len(self._sites) > self._max_sites:
            self._sites.popitem(last=False)

    def forget(self) -> None:
        """Drop everything, so that the next decision starts from what the store holds."""
        self._sites.clear()

    def _known(self, site_id: int, since_ms: int) -> _SiteVisits:
        """The site's visits, complete for those whose last moment is at or after `since_ms`."""
        site = self._sites.get(site_id)
        if site is None:
            site = self._sites[site_id] = _SiteVisits(since_ms + SLACK_MS)
        else:
            self._sites.move_to_end(site_id)
        if since_ms < site.since_ms:
            site.add_older(self._store.open_visits(site_id, since_ms - SLACK_MS), since_ms - SLACK_MS)
        return site


class _SiteVisits:
    """One site's visits by visitor. Nothing is known before the first load: `since_ms` starts above it."""

    __slots__ = ("recent_ms", "since_ms", "visits")

    def __init__(self, since_ms: int) -> None:
        self.visits: dict[int, OpenVisit] = {}
        self.since_ms = since_ms
        self.recent_ms = since_ms

    def add_older(self, stored: list[OpenVisit], since_ms: int) -> None:
        # What is in memory is at least as new as what is stored, and may not be stored yet.
        self.visits = {visit.visitor: visit for visit in stored} | self.visits
        self.since_ms = since_ms

    def prune(self) -> None:
        # By the latest event, not the greatest time: after a clock stepped back, the old visits stay needed.
        horizon_ms = self.recent_ms - SILENCE_MS - SLACK_MS
        if horizon_ms - self.since_ms < PRUNE_EVERY_MS:
            return
        self.visits = {visitor: visit for visitor, visit in self.visits.items() if visit.last_ms >= horizon_ms}
        self.since_ms = horizon_ms


def _count(visit: OpenVisit, event: Event) -> None:
    visit.last_ms = max(visit.last_ms, event.at_ms)
    if event.name == PAGEVIEW:
        visit.pageviews += 1
    elif event.interactive and event.name != ENGAGEMENT:
        visit.interactions += 1


def _bounce(visit: OpenVisit) -> int:
    return int(visit.pageviews == 1 and visit.interactions == 0)


def _duration_ms(visit: OpenVisit) -> int:
    return 0 if _bounce(visit) else visit.last_ms - visit.facts.started_ms


def _facts(event: Event, position: int) -> VisitFacts:
    # Interned: open visits are many and their texts few; each event brings its own copies from the journal.
    return VisitFacts(
        visit_id=position,
        started_ms=event.at_ms,
        started_local_ms=event.local_ms,
        entry_page=intern(event.page),
        referrer=intern(event.referrer),
        source=intern(event.source),
        channel=intern(event.channel),
        utm_source=intern(event.utm_source),
        utm_medium=intern(event.utm_medium),
        utm_campaign=intern(event.utm_campaign),
        utm_content=intern(event.utm_content),
        utm_term=intern(event.utm_term),
        country=intern(event.country),
        region=intern(event.region),
        city=intern(event.city),
        device=intern(event.device),
        browser=intern(event.browser),
        browser_version=intern(event.browser_version),
        os=intern(event.os),
        os_version=intern(event.os_version),
        language=intern(event.language),
    )
