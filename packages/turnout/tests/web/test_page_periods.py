from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from turnout.model.query import Days, Instants
from turnout.web.page.intervals import chosen, offered
from turnout.web.page.period_bar import draw_periods
from turnout.web.page.periods import PERIODS, Span, resolve_period, span_of
from turnout.web.page.questions import span_in
from turnout.web.page.shifts import earlier, later, span_before
from turnout.web.page.span_words import name_days
from turnout.web.page.state import View

BERLIN = ZoneInfo("Europe/Berlin")
NOW = datetime(2026, 3, 31, 13, 40, 20, tzinfo=BERLIN)
TODAY = NOW.date()


def days(first: str, last: str) -> Days:
    return Days(date.fromisoformat(first), date.fromisoformat(last))


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
    span = resolve_period(period, NOW)
    assert (span.range, span.days) == (Days(first, last), Days(first, last))
    assert chosen("", span.range) == step


def test_realtime_is_thirty_minutes_and_this_one_the_last() -> None:
    span = resolve_period("realtime", NOW)
    assert span.range == Instants(
        datetime(2026, 3, 31, 11, 11, tzinfo=UTC), datetime(2026, 3, 31, 11, 40, 59, tzinfo=UTC)
    )
    assert resolve_period("realtime", NOW + timedelta(seconds=39)) == span
    assert offered(span.range) == ("minute",)


@pytest.mark.parametrize("zone", ["Europe/Berlin", "Asia/Kathmandu", "UTC"])
def test_the_last_24_hours_are_24_hours_of_the_clock(zone: str) -> None:
    span = resolve_period("24h", NOW.astimezone(ZoneInfo(zone)))
    assert isinstance(span.range, Instants)
    assert span.range.last - span.range.first == timedelta(hours=24) - timedelta(seconds=1)
    assert span.range.first.astimezone(ZoneInfo(zone)).minute == 0


def test_every_period_has_a_letter_of_its_own() -> None:
    letters = [period.key for period in PERIODS.values()]
    assert "".join(letters) == "DERHWFTNMPYLA"
    assert not {"C", "X"} & set(letters)


def test_months_go_back_across_the_new_year() -> None:
    assert resolve_period("last_month", datetime(2026, 1, 15, tzinfo=UTC)).days == days("2025-12-01", "2025-12-31")


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


def test_all_time_begins_with_the_first_event_and_never_after_today() -> None:
    assert resolve_period("all", NOW, date(2026, 3, 9)).days == Days(date(2026, 3, 9), TODAY)
    assert resolve_period("all", NOW, date(2027, 1, 1)).days == Days(TODAY, TODAY)


@pytest.mark.parametrize(
    ("first", "last", "steps", "usual"),
    [
        ("2026-03-01", "2026-03-01", ("minute", "hour"), "hour"),
        ("2026-03-01", "2026-03-08", ("hour", "day"), "day"),
        ("2026-03-01", "2026-03-31", ("day", "week"), "day"),
        ("2026-01-01", "2026-04-10", ("day", "week", "month"), "day"),
        ("2026-01-01", "2026-04-11", ("day", "week", "month"), "month"),
        ("2020-01-01", "2026-04-11", ("month",), "month"),
    ],
)
def test_a_span_offers_the_intervals_that_make_sense(first: str, last: str, steps: tuple[str, ...], usual: str) -> None:
    span = days(first, last)
    assert offered(span) == steps
    assert chosen("", span) == usual


def test_an_interval_that_a_span_does_not_offer_is_as_if_not_asked_for() -> None:
    assert chosen("week", days("2026-03-01", "2026-03-31")) == "week"
    assert chosen("minute", days("2026-03-01", "2026-03-31")) == "day"


