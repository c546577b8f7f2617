"""Random events and random queries: the answer over HTTP is what the slow oracle computes from the raw events."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime, timedelta
from itertools import count
from random import Random
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import httpx
import pytest
from api_server import API_KEY, ApiServer
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from oracle import Oracle

from turnout.ingest.visits import Visits
from turnout.model.event import Event
from turnout.model.site import Site, SiteId, UserId
from turnout.store.ledger import Group

EXAMPLES = int(os.environ.get("QUERY_EXAMPLES", "30"))
QUERIES_EACH = 6
EPOCH = datetime(1970, 1, 1)

Ask = Callable[[dict], dict]


class Place(NamedTuple):
    """A site's zone, and the one it had before `changed_at` (UTC)."""

    zone: str
    before: str
    changed_at: datetime

    def wall(self, at: datetime) -> datetime:
        name = self.before if at < self.changed_at else self.zone
        return at.astimezone(ZoneInfo(name)).replace(tzinfo=None)


def steady(zone: str) -> Place:
    return Place(zone, zone, datetime(2000, 1, 1, tzinfo=UTC))


def utc(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


# Around these moments something happens to the wall clock: a midnight, a change of the clocks, a change of zone.
SCENES = [
    (steady("UTC"), utc("2026-05-31T23:50")),
    (steady("Etc/GMT+8"), utc("2026-03-01T07:40")),
    (steady("America/Los_Angeles"), utc("2026-03-08T09:30")),
    (steady("America/Los_Angeles"), utc("2026-11-01T08:10")),
    (steady("Asia/Kolkata"), utc("2026-04-30T18:10")),
    (steady("Asia/Kathmandu"), utc("2026-07-05T18:00")),
    (steady("Europe/Berlin"), utc("2026-03-29T00:20")),
    (steady("Europe/Berlin"), utc("2026-03-28T22:40")),
    (steady("Europe/Berlin"), utc("2026-10-25T00:10")),
    (steady("Australia/Lord_Howe"), utc("2026-04-04T14:40")),
    (Place("Europe/Berlin", "America/Los_Angeles", utc("2026-06-10T12:00")), utc("2026-06-10T11:40")),
    (Place("America/Los_Angeles", "Europe/Berlin", utc("2026-06-10T12:00")), utc("2026-06-10T11:40")),
    (Place("America/Los_Angeles", "Europe/Berlin", utc("2026-06-10T22:30")), utc("2026-06-10T22:00")),
    (Place("Asia/Kathmandu", "Asia/Kolkata", utc("2026-06-10T18:40")), utc("2026-06-10T18:20")),
]

MINUTE = 60_000
GAPS_MS = [0, 1, 999, 1_000, 5_500, 4 * MINUTE, 30 * MINUTE - 1, 30 * MINUTE, 30 * MINUTE + 1, 50 * MINUTE]
LONG_GAPS_MS = [3 * 60 * MINUTE, 11 * 60 * MINUTE, 26 * 60 * MINUTE, 9 * 24 * 60 * MINUTE]

PAGES = ["/", "/a", "/A", "/blog/1", "/blog/ü", ""]
NAMES = ["pageview", "pageview", "pageview", "engagement", "engagement", "signup", "Buy", "scroll"]
PROPS = [{}, {}, {"plan": "pro"}, {"plan": "free", "n": "1"}, {"plan": ""}, {"plan": "(none)"}]
SOURCES = ["", "Google", "google", "Direct / None", "news"]
COUNTRIES = ["", "DE", "US", "CI", "ZZ"]
OTHERS = ["", "x", "Y", "(not set)"]

VISIT_DIMENSIONS = [
    "visit:entry_page",
    "visit:exit_page",
    "visit:source",
    "visit:referrer",
    "visit:country",
    "visit:country_name",
    "visit:channel",
    "visit:utm_campaign",
    "visit:city",
    "visit:browser",
    "visit:device",
]
EVENT_DIMENSIONS = ["event:name", "event:hostname", "event:props:plan"]
TIMES = ["time", "time:minute", "time:hour", "time:day", "time:week", "time:month"]
EVENT_METRICS = ["visitors", "pageviews", "events", "percentage"]
VISIT_METRICS = ["visits", "views_per_visit", "bounce_rate", "visit_duration"]

VALUES = [
    "/",
    "/a",
    "a",
    "blog",
    "Google",
    "Direct / None",
    "(not set)",
    "(none)",
    "DE",
    "Germany",
    "ZZ",
    "x",
    "pro",
    "",
]
VALUES += ["pageview", "signup", "one.example"]
PATTERNS = ["^/a$", "(?i)google", "^$", "o+", "^/(blog|A)", "[A-Z]", "."]


@st.composite
def histories(draw: st.DrawFn) -> tuple[Place, list[Event], datetime]:
    place, scene = draw(st.sampled_from(SCENES))
    at = scene
    events = []
    for _ in range(draw(st.integers(0, 25))):
        gaps = GAPS_MS if draw(st.integers(0, 7)) else LONG_GAPS_MS
        at += timedelta(milliseconds=draw(st.sampled_from(gaps)))
        # Now and then a clock steps back a little.
        back_ms = draw(st.sampled_from([0] * 11 + [700, 10 * MINUTE]))
        moment = at - timedelta(milliseconds=back_ms)
        events.append(happening(place, moment, lambda values: draw(st.sampled_from(values))))
    return place, events, at


def happening(place: Place, at: datetime, pick: Callable[[list], Any]) -> Event:
    """An event at `at`, each of its values picked from a list."""
    wall = place.wall(at)
    day_hash = hashlib.blake2b(f"{pick(['anna', 'ben', 'cleo'])} {wall.date()}".encode(), digest_size=8)
    return Event(
        site_id=0,
        at_ms=milliseconds(at.replace(tzinfo=None)),
        local_ms=milliseconds(wall),
        # As the product makes it: a hash lives for one local date.
        visitor=int.from_bytes(day_hash.digest(), "big"),
        name=pick(NAMES),
        interactive=pick([True, True, True, False]),
        hostname=pick(["one.example", "two.example"]),
        page=pick(PAGES),
        referrer=pick(OTHERS),
        source=pick(SOURCES),
        channel="Direct",
        utm_source="",
        utm_medium="",
        utm_campaign=pick(OTHERS),
        utm_content="",
        utm_term="",
        country=pick(COUNTRIES),
        region="",
        city=pick(OTHERS),
        device="Desktop",
        browser=pick(OTHERS),
        browser_version="1",
        os="x",
        os_version="",
        language="",
        props=pick(PROPS),
        revenue_amount=None,
        revenue_currency=None,
        scroll_depth=None,
        engaged_ms=None,
    )


def milliseconds(moment: datetime) -> int:
    return (moment - EPOCH) // timedelta(milliseconds=1)


@st.composite
def comparison(draw: st.DrawFn) -> list:
    name = draw(st.sampled_from([*VISIT_DIMENSIONS, "event:page", *EVENT_DIMENSIONS]))
    operator = draw(st.sampled_from(["is", "is_not", "contains", "contains_not", "matches", "matches_not"]))
    if operator.startswith("matches"):
        return [operator, name, draw(st.lists(st.sampled_from(PATTERNS), min_size=1, max_size=2))]
    values = draw(st.lists(st.sampled_from(VALUES), min_size=1, max_size=3))
    options = draw(st.sampled_from([[], [{}], [{"case_sensitive": True}], [{"case_sensitive": False}]]))
    return [operator, name, values, *options]


FILTERS = st.recursive(
    comparison(),
    lambda inner: st.one_of(
        st.tuples(st.sampled_from(["and", "or"]), st.lists(inner, min_size=1, max_size=3)).map(list),
        inner.map(lambda part: ["not", part]),
    ),
    max_leaves=4,
)


@st.composite
def date_ranges(draw: st.DrawFn, place: Place, scene: datetime) -> object:
    kind = draw(st.sampled_from(["days", "days", "instants", "naive", "name"]))
    if kind == "name":
        return draw(st.sampled_from(["day", "7d", "28d", "30d", "91d", "month", "6mo", "12mo", "year", "all"]))
    if kind == "days":
        middle = place.wall(scene).date()
        first = middle + timedelta(days=draw(st.integers(-3, 1)))
        return [str(first), str(first + timedelta(days=draw(st.sampled_from([0, 0, 1, 3, 40, 400]))))]
    first = scene + timedelta(milliseconds=draw(st.sampled_from([-86_400_000, -3_600_000, 0, 1_800_000, 3_600_999])))
    last = first + timedelta(
        milliseconds=draw(st.sampled_from([0, 500, 3_600_000, 7_265_432, 90_000_000, 864_000_000]))
    )
    if kind == "instants":
        return [first.isoformat(), last.isoformat()]
    # Far enough apart that a repeated hour does not turn them round.
    last += timedelta(hours=3)
    zone = ZoneInfo(place.zone)
    return [each.astimezone(zone).replace(tzinfo=None).isoformat() for each in (first, last)]


@st.composite
def queries(draw: st.DrawFn, place: Place, scene: datetime) -> dict:
    dimensions = draw(
        st.lists(st.sampled_from([*VISIT_DIMENSIONS, "event:page", *EVENT_DIMENSIONS]), max_size=2, unique=True)
    )
    dimensions += [draw(st.sampled_from(TIMES))] if draw(st.booleans()) else []
    metrics = EVENT_METRICS if set(dimensions) & set(EVENT_DIMENSIONS) else EVENT_METRICS + VISIT_METRICS
    metrics = draw(st.lists(st.sampled_from(metrics), min_size=1, max_size=4, unique=True))
    query: dict = {"metrics": metrics, "date_range": draw(date_ranges(place, scene)), "dimensions": dimensions}
    query["filters"] = draw(st.lists(FILTERS, max_size=2))
    if draw(st.booleans()):
        names = draw(st.lists(st.sampled_from([*metrics, *dimensions]), max_size=3, unique=True))
        query["order_by"] = [[name, draw(st.sampled_from(["asc", "desc"]))] for name in names]
    query["include"] = {"total_rows": draw(st.booleans())}
    query["pagination"] = draw(st.sampled_from([{}, {}, {"limit": 2}, {"limit": 1, "offset": 1}, {"offset": 50}]))
    days = query["date_range"]
    is_short = isinstance(days, list) and "T" not in days[0] and days[0] == days[1]
    if is_short and any(name.startswith("time") for name in dimensions):
        query["include"]["time_labels"] = True
    return query


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    with ApiServer(tmp_path_factory.mktemp("store")) as server:
        yield server


@contextmanager
def asking(server: ApiServer) -> Iterator[Ask]:
    """The one way in which this test asks: over HTTP."""
    with httpx.Client(base_url=server.url, headers={"authorization": f"Bearer {API_KEY}"}) as client:

        def ask(query: dict) -> dict:
            answer = client.post("/api/v2/query", json=query)
            assert answer.status_code == 200, answer.text
            return answer.json()

        yield ask


site_numbers = count(1)


class Recording:
    """A new site whose events are stored by way of the visits and the writer that the product uses."""

    def __init__(self, server: ApiServer, place: Place) -> None:
        number = next(site_numbers)
        self.site = Site(SiteId(number), f"site{number}.example", place.zone, UserId(1))
        self._server = server
        self._visits = Visits(server.writer)
        server.sites.add(self.site)

    def add(self, events: Sequence[Event]) -> None:
        first = self._server.writer.position() + 1
        rows = [self._visits.decide(event_of(event, self.site.id), at) for at, event in enumerate(events, start=first)]
        self._server.writer.append(rows)
        self._visits.settle()

    def derive(self, first: date, last: date) -> None:
        assert self._server.deriver.derive(Group(self.site.id, first, last))


def days_of(events: Sequence[Event]) -> list[date]:
    return sorted({(EPOCH + timedelta(milliseconds=event.local_ms)).date() for event in events})


def event_of(event: Event, site_id: int) -> Event:
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return Event(**fields | {"site_id": site_id})


def check(server: ApiServer, site: Site, oracle: Oracle, asked: Sequence[dict], *, events_a_part: int = 1) -> None:
    with asking(server) as ask, pytest.MonkeyPatch.context() as patched:
        # So that a few events are counted in as many parts as many millions are.
        patched.setattr("turnout.query.asked.EVENTS_A_PART", events_a_part)
        for query in asked:
            answer = ask(query | {"site_id": site.domain})
            expected = oracle.answer(query)
            assert answer["results"] == expected["results"], query
            assert answer["meta"] == {name: each for name, each in expected.items() if name != "results"}


@settings(max_examples=EXAMPLES, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_every_answer_is_what_the_raw_events_say(server: ApiServer, data: st.DataObject) -> None:
    place, events, scene = data.draw(histories(), label="history")
    asked = data.draw(st.lists(queries(place, scene), min_size=QUERIES_EACH, max_size=QUERIES_EACH), label="queries")
    recording = Recording(server, place)
    recording.add(events)
    server.clock.set(scene.timestamp())
    check(server, recording.site, Oracle(events, place.zone, scene), asked)
    if events:
        days = days_of(events)
        recording.derive(days[0], days[-1])
        check(server, recording.site, Oracle(events, place.zone, scene), asked, events_a_part=1_500_000)


@settings(max_examples=EXAMPLES // 2, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_late_events_between_derivations_of_any_days_change_no_answer(server: ApiServer, data: st.DataObject) -> None:
    place, events, scene = data.draw(histories(), label="history")
    asked = data.draw(st.lists(queries(place, scene), min_size=3, max_size=3), label="queries")
    # Some events come last though they happened earlier, so that days are added to which were derived.
    late = data.draw(st.lists(st.booleans(), min_size=len(events), max_size=len(events)), label="late")
    on_time = [event for event, is_late in zip(events, late, strict=True) if not is_late]
    too_late = [event for event, is_late in zip(events, late, strict=True) if is_late]
    recording = Recording(server, place)
    server.clock.set(scene.timestamp())
    recorded: list[Event] = []
    for part in (on_time, too_late, []):
        recording.add(part)
        recorded += part
        # Any days, at any time: whether they are over is a matter of economy, not of right answers.
        for day in data.draw(st.lists(st.sampled_from(days_of(events) or [scene.date()]), max_size=4), label="derived"):
            recording.derive(day, day + timedelta(days=data.draw(st.integers(0, 2), label="more days")))
        check(server, recording.site, Oracle(recorded, place.zone, scene), asked)


def plain_history(place: Place, scene: datetime) -> list[Event]:
    """Some hours around the scene, the same at each run: visits that go on over hours, and new ones."""
    random = Random(7)
    at = scene - timedelta(hours=2)
    events = []
    for _ in range(60):
        at += timedelta(seconds=random.choice([5, 60, 300, 900, 1500, 2700]))
        events.append(happening(place, at, random.choice))
    return events


@pytest.mark.parametrize(("place", "scene"), SCENES)
@pytest.mark.parametrize("is_derived", [False, True])
def test_every_dimension_with_every_metric_is_what_the_raw_events_say(
    server: ApiServer, place: Place, scene: datetime, is_derived: bool
) -> None:
    events = plain_history(place, scene)
    recording = Recording(server, place)
    recording.add(events)
    site = recording.site
    if is_derived:
        recording.derive(days_of(events)[0], scene.date())
    server.clock.set(scene.timestamp())
    oracle = Oracle(events, place.zone, scene)
    middle = place.wall(scene).date()
    ranges = [
        [str(middle - timedelta(days=1)), str(middle + timedelta(days=1))],
        [(scene - timedelta(minutes=40)).isoformat(), (scene + timedelta(hours=3)).isoformat()],
    ]
    filters: list[list] = [[], [["is_not", "event:page", ["/a"]]], [["is", "visit:source", ["Google"]]]]
    with asking(server) as ask:
        for name in [*VISIT_DIMENSIONS, "event:page", *TIMES, *EVENT_DIMENSIONS]:
            metrics = EVENT_METRICS if name in EVENT_DIMENSIONS else EVENT_METRICS + VISIT_METRICS
            for at in range(6):
                asked = {"date_range": ranges[at % 2], "filters": filters[at // 2]}
                query = asked | {"metrics": metrics, "dimensions": [name]}
                assert ask(query | {"site_id": site.domain})["results"] == oracle.answer(query)["results"], query
