"""An event store with a month of made-up visits, for tests that draw pages from real answers."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

import pytest

from seawall import ThreadPool
from turnout.ingest.visits import Visits
from turnout.model.event import Event
from turnout.model.site import Site, SiteId, UserId
from turnout.query.run import QueryRunner
from turnout.store.duckdb.database import EventDatabase
from turnout.store.duckdb.reader import Reader

SITE = Site(SiteId(7), "acme.example", "UTC", UserId(1))
TODAY = date(2026, 11, 24)

SOURCES = [
    ("Hacker News", "Organic Search", 30),
    ("Google", "Organic Search", 25),
    ("", "Direct", 20),
    ("GitHub", "Referral", 5),
]
COUNTRIES = [("DE", 30), ("US", 25), ("FR", 10), ("IN", 9), ("", 3)]
BROWSERS = [("Chrome", 50), ("Safari", 24), ("Firefox", 12), ("Edge", 8)]
PLANS = [("free", 70), ("team", 30)]
PAGES = [("/", 40), ("/launch", 30), ("/pricing", 15), ("/docs/start", 10), ("/about", 5)]


def choose(dice: random.Random, weighted: list[tuple[str, int]]) -> str:
    """One of the names, by weight."""
    return dice.choices([name for name, _ in weighted], [weight for _, weight in weighted])[0]


def props_of(dice: random.Random) -> dict[str, str]:
    """The properties of a sign-up: always a plan, sometimes seats."""
    plan = {"plan": choose(dice, PLANS)}
    return {**plan, "seats": "3"} if dice.random() < 0.5 else plan


def one_visit(dice: random.Random, day: date, at: timedelta) -> list[Event]:
    """The events of one person in one visit."""
    source, channel = dice.choices([(s, c) for s, c, _ in SOURCES], [weight for _, _, weight in SOURCES])[0]
    country, browser, visitor = choose(dice, COUNTRIES), choose(dice, BROWSERS), dice.getrandbits(63)
    moment = datetime.combine(day, time(), UTC) + at
    events = []
    count = dice.choice([1, 1, 2, 3, 5])
    names = ["pageview"] * count + (["Signup"] if count == 5 else [])
    for name in names:
        at_ms = int(moment.timestamp() * 1000)
        events.append(
            Event(
                site_id=SITE.id,
                at_ms=at_ms,
                local_ms=at_ms,
                visitor=visitor,
                name=name,
                interactive=True,
                hostname="acme.example",
                page=choose(dice, PAGES),
                referrer="",
                source=source,
                channel=channel,
                utm_source="",
                utm_medium="",
                utm_campaign="",
                utm_content="",
                utm_term="",
                country=country,
                region="",
                city="",
                device=dice.choice(["Desktop", "Mobile"]),
                browser=browser,
                browser_version="140",
                os=dice.choice(["Windows", "macOS", "Linux"]),
                os_version="",
                language="en",
                props={} if name == "pageview" else props_of(dice),
                revenue_amount=None,
                revenue_currency=None,
                scroll_depth=None,
                engaged_ms=None,
            )
        )
        moment += timedelta(seconds=dice.randint(5, 300))
    return events


@pytest.fixture(scope="session")
def month() -> list[Event]:
    """The events of the 31 days to `TODAY`, in order of time; today until a little after noon."""
    dice = random.Random(1)
    events: list[Event] = []
    for back in range(31):
        day = TODAY - timedelta(days=back)
        for _ in range(dice.randint(10, 30)):
            minutes = dice.randint(0, 700 if day == TODAY else 1400)
            events += one_visit(dice, day, timedelta(minutes=minutes))
    return sorted(events, key=lambda event: event.at_ms)


@pytest.fixture(scope="session")
def runner(month: list[Event], tmp_path_factory: pytest.TempPathFactory) -> Iterator[QueryRunner]:
    """Answers from a real event store that holds `month`, written by the real writer's parts."""
    path: Path = tmp_path_factory.mktemp("store") / "events.duckdb"
    database = EventDatabase(path, memory_mb=200, threads=1)
    writer = database.writer()
    visits = Visits(writer)
    writer.append([visits.decide(event, position) for position, event in enumerate(month, start=1)])
    pool = ThreadPool("page-queries", max_threads=2)
    yield QueryRunner(Reader(database.connect, lambda: len(month)), pool)
    pool.shutdown()
    database.close()