@pytest.mark.parametrize(
    ("period", "before", "words"),
    [
        ("yesterday", days("2026-03-29", "2026-03-29"), "29 Mar 2026"),
        ("30d", days("2026-01-29", "2026-02-28"), "29 Jan – 28 Feb 2026"),
        ("month", days("2026-02-01", "2026-02-28"), "1–28 Feb 2026"),
        ("last_month", days("2026-01-01", "2026-01-31"), "1–31 Jan 2026"),
        ("year", days("2025-01-01", "2025-03-31"), "1 Jan – 31 Mar 2025"),
        ("12mo", days("2024-04-01", "2025-03-31"), "1 Apr 2024 – 31 Mar 2025"),
    ],
)
def test_the_previous_period_is_as_many_days_or_the_same_part_of_months_and_years(
    period: str, before: Days, words: str
) -> None:
    found = span_before(resolve_period(period, NOW), "previous", NOW)
    assert found is not None
    assert (found.range, found.words) == (before, words)


def test_today_is_compared_with_yesterday_until_the_same_time() -> None:
    found = span_before(resolve_period("today", NOW), "previous", NOW)
    assert found is not None
    assert found.words == "30 Mar 2026 until 13:40"
    assert found.range == Instants(datetime(2026, 3, 29, 22, tzinfo=UTC), datetime(2026, 3, 30, 11, 40, 59, tzinfo=UTC))
    assert found.whole == days("2026-03-30", "2026-03-30")


def test_a_week_is_cut_in_its_last_day() -> None:
    found = span_before(resolve_period("7d", NOW), "previous", NOW)
    assert found is not None
    assert found.whole == days("2026-03-16", "2026-03-23")
    assert found.words == "16–23 Mar 2026 until 23 Mar, 13:40"


def test_a_year_before_has_the_same_dates() -> None:
    leap = span_of(days("2028-02-29", "2028-03-02"), date(2028, 5, 1))
    found = span_before(leap, "year", NOW)
    assert found is not None
    assert found.range == days("2027-02-28", "2027-03-02")


def test_the_24_hours_before_are_cut_too() -> None:
    found = span_before(resolve_period("24h", NOW), "previous", NOW)
    assert found is not None
    assert isinstance(found.range, Instants)
    assert found.range.last == datetime(2026, 3, 30, 11, 40, 59, tzinfo=UTC)
    assert found.words == "29 Mar, 14:00 – 30 Mar 2026, 13:41"


@pytest.mark.parametrize(
    ("view", "back", "forth"),
    [
        (View(period="today"), "?period=yesterday", None),
        (View(period="yesterday"), "?from=2026-03-29&to=2026-03-29", "?period=today"),
        (View(period="month"), "?period=last_month", None),
        (View(period="last_month"), "?from=2026-01-01&to=2026-01-31", "?period=month"),
        (View(period="year"), "?from=2025-01-01&to=2025-12-31", None),
        (View(first=date(2025, 1, 1), last=date(2025, 12, 31)), "?from=2024-01-01&to=2024-12-31", "?period=year"),
        (
            View(first=date(2026, 3, 9), last=date(2026, 3, 10)),
            "?from=2026-03-07&to=2026-03-08",
            "?from=2026-03-11&to=2026-03-12",
        ),
        (View(period="all"), None, None),
        (View(period="realtime"), None, None),
    ],
)
def test_the_arrows_lead_to_the_days_before_and_after(view: View, back: str | None, forth: str | None) -> None:
    bar = draw_periods(view, span_in(view, NOW), None, NOW)
    assert (bar.earlier and bar.earlier.href, bar.later and bar.later.href) == (back, forth)


def test_no_arrow_leads_into_the_future() -> None:
    span = span_of(days("2026-03-20", "2026-03-29"), TODAY)
    assert later(span, TODAY) == Days(date(2026, 3, 30), TODAY)
    assert later(span_of(days("2026-03-20", "2026-04-29"), TODAY), TODAY) is None
    assert earlier(Span(span.range, days("2000-01-02", "2000-01-09"), False, "days"), "") is None


def test_choosing_a_period_drops_the_interval_and_keeps_the_rest() -> None:
    view = View(period="today", interval="minute", compare="previous", metric="visits")
    bar = draw_periods(view, span_in(view, NOW), None, NOW)
    assert bar.periods[2][0].href == "?period=month&compare=previous&metric=visits"
    assert dict(bar.hidden) == {"compare": "previous", "metric": "visits"}
