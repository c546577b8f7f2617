"""Fills a site with a year of visits as they might have been: rhythm of hours and weeks, growth, one launch day."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime, timedelta
from itertools import accumulate
from random import Random
from typing import Generic, TypeVar
from zoneinfo import ZoneInfo

from turnout.ingest.location import split_url
from turnout.ingest.source import Source, source_of
from turnout.ingest.useragent import agent_of
from turnout.jobs import demo_world as world
from turnout.model.event import PAGEVIEW, Event
from turnout.model.site import Site

T = TypeVar("T")

DAYS = 365
LAUNCH_WITHIN_DAYS = 22
"""The launch falls into the dashboard's default period, so that the first thing one sees is a crowd that was held."""
LAUNCH_CROWD = (3.8, 2.7, 1.5)
"""How many times the usual visits come on the launch day and the days after it."""
BATCH = 2_000
"""Events handed over at once: one group commit of the journal."""
RETURNING = 0.14
"""Share of visits by somebody who was there earlier the same day."""

Put = Callable[[list[Event]], None]


class _Table(Generic[T]):
    """Draws rows by weight."""

    def __init__(self, rows: Sequence[T], weights: Sequence[float]) -> None:
        self._rows = rows
        self._marks = list(accumulate(weights))

    def draw(self, random: Random) -> T:
        return self._rows[bisect(self._marks, random.random() * self._marks[-1])]


def _ways(rows: Sequence[world.Source]) -> _Table[Source]:
    """The ways here, named as they would be for a visit that comes that way."""
    found = [source_of(split_url(f"https://demo.example/?{row.query}"), row.referrer) for row in rows]
    return _Table(found, [row.weight for row in rows])


_SOURCES = _ways(world.SOURCES)
_LAUNCH_SOURCES = _ways(world.LAUNCH_SOURCES)
_COUNTRIES = _Table(world.COUNTRIES, [row.weight for row in world.COUNTRIES])
_CLIENTS = _Table([agent_of(row.user_agent) for row in world.CLIENTS], [row.weight for row in world.CLIENTS])
_ENTRY_PAGES = _Table(world.ENTRY_PAGES, [weight for weight, _ in world.ENTRY_PAGES])
_NEXT_PAGES = _Table(world.NEXT_PAGES, [weight for weight, _ in world.NEXT_PAGES])
_PLANS = _Table(world.PLANS, [weight for weight, _, _ in world.PLANS])
_HOURS = _Table(range(24), world.HOURS)


def fill(site: Site, events: int, seed: int, put: Put, now: datetime, progress: Callable[[int], None]) -> int:
    """Hands exactly `events` events of the year up to `now` (UTC) to `put`, in order of time, in batches.

    The same site, seed, number and `now` give the same events. `put` may block; `progress` is told after each batch how
    many are done. Returns the number of events.
    """
    batch: list[Event] = []
    done = 0
    for event in _year(site, events, Random(seed), now):
        batch.append(event)
        if len(batch) == BATCH:
            put(batch)
            done += len(batch)
            progress(done)
            batch = []
    if batch:
        put(batch)
        progress(done + len(batch))
    return done + len(batch)


def _year(site: Site, events: int, random: Random, now: datetime) -> Iterator[Event]:
    zone = ZoneInfo(site.timezone)
    today = now.astimezone(zone).date()
    launch = today - timedelta(days=LAUNCH_WITHIN_DAYS)
    launch += timedelta(days=(1 - launch.weekday()) % 7)  # products are launched on a Tuesday
    days = [_Day(site, today - timedelta(days=ago), zone, now, launch, ago) for ago in range(DAYS, -1, -1)]
    marks = list(accumulate(day.weight for day in days))
    shares = [round(events * mark / marks[-1]) for mark in marks]
    for day, share, before in zip(days, shares, [0, *shares], strict=False):
        yield from day.events(share - before, random)


