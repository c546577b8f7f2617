from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from turnout.model.site import Site, SiteId, UserId
from turnout.query.parse import parse_ask, resolve
from turnout.query.plan import Plan, make_plan

SITE = Site(SiteId(7), "one.example", "Europe/Berlin", UserId(1))
NOW = datetime(2026, 6, 15, 12, tzinfo=UTC)
HOSTILE = "x'; DROP TABLE events; --"


def plan(**asked: object) -> Plan:
    body = {"site_id": "one.example", "metrics": ["visitors"], "date_range": "7d"} | asked
    return make_plan(SITE, resolve(parse_ask(body), SITE, NOW))


@pytest.mark.parametrize("operator", ["is", "is_not", "contains", "contains_not", "matches", "matches_not"])
@pytest.mark.parametrize("dimension", ["visit:source", "visit:country_name", "event:page", "visit:exit_page"])
def test_values_are_parameters_and_never_text(operator: str, dimension: str) -> None:
    made = plan(filters=[[operator, dimension, [HOSTILE]]], metrics=["visitors", "visits"], date_range="7d")
    assert HOSTILE in made.parameters
    assert "DROP" not in made.sql


def test_a_property_name_is_a_parameter() -> None:
    name = f"event:props:{HOSTILE}"
    made = plan(filters=[["is", name, ["1"]]], dimensions=[name], order_by=[[name, "asc"]])
    assert made.parameters.count(HOSTILE) == 2
    assert "DROP" not in made.sql


def test_every_parameter_is_used_and_every_mark_has_one() -> None:
    made = plan(
        filters=[["is", "visit:country_name", ["Germany"]], ["contains", "event:props:a", ["x"]]],
        dimensions=["visit:country_name", "visit:exit_page", "time:week"],
        metrics=["percentage", "bounce_rate"],
        include={"total_rows": True},
    )
    marks = {int(mark) for mark in re.findall(r"\$(\d+)", made.sql)}
    assert marks == set(range(1, len(made.parameters) + 1))


def test_a_plan_is_the_same_for_the_same_query_and_can_be_a_key() -> None:
    assert plan(dimensions=["visit:country_name"]) == plan(dimensions=["visit:country_name"])
    assert len({plan(), plan(), plan(filters=[["is", "visit:os", ["x"]]])}) == 2


def test_visitors_of_whole_days_are_read_from_first_rows_of_visits() -> None:
    assert "visit_delta = 1" in plan(dimensions=["visit:source", "time:day"]).sql


@pytest.mark.parametrize(
    "asked",
    [
        {"filters": [["is", "event:page", ["/"]]]},
        {"dimensions": ["event:page"]},
        {"dimensions": ["time:hour"]},
        {"date_range": ["2026-01-01T00:00:00Z", "2026-01-02T00:00:00Z"]},
    ],
)
def test_visitors_by_what_events_carry_are_read_from_all_rows(asked: dict) -> None:
    assert "visit_delta = 1" not in plan(**asked).sql


def test_a_filter_on_visits_alone_needs_no_join() -> None:
    assert " IN (SELECT" not in plan(filters=[["is", "visit:source", ["x"]]], metrics=["visits"], date_range="7d").sql
    assert "FROM chosen" in plan(filters=[["is", "event:page", ["x"]]], metrics=["visits"]).sql
