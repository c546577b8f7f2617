"""The demo's year: the same for the same seed, exact in number, and possible as traffic."""

from __future__ import annotations

from collections import defaultdict
from datetime import UTC, date, datetime, timedelta

import pytest

from turnout.jobs.demo import BATCH, fill
from turnout.model.event import Event
from turnout.model.site import Site, SiteId, UserId

NOW = datetime(2026, 11, 24, 9, 30, tzinfo=UTC)


def made(zone: str = "Europe/Berlin", events: int = 5_000, seed: int = 1) -> list[Event]:
    taken: list[Event] = []
    site = Site(SiteId(7), "demo.example", zone, UserId(1))
    assert fill(site, events, seed, taken.extend, NOW, lambda done: None) == len(taken)
    return taken


def local_date(event: Event) -> date:
    return (datetime(1970, 1, 1) + timedelta(milliseconds=event.local_ms)).date()


@pytest.mark.parametrize("events", [0, 1, BATCH, BATCH + 1, 5_000])
def test_as_many_events_come_as_were_asked_for(events: int) -> None:
    assert len(made(events=events)) == events


def test_the_same_seed_tells_the_same_year_and_another_seed_another() -> None:
    assert made() == made()
    assert made() != made(seed=2)


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "America/Los_Angeles"])
def test_events_come_in_order_of_time_and_none_is_of_the_future(zone: str) -> None:
    times = [event.at_ms for event in made(zone)]
    assert times == sorted(times)
    assert times[-1] <= NOW.timestamp() * 1000
    assert times[0] >= (NOW - timedelta(days=367)).timestamp() * 1000


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "America/Los_Angeles"])
def test_a_visitor_is_there_on_one_local_day_only(zone: str) -> None:
    days: dict[int, set[date]] = defaultdict(set)
    for event in made(zone):
        days[event.visitor].add(local_date(event))
    assert all(len(dates) == 1 for dates in days.values())


def test_progress_is_told_after_each_batch() -> None:
    told: list[int] = []
    site = Site(SiteId(7), "demo.example", "UTC", UserId(1))
    fill(site, BATCH + 1, 1, lambda batch: None, NOW, told.append)
    assert told == [BATCH, BATCH + 1]
