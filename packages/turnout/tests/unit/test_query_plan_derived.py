"""Which table the planner reads for which days."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta

import pytest

from turnout.model.derived import Derived, runs_of
from turnout.model.query import Days
from turnout.model.site import Site, SiteId, UserId
from turnout.query.across import first_day_plan, visitors_by_day_plan
from turnout.query.parse import parse_ask, resolve
from turnout.query.plan import Plan, make_plan
from turnout.store.rollups import OF_EVENTS, OF_VISITS

SITE = Site(SiteId(7), "one.example", "Europe/Berlin", UserId(1))
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
FIRST = date(2026, 6, 1)
WEEK = Derived((Days(FIRST, FIRST + timedelta(days=6)),))
WITHIN = [str(FIRST), str(FIRST + timedelta(days=6))]
BEYOND = [str(FIRST), str(FIRST + timedelta(days=8))]


def plan(derived: Derived = WEEK, **asked: object) -> Plan:
    body = {"site_id": "one.example", "metrics": ["visitors"], "date_range": WITHIN} | asked
    return make_plan(SITE, resolve(parse_ask(body), SITE, NOW), derived)


def tables(made: Plan) -> set[str]:
    return set(re.findall(r"\b(events|visits|rollups)(?= WHERE| JOIN)", made.sql))


@pytest.mark.parametrize(
    "asked",
    [
        {},
        {"metrics": ["visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration", "events"]},
        {"dimensions": ["event:page"], "metrics": ["percentage", "visits"]},
        {"dimensions": ["event:page", "time:week"]},
        {"dimensions": ["visit:country_name"]},
        {"dimensions": ["time:day"], "metrics": ["visits"]},
        {"dimensions": ["time:hour"], "metrics": ["visitors", "visits"]},
        {"filters": [["is", "visit:device", ["Desktop"]]], "metrics": ["visitors", "visit_duration"]},
        {"filters": [["is", "visit:device", ["Desktop"]]], "dimensions": ["visit:device"]},
        {"filters": [["is", "event:page", ["/"]]], "dimensions": ["time:day"]},
        {"filters": [["is", "event:name", ["signup"]]], "metrics": ["events"]},
    ],
)
def test_rollups_answer_what_one_dimension_says(asked: dict) -> None:
    assert tables(plan(**asked)) == {"rollups"}


@pytest.mark.parametrize("name", [*(f"visit:{each}" for each in OF_VISITS), *(f"event:{each}" for each in OF_EVENTS)])
def test_every_dimension_of_a_card_has_its_rollup(name: str) -> None:
    assert tables(plan(dimensions=[name])) == {"rollups"}


@pytest.mark.parametrize(
    "asked",
    [
        {"filters": [["is", "visit:device", ["Desktop", "Mobile"]]]},
        {"filters": [["is_not", "visit:device", ["Desktop"]]]},
        {"filters": [["is", "visit:device", ["desktop"], {"case_sensitive": False}]]},
        {"filters": [["is", "visit:device", ["Desktop"]], ["is", "visit:source", ["x"]]]},
        {"filters": [["is", "visit:device", ["Desktop"]]], "dimensions": ["visit:source"]},
        {"filters": [["is", "visit:exit_page", ["/"]]], "dimensions": ["visit:exit_page", "visit:source"]},
        {"filters": [["is", "visit:country_name", ["Germany"]]]},
        {"filters": [["is", "visit:country", [""]]]},
        {"dimensions": ["visit:browser", "visit:browser_version"]},
        {"dimensions": ["visit:source", "visit:os", "time:month"], "metrics": ["visits", "percentage"]},
    ],
)
def test_visits_answer_what_is_the_same_for_all_rows_of_a_visit(asked: dict) -> None:
    assert tables(plan(**asked)) == {"visits"}


@pytest.mark.parametrize(
    "asked",
    [
        {"filters": [["is", "visit:device", ["Desktop"]]], "dimensions": ["event:page"]},
        {"filters": [["is", "event:page", ["/"]]], "metrics": ["visitors", "visits"]},
        {"filters": [["is", "event:page", ["/"]]], "dimensions": ["visit:source"]},
        {"filters": [["is", "visit:device", ["Desktop"]]], "dimensions": ["time:hour"]},
        {"filters": [["is", "event:props:plan", ["pro"]]]},
        {"dimensions": ["event:props:plan"]},
        {"dimensions": ["time:hour", "visit:source"]},
        {"dimensions": ["time:minute"]},
        {"date_range": ["2026-06-02T00:00:00Z", "2026-06-03T00:00:00Z"]},
    ],
)
def test_raw_rows_answer_everything_else(asked: dict) -> None:
    assert tables(plan(**asked)) == {"events"}


def test_nothing_derived_reads_raw_rows_only() -> None:
    assert tables(plan(Derived())) == {"events"}
    assert tables(plan(date_range=["2026-07-01", "2026-07-09"])) == {"events"}


@pytest.mark.parametrize(("asked", "table"), [({}, "rollups"), ({"dimensions": ["visit:os", "visit:city"]}, "visits")])
def test_days_that_are_not_derived_are_read_from_raw_rows_by_constant_bounds(asked: dict, table: str) -> None:
    made = plan(date_range=BEYOND, **asked)
    assert tables(made) == {table, "events"}
    assert datetime(2026, 6, 8) in made.parameters
    assert datetime(2026, 6, 10) in made.parameters
    assert datetime(2026, 6, 1) not in made.parameters


def test_a_day_between_that_is_not_derived_is_read_from_raw_rows() -> None:
    holed = runs_of({FIRST + timedelta(days=at): 10 for at in (0, 1, 2, 4, 5, 6)})
    made = plan(holed)
    assert tables(made) == {"rollups", "events"}
    bounds = [value for value in made.parameters if isinstance(value, datetime)]
    assert bounds == [datetime(2026, 6, 4), datetime(2026, 6, 5)]


def test_visitors_of_many_events_by_page_are_counted_a_few_days_at_a_time() -> None:
    by_page = {"filters": [["is_not", "visit:os", ["x"]]], "dimensions": ["event:page"]}
    few, many = (Derived(WEEK.runs, events) for events in (10_000, 700_000))
    assert plan(few, **by_page).sql.count("FROM events") == 1
    assert plan(many, **by_page).sql.count("FROM events") == 3
    assert plan(many, metrics=["events"], **by_page).sql.count("FROM events") == 1


def test_exit_pages_of_derived_days_are_not_found_anew() -> None:
    asked = {"filters": [["is", "visit:exit_page", ["/"]]], "dimensions": ["event:page"]}
    assert "arg_max" not in plan(**asked).sql
    assert "arg_max" in plan(date_range=BEYOND, **asked).sql


def test_every_parameter_is_used_and_every_mark_has_one() -> None:
    for asked in (
        {"dimensions": ["visit:country_name", "time:week"], "metrics": ["percentage", "bounce_rate"]},
        {
            "filters": [["is", "visit:exit_page", ["/"]]],
            "dimensions": ["event:page"],
            "metrics": ["percentage", "visits"],
        },
        {"filters": [["is", "visit:device", ["Desktop"]]], "metrics": ["percentage"]},
    ):
        made = plan(date_range=BEYOND, **asked)
        assert {int(mark) for mark in re.findall(r"\$(\d+)", made.sql)} == set(range(1, len(made.parameters) + 1))


def test_other_statements_read_derived_days_from_rollups_too() -> None:
    assert tables(first_day_plan(SITE, Derived())) == {"events"}
    assert tables(first_day_plan(SITE, WEEK)) == {"events", "rollups"}
    asked = [(SITE, Days(FIRST, FIRST + timedelta(days=2)), WEEK)]
    assert "events" not in visitors_by_day_plan(asked).sql
