from __future__ import annotations

from datetime import UTC, date, datetime

import duckdb
import pytest

from turnout.model.query import Days, Instants
from turnout.model.site import Site, SiteId, UserId
from turnout.query.properties import MAX_NAMES, property_names_plan, shape_names

SITE = Site(SiteId(7), "acme.example", "UTC", UserId(1))
DAY = Days(date(2026, 11, 24), date(2026, 11, 24))


def names(span: Days | Instants, event: str = "Signup") -> tuple[str, ...]:
    """The names in a store of a few events."""
    rows = [
        (7, "Signup", "2026-11-24 00:00:00", {"plan": "pro", "seats": "3"}),
        (7, "Signup", "2026-11-24 23:59:59", {"plan": "free", "": "no name", "x" * 301: "too long"}),
        (7, "Signup", "2026-11-25 00:00:00", {"tomorrow": "1"}),
        (8, "Signup", "2026-11-24 12:00:00", {"someone": "else"}),
        (7, "Many", "2026-11-24 12:00:00", {f"k{at:02}": "v" for at in range(50)}),
        (7, "None", "2026-11-24 12:00:00", {}),
    ]
    plan = property_names_plan(SITE, span, event)
    with duckdb.connect(":memory:", config={"threads": 1}) as store:
        store.execute(
            "CREATE TABLE events (site_id INTEGER, name VARCHAR, local_at TIMESTAMP, occurred_at TIMESTAMP,"
            " props MAP(VARCHAR, VARCHAR))"
        )
        for site_id, name, at, props in rows:
            store.execute("INSERT INTO events VALUES ($1, $2, $3, $3, $4)", [site_id, name, at, props])
        return shape_names(store.execute(plan.sql, list(plan.parameters)).fetchall())


def test_the_names_of_an_event_are_listed_most_frequent_first() -> None:
    assert names(DAY) == ("plan", "seats")


def test_instants_are_told_by_utc() -> None:
    last_second = Instants(
        datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC), datetime(2026, 11, 24, 23, 59, 59, tzinfo=UTC)
    )
    assert names(last_second) == ("plan",)


def test_an_event_of_any_number_of_keys_lists_a_few() -> None:
    assert len(names(DAY, "Many")) == MAX_NAMES


@pytest.mark.parametrize("event", ["None", "", "Never", "'; DROP TABLE events; --"])
def test_an_event_without_properties_lists_none(event: str) -> None:
    assert names(DAY, event) == ()


def test_nothing_from_outside_is_in_the_text() -> None:
    assert "Robert" not in property_names_plan(SITE, DAY, "Robert'); --").sql
