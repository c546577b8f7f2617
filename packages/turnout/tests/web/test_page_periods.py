from __future__ import annotations

from datetime import date

import pytest

from turnout.model.query import Days
from turnout.web.page.periods import name_days, resolve_period, span_of

TODAY = date(2026, 3, 31)


@pytest.mark.parametrize(
    ("period", "first", "last", "step"),
    [
        ("today", TODAY, TODAY, "hour"),
        ("yesterday", date(2026, 3, 30), date(2026, 3, 30), "hour"),
        ("7d", date(2026, 3, 24), TODAY, "day"),
        ("30d", date(2026, 3, 1), TODAY, "day"),
        ("month", date(2026, 3, 1), TODAY, "day"),
        ("last_month", date(2026, 2, 1), date(2026, 2, 28), "day"),
        ("year", date(2026, 1, 1), TODAY, "day"),
        ("12mo", date(2025, 4, 1), TODAY, "month"),
    ],
)
def test_periods_are_whole_days(period: str, first: date, last: date, step: str) -> None:
    span = resolve_period(period, TODAY, TODAY)
    assert (span.days, span.step) == (Days(first, last), step)


def test_months_go_back_across_the_new_year() -> None:
    assert resolve_period("last_month", date(2026, 1, 15), TODAY).days == Days(date(2025, 12, 1), date(2025, 12, 31))


@pytest.mark.parametrize(
    ("first", "last", "words"),
    [
        (TODAY, TODAY, "31 Mar 2026"),
        (date(2026, 3, 1), TODAY, "1–31 Mar 2026"),
        (date(2026, 1, 9), TODAY, "9 Jan – 31 Mar 2026"),
        (date(2025, 12, 30), TODAY, "30 Dec 2025 – 31 Mar 2026"),
    ],
)
def test_days_are_named_as_short_as_they_allow(first: date, last: date, words: str) -> None:
    assert name_days(Days(first, last)) == words


def test_more_than_a_hundred_days_are_drawn_by_month() -> None:
    assert span_of(Days(date(2026, 1, 1), date(2026, 4, 10)), TODAY).step == "day"
    assert span_of(Days(date(2026, 1, 1), date(2026, 4, 11)), TODAY).step == "month"


def test_all_time_begins_with_the_first_event_and_never_after_today() -> None:
    assert resolve_period("all", TODAY, date(2026, 3, 9)).days == Days(date(2026, 3, 9), TODAY)
    assert resolve_period("all", TODAY, date(2027, 1, 1)).days == Days(TODAY, TODAY)
