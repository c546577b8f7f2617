from __future__ import annotations

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest

from turnout.model.query import Days, Instants, Query
from turnout.query.labels import time_labels
from turnout.query.ranges import bounds, parse_span, resolve_span

BERLIN = ZoneInfo("Europe/Berlin")


def days(first: str, last: str) -> Days:
    return Days(date.fromisoformat(first), date.fromisoformat(last))


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("day", days("2026-03-31", "2026-03-31")),
        ("7d", days("2026-03-24", "2026-03-30")),
        ("28d", days("2026-03-03", "2026-03-30")),
        ("30d", days("2026-03-01", "2026-03-30")),
        ("91d", days("2025-12-30", "2026-03-30")),
        ("month", days("2026-03-01", "2026-03-31")),
        ("6mo", days("2025-10-01", "2026-03-31")),
        ("12mo", days("2025-04-01", "2026-03-31")),
        ("year", days("2026-01-01", "2026-03-31")),
        ("all", days("2025-11-05", "2026-03-31")),
    ],
)
def test_a_named_range_means_these_days(name: str, expected: Days) -> None:
    now = datetime(2026, 3, 31, 12, tzinfo=UTC)
    assert resolve_span(parse_span(name), BERLIN, now, date(2025, 11, 5)) == expected


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        ("UTC", "2026-01-01"),
        ("America/Los_Angeles", "2025-12-31"),
        ("Asia/Kathmandu", "2026-01-01"),
        ("Pacific/Kiritimati", "2026-01-01"),
    ],
)
def test_today_is_the_sites_day(zone: str, today: str) -> None:
    now = datetime(2026, 1, 1, 3, tzinfo=UTC)
    assert resolve_span(parse_span("day"), ZoneInfo(zone), now, None) == days(today, today)


@pytest.mark.parametrize(
    ("first", "last", "expected_first", "expected_last"),
    [
        ("2026-01-01T00:00:00", "2026-01-01T12:00", "2025-12-31T23:00", "2026-01-01T11:00"),
        ("2026-01-01T00:00:00Z", "2026-01-01T12:00:00-08:00", "2026-01-01T00:00", "2026-01-01T20:00"),
        # 02:30 comes twice: the first one begins, the second one ends.
        ("2026-10-25T02:30:00", "2026-10-25T02:30:00", "2026-10-25T00:30", "2026-10-25T01:30"),
    ],
)
def test_date_times_are_instants(first: str, last: str, expected_first: str, expected_last: str) -> None:
    expected = (datetime.fromisoformat(each).replace(tzinfo=UTC) for each in (expected_first, expected_last))
    assert resolve_span(parse_span([first, last]), BERLIN, datetime(2026, 1, 1, tzinfo=UTC), None) == Instants(
        *expected
    )


def test_bounds_of_days_carry_the_zones_offsets() -> None:
    first, last = bounds(days("2026-03-01", "2026-03-31"), BERLIN)
    assert (first.isoformat(), last.isoformat()) == ("2026-03-01T00:00:00+01:00", "2026-03-31T23:59:59+02:00")


def labels(bucket: str, span: Days | Instants, zone: str) -> tuple[str, ...]:
    return time_labels(Query(metrics=("visitors",), range=span, dimensions=(bucket,)), ZoneInfo(zone))


def test_the_hour_that_a_clock_change_skips_has_no_label() -> None:
    found = labels("time:hour", days("2026-03-29", "2026-03-29"), "Europe/Berlin")
    assert len(found) == 23
    assert "2026-03-29 02:00:00" not in found


def test_the_hour_that_a_clock_change_repeats_has_one_label() -> None:
    assert len(labels("time:hour", days("2026-10-25", "2026-10-25"), "Europe/Berlin")) == 24


def test_minutes_of_a_long_day_are_labelled_once() -> None:
    assert len(labels("time:minute", days("2026-10-25", "2026-10-25"), "Europe/Berlin")) == 1440
    assert len(labels("time:minute", days("2026-03-29", "2026-03-29"), "Europe/Berlin")) == 1380


def test_a_zone_off_the_full_hour_has_full_local_hours() -> None:
    span = Instants(datetime(2026, 1, 1, 0, 10, tzinfo=UTC), datetime(2026, 1, 1, 1, 20, tzinfo=UTC))
    assert labels("time:hour", span, "Asia/Kathmandu") == (
        "2026-01-01 05:00:00",
        "2026-01-01 06:00:00",
        "2026-01-01 07:00:00",
    )


def test_the_first_week_is_named_by_the_ranges_first_day() -> None:
    assert labels("time:week", days("2026-01-01", "2026-01-14"), "UTC") == ("2026-01-01", "2026-01-05", "2026-01-12")


def test_months_are_named_by_their_first_day() -> None:
    assert labels("time:month", days("2025-12-31", "2026-01-31"), "UTC") == ("2025-12-01", "2026-01-01")