class _Day:
    """One local day of the site, from its midnight to the next one or to now."""

    def __init__(self, site: Site, day: date, zone: ZoneInfo, now: datetime, launch: date, ago: int) -> None:
        self._site = site
        self._start_ms = _ms(datetime(day.year, day.month, day.day, tzinfo=zone))
        following = day + timedelta(days=1)
        self._end_ms = min(_ms(datetime(following.year, following.month, following.day, tzinfo=zone)), _ms(now))
        self._zone = zone
        since_launch = (day - launch).days
        crowd = LAUNCH_CROWD[since_launch] if 0 <= since_launch < len(LAUNCH_CROWD) else 1.0
        self._launch_share = 0.8 * (1 - 1 / crowd)
        self._offsets = _utc_offset_ms(zone, self._start_ms), _utc_offset_ms(zone, self._end_ms)
        elapsed = max(0.0, (self._end_ms - self._start_ms) / 86_400_000)
        growth = 0.55 + 0.9 * (DAYS - ago) / DAYS
        self.weight = elapsed * growth * crowd * world.WEEKDAYS[day.weekday()]

    def events(self, count: int, random: Random) -> list[Event]:
        """`count` events of this day in order of time."""
        made: list[Event] = []
        people: list[_Person] = []
        while len(made) < count:
            if people and random.random() < RETURNING:
                person = people[int(random.random() * len(people))]
            else:
                person = _Person(random)
                people.append(person)
            made.extend(self._visit(person, random, count - len(made)))
        made.sort(key=lambda event: event.at_ms)
        return made

    def _visit(self, person: _Person, random: Random, most: int) -> list[Event]:
        at_ms = self._moment(person, random)
        launch = random.random() < self._launch_share
        source = (_LAUNCH_SOURCES if launch else _SOURCES).draw(random)
        page = world.LAUNCH_PAGE if launch and random.random() < 0.8 else _ENTRY_PAGES.draw(random)[1]
        made: list[Event] = []
        stays = 0.52 if source.channel != "Organic Social" else 0.38
        while len(made) < most and at_ms < self._end_ms:
            referrer = "" if made else source.referrer
            made.append(self._event(person, source, at_ms, PAGEVIEW, page, referrer, {}))
            if page == world.SIGNUP_PAGE and random.random() < 0.45 and len(made) < most:
                at_ms += 15_000 + int(random.random() * 60_000)
                if at_ms >= self._end_ms:
                    break
                made.append(self._signup(person, source, at_ms, random))
            if random.random() > stays:
                break
            at_ms += 4_000 + int(random.expovariate(1 / 65_000))
            page = _NEXT_PAGES.draw(random)[1]
            stays = 0.62
        return made

    def _moment(self, person: _Person, random: Random) -> int:
        """A moment of this day at which the person is likely to be awake."""
        hour = (_HOURS.draw(random) + random.random() - person.country.hour) % 24
        offset_h = self._offset_ms(self._start_ms) / 3_600_000
        span = self._end_ms - self._start_ms
        at = int((hour + offset_h) % 24 * 3_600_000)
        return self._start_ms + (at if at < span else int(random.random() * max(span, 1)))

    def _signup(self, person: _Person, source: Source, at_ms: int, random: Random) -> Event:
        _, plan, price = _PLANS.draw(random)
        props = {"plan": plan, "team": "yes" if random.random() < 0.3 else "no"}
        revenue = ("EUR", price) if price != "0" else None
        return self._event(person, source, at_ms, "Signup", world.SIGNUP_PAGE, "", props, revenue)

    def _event(
        self,
        person: _Person,
        source: Source,
        at_ms: int,
        name: str,
        page: str,
        referrer: str,
        props: dict[str, str],
        revenue: tuple[str, str] | None = None,
    ) -> Event:
        client = person.client
        return Event(
            site_id=self._site.id,
            at_ms=at_ms,
            local_ms=at_ms + self._offset_ms(at_ms),
            visitor=person.visitor,
            name=name,
            interactive=True,
            hostname=self._site.domain,
            page=page,
            referrer=referrer,
            source=source.source,
            channel=source.channel,
            utm_source=source.utm_source,
            utm_medium=source.utm_medium,
            utm_campaign=source.utm_campaign,
            utm_content="",
            utm_term="",
            country=person.country.code,
            region="",
            city="",
            device=client.device,
            browser=client.browser,
            browser_version=client.browser_version,
            os=client.os,
            os_version=client.os_version,
            language=person.country.language,
            props=props,
            revenue_amount=revenue[1] if revenue else None,
            revenue_currency=revenue[0] if revenue else None,
            scroll_depth=None,
            engaged_ms=None,
        )

    def _offset_ms(self, at_ms: int) -> int:
        if self._offsets[0] == self._offsets[1]:
            return self._offsets[0]
        return _utc_offset_ms(self._zone, at_ms)


class _Person:
    """Somebody who visits on one day."""

    __slots__ = ("client", "country", "visitor")

    def __init__(self, random: Random) -> None:
        self.country = _COUNTRIES.draw(random)
        self.client = _CLIENTS.draw(random)
        self.visitor = random.getrandbits(64)


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)


def _utc_offset_ms(zone: ZoneInfo, at_ms: int) -> int:
    offset = datetime.fromtimestamp(at_ms / 1000, zone).utcoffset() or timedelta()
    return int(offset.total_seconds() * 1000)
