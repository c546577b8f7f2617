"""Visits must come out the same however the journal is cut, and add up to a slow recount."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from turnout.errors import StoreUnavailable
from turnout.ingest.visits import SILENCE_MS, Visits
from turnout.model.event import ENGAGEMENT, PAGEVIEW, Event, StoredEvent
from turnout.store.duckdb.database import EventDatabase

T0 = 1_750_000_000_000
MINUTE = 60_000


def event(
    at_ms: int, visitor: int = 1, name: str = PAGEVIEW, site: int = 1, page: str = "/", interactive: bool = True
) -> Event:
    texts = [
        "",
        "Direct / None",
        "Direct",
        "",
        "",
        "",
        "",
        "",
        "DE",
        "",
        "",
        "Desktop",
        "Firefox",
        "140",
        "Linux",
        "",
        "de",
    ]
    return Event(
        site, at_ms, at_ms, visitor, name, interactive, "example.org", page, *texts, {}, None, None, None, None
    )


def fresh() -> EventDatabase:
    return EventDatabase(Path(":memory:"))


def store_all(database: EventDatabase, events: list[Event], cut: Callable[[int], str]) -> list[StoredEvent]:
    """Run the events through; `cut(i)` says what happens before event i: "", "commit", "restart" or "fail"."""
    visits = Visits(database.writer())
    stored: list[StoredEvent] = []
    batch: list[StoredEvent] = []
    i = 0
    failed: set[int] = set()
    while i < len(events):
        what = cut(i)
        if what == "fail" and i not in failed:
            failed.add(i)
            visits.forget()
            i -= len(batch)
            batch = []
            continue
        if what in ("commit", "restart"):
            database.writer().append(batch)
            stored += batch
            batch = []
            visits.settle()
            if what == "restart":
                visits = Visits(database.writer())
        batch.append(visits.decide(events[i], i + 1))
        i += 1
    database.writer().append(batch)
    return stored + batch


def recount(events: list[Event]) -> dict[int, tuple[int, int]]:
    """Every visit by its id: (is it a bounce, its duration), from all its events, the slow and obvious way."""
    visits: dict[tuple[int, int], list[tuple[int, list[Event]]]] = {}
    for position, e in enumerate(events, 1):
        of_visitor = visits.setdefault((e.site_id, e.visitor), [])
        if of_visitor and e.at_ms - max(x.at_ms for x in of_visitor[-1][1]) <= SILENCE_MS:
            of_visitor[-1][1].append(e)
        elif e.name != ENGAGEMENT:
            of_visitor.append((position, [e]))
    facts = {}
    for of_visitor in visits.values():
        for visit_id, members in of_visitor:
            pageviews = sum(e.name == PAGEVIEW for e in members)
            others = sum(e.interactive and e.name not in (PAGEVIEW, ENGAGEMENT) for e in members)
            bounce = pageviews == 1 and others == 0
            duration = 0 if bounce else max(e.at_ms for e in members) - members[0].at_ms
            facts[visit_id] = (int(bounce), duration)
    return facts


steps = st.one_of(
    st.integers(0, 20 * MINUTE),
    st.integers(SILENCE_MS - 2, SILENCE_MS + 2),
    st.integers(-90 * MINUTE, 90 * MINUTE),
)
one_event = st.tuples(
    steps,
    st.integers(1, 3),
    st.sampled_from([PAGEVIEW, PAGEVIEW, ENGAGEMENT, "signup"]),
    st.integers(1, 2),
    st.booleans(),
)


@st.composite
def event_lists(draw: st.DrawFn) -> list[Event]:
    at = T0
    events = []
    for step, visitor, name, site, interactive in draw(st.lists(one_event, min_size=1, max_size=25)):
        at += step
        events.append(event(at, visitor, name, site, f"/{len(events)}", interactive))
    return events


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    events=event_lists(),
    cuts=st.lists(st.sampled_from(["", "", "commit", "restart", "fail"]), min_size=25, max_size=25),
)
def test_cuts_restarts_and_failures_change_no_decision(events: list[Event], cuts: list[str]) -> None:
    one, other = fresh(), fresh()
    try:
        whole = store_all(one, events, lambda i: "")
        pieces = store_all(other, events, lambda i: cuts[i])
        assert pieces == whole
        query = "SELECT * FROM events ORDER BY position"
        assert other.connect().execute(query).fetchall() == one.connect().execute(query).fetchall()
        assert other.writer().position() == len(events)
    finally:
        one.close()
        other.close()


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(events=event_lists())
def test_deltas_add_up_to_a_recount(events: list[Event]) -> None:
    database = fresh()
    try:
        rows = store_all(database, events, lambda i: "commit" if i % 3 == 0 else "")
    finally:
        database.close()
    sums: dict[int, list[int]] = {}
    for row in rows:
        if row.visit is None:
            assert (row.visit_delta, row.bounce_delta, row.duration_delta_ms) == (0, 0, 0)
            continue
        total = sums.setdefault(row.visit.visit_id, [0, 0, 0])
        total[0] += row.visit_delta
        total[1] += row.bounce_delta
        total[2] += row.duration_delta_ms
    assert {visit: (b, d) for visit, (_, b, d) in sums.items()} == recount(events)
    assert all(v == 1 and d >= 0 for v, _, d in sums.values())


def test_an_earlier_event_joins_its_visit_and_changes_neither_start_nor_end() -> None:
    database = fresh()
    events = [event(T0), event(T0 + MINUTE), event(T0 - 50 * MINUTE), event(T0 + 2 * MINUTE)]
    rows = store_all(database, events, lambda i: "restart" if i == 2 else "")
    database.close()
    assert {row.visit.visit_id for row in rows if row.visit} == {1}
    assert [row.duration_delta_ms for row in rows] == [0, MINUTE, 0, MINUTE]


def test_engagement_outside_a_visit_is_kept_without_one() -> None:
    database = fresh()
    rows = store_all(
        database,
        [event(T0, name=ENGAGEMENT), event(T0), event(T0 + 29 * MINUTE, name=ENGAGEMENT), event(T0 + 58 * MINUTE)],
        lambda i: "",
    )
    assert database.connect().execute("SELECT visit_id FROM events ORDER BY position").fetchall() == [
        (None,),
        (2,),
        (2,),
        (2,),
    ]
    database.close()
    assert [row.visit_delta for row in rows] == [0, 1, 0, 0]


def test_a_failed_append_leaves_nothing_behind_and_can_be_repeated() -> None:
    database = fresh()
    good = Visits(database.writer()).decide(event(T0), 1)
    bad = StoredEvent(2, event(T0), None, 99_999, 0, 0)  # visit_delta does not fit its column
    with pytest.raises(StoreUnavailable):
        database.writer().append([good, bad])
    assert database.writer().position() == 0
    database.writer().append([good])
    assert database.connect().execute("SELECT count(*) FROM events").fetchall() == [(1,)]
    database.close()
