"""Counts the visitors of now for everybody who watches a site: one question a site, however many watch."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Hashable
from datetime import UTC, date, datetime, timedelta
from typing import Protocol

import msgspec

from seawall import DeadlineExceeded, Overloaded
from seawall.clock import Clock
from turnout.errors import StoreUnavailable
from turnout.model.site import Site, SiteId

_LOG = logging.getLogger("turnout.web")

WINDOW = timedelta(minutes=5)
PACE_S = 2.0
"""How often a site is looked at; it is counted anew only where something was stored meanwhile, for any site."""
COUNT_ANYWAY_S = 10.0
"""Visitors leave the window without anything being stored."""
SITES_PER_S = 20.0
"""More sites than this times `PACE_S` are looked at less often each: the crowd that watches must not load the store."""
STALE_S = 60.0
"""A count that old is no longer told: the streams end, and their readers come back."""
BEAT_S = 10.0
"""A silent stream says that it is there: proxies cut what is silent for a minute, and a reader gone is noticed."""


class Counting(Protocol):
    """What is asked: `QueryRunner` in `query/run.py`."""

    def version(self) -> int:
        """Changes when something was stored."""
        ...

    async def visitors_now(self, site: Site, since: datetime) -> int:
        """Visitors with an event at or after `since`."""
        ...

    async def first_day(self, site: Site) -> date | None:
        """None where the site has no event."""
        ...


class Now(msgspec.Struct, frozen=True):
    """What a stream tells: visitors with an event in the last 5 minutes, and whether the site ever had one."""

    visitors: int
    has_events: bool


class LiveHub:
    """The sites that are watched now, and who watches. For one event loop; holds nothing of a stream that has ended."""

    def __init__(
        self, counting: Counting, clock: Clock, *, streams: int = 500, streams_each: int = 10, pace_s: float = PACE_S
    ) -> None:
        """At most `streams` in all and `streams_each` for one person (a browser tab has one)."""
        self._counting = counting
        self._clock = clock
        self._streams = streams
        self._streams_each = streams_each
        self._pace_s = pace_s
        self._feeds: dict[SiteId, _Feed] = {}
        self._by_person: Counter[Hashable] = Counter()
        self._is_stopped = False

    @property
    def open_streams(self) -> int:
        """How many there are."""
        return self._by_person.total()

    @property
    def watched_sites(self) -> int:
        """How many sites are asked for."""
        return len(self._feeds)

    def check_room(self, person: Hashable) -> None:
        """Raises `seawall.Overloaded` where `person` can't have another stream now."""
        if self._is_stopped:
            raise Overloaded("the server is stopping", 5.0)
        if self._by_person[person] >= self._streams_each:
            raise Overloaded("you watch in too many tabs at once", 30.0)
        if self.open_streams >= self._streams:
            raise Overloaded("too many watch at once", 30.0)

    async def follow(self, site: Site, person: Hashable) -> AsyncGenerator[Now | None, None]:
        """The count, at once and whenever it changes; None when nothing changed for `BEAT_S`.

        Ends when the hub stops, when counting fails for long, and where there is no room. Takes its place when it is
        first asked, and gives it back when it ends, is closed or is cancelled: one that nobody begins holds nothing.
        """
        try:
            self.check_room(person)
        except Overloaded:
            return  # the room was taken since the caller looked
        feed = self._enter(site, person)
        try:
            told: Now | None = None
            while not (self._is_stopped or feed.is_over):
                if feed.now is not None and feed.now != told:
                    told = feed.now
                    yield told
                elif not (await asyncio.wait({feed.news}, timeout=BEAT_S))[0]:
                    yield None
        finally:
            self._leave(feed, person)

    def stop(self) -> None:
        """Ends every stream, now and from now on. Called on the loop."""
        self._is_stopped = True
        for feed in self._feeds.values():
            feed.end()

    def _enter(self, site: Site, person: Hashable) -> _Feed:
        feed = self._feeds.get(site.id)
        if feed is None or feed.is_over:
            feed = self._feeds[site.id] = _Feed(site, self._counting, self._clock, self._pace)
        feed.readers += 1
        self._by_person[person] += 1
        return feed

    def _leave(self, feed: _Feed, person: Hashable) -> None:
        self._by_person[person] -= 1
        if not self._by_person[person]:
            del self._by_person[person]
        feed.readers -= 1
        if not feed.readers:
            feed.end()
            if self._feeds.get(feed.site.id) is feed:
                del self._feeds[feed.site.id]

    def _pace(self) -> float:
        return max(self._pace_s, len(self._feeds) / SITES_PER_S)


_Pace = Callable[[], float]


class _Feed:
    """One site's count, kept up to date by a task of its own until it is over."""

    def __init__(self, site: Site, counting: Counting, clock: Clock, pace: _Pace) -> None:
        self.site = site
        self.readers = 0
        self.now: Now | None = None
        self.news: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.is_over = False
        self._counting = counting
        self._clock = clock
        self._pace = pace
        self._task = asyncio.create_task(self._keep_counting(), name=f"live {site.domain}")
        self._task.add_done_callback(self._on_end)

    def end(self) -> None:
        self._task.cancel()
        self.is_over = True
        self._wake()

    async def _keep_counting(self) -> None:
        version: int | None = None
        counted_s = self._clock.monotonic()
        while True:
            latest, now_s = self._counting.version(), self._clock.monotonic()
            if latest != version or now_s - counted_s >= COUNT_ANYWAY_S:
                try:
                    count = await self._count()
                except (StoreUnavailable, Overloaded, DeadlineExceeded):
                    if now_s - counted_s >= STALE_S:
                        return
                else:
                    version, counted_s = latest, now_s
                    self._tell(count)
            await asyncio.sleep(self._pace())

    async def _count(self) -> Now:
        since = datetime.fromtimestamp(self._clock.time(), UTC) - WINDOW
        visitors = await self._counting.visitors_now(self.site, since)
        has_events = visitors > 0 or (self.now is not None and self.now.has_events)
        return Now(visitors, has_events or await self._counting.first_day(self.site) is not None)

    def _tell(self, now: Now) -> None:
        if now != self.now:
            self.now = now
            self._wake()

    def _wake(self) -> None:
        told, self.news = self.news, asyncio.get_running_loop().create_future()
        told.set_result(None)

    def _on_end(self, task: asyncio.Task[None]) -> None:
        if not self.is_over:
            self.is_over = True
            self._wake()
        if not task.cancelled() and task.exception() is not None:
            _LOG.error("counting the visitors of now has failed", exc_info=task.exception())
