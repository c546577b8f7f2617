"""The spans of time a page can show: whole local days of the site, or the last minutes and hours."""

from __future__ import annotations

from calendar import monthrange
from datetime import UTC, date, datetime, timedelta
from typing import Literal

import msgspec

from turnout.model.query import Days, Instants

DEFAULT_PERIOD = "30d"


class Period(msgspec.Struct, frozen=True):
    """A period that can be chosen by name. `key` is the letter that chooses it, `group` what it is listed with."""

    label: str
    key: str
    group: int


PERIODS = {
    "today": Period("Today", "D", 0),
    "yesterday": Period("Yesterday", "E", 0),
    "realtime": Period("Realtime", "R", 0),
    "24h": Period("Last 24 hours", "H", 1),
    "7d": Period("Last 7 days", "W", 1),
    "28d": Period("Last 28 days", "F", 1),
    "30d": Period("Last 30 days", "T", 1),
    "91d": Period("Last 91 days", "N", 1),
    "month": Period("Month to date", "M", 2),
    "last_month": Period("Last month", "P", 2),
    "year": Period("Year to date", "Y", 3),
    "12mo": Period("Last 12 months", "L", 3),
    "all": Period("All time", "A", 4),
}
REALTIME_MINUTES = 30

Unit = Literal["days", "months", "years", "moments"]


class Span(msgspec.Struct, frozen=True):
    """What a period means at a moment.

    `range` is what is asked for, `days` the local days it touches. `is_running`: its end is not over yet. `unit` is
    what it moves by: months to months, a year to a year, days to as many days, moments to as much time.
    """

    range: Days | Instants
    days: Days
    is_running: bool
    unit: Unit


def resolve_period(period: str, now: datetime, first_day: date | None = None) -> Span:
    """The span of a name in `PERIODS` at `now`, aware, in the site's zone.

    `Nd` is the N whole days before today, and today; `all` is from `first_day`.
    """
    today = now.date()
    if period == "realtime":
        return _moments(now, now.replace(second=0, microsecond=0), timedelta(minutes=REALTIME_MINUTES - 1))
    if period == "24h":
        return _moments(now, now.replace(minute=0, second=0, microsecond=0), timedelta(hours=23))
    days = Days(min(first_day or today, today), today) if period == "all" else _days_of(period, today)
    months: Unit = "months" if period in ("month", "last_month", "12mo") else "days"
    unit: Unit = "years" if period == "year" else months
    return Span(days, days, days.last == today, unit)


def span_of(days: Days, today: date) -> Span:
    """The span of freely chosen days."""
    are_months = days.first.day == 1 and days.last == end_of_month(days.last)
    return Span(days, days, days.first <= today <= days.last, "months" if are_months else "days")


def end_of_month(day: date) -> date:
    """The last day of the day's month."""
    return day.replace(day=monthrange(day.year, day.month)[1])


def months_before(day: date, months: int) -> date:
    """The same day of an earlier month (a later one where `months` is negative), or that month's last day."""
    index = day.year * 12 + day.month - 1 - months
    year, month = index // 12, index % 12 + 1
    return date(year, month, min(day.day, monthrange(year, month)[1]))


def _moments(now: datetime, begun: datetime, before: timedelta) -> Span:
    """From `before` ahead of the bucket that `begun`, to that bucket's end. The same for as long as it lasts."""
    length = timedelta(hours=1) if before >= timedelta(hours=1) else timedelta(minutes=1)
    first, end = begun.astimezone(UTC) - before, begun.astimezone(UTC) + length - timedelta(seconds=1)
    days = Days(first.astimezone(now.tzinfo).date(), now.date())
    return Span(Instants(first, end), days, True, "moments")


def _days_of(period: str, today: date) -> Days:
    start_of_month = today.replace(day=1)
    if period == "today":
        return Days(today, today)
    if period == "yesterday":
        return Days(today - timedelta(days=1), today - timedelta(days=1))
    if period == "month":
        return Days(start_of_month, today)
    if period == "last_month":
        end = start_of_month - timedelta(days=1)
        return Days(end.replace(day=1), end)
    if period == "year":
        return Days(today.replace(month=1, day=1), today)
    if period == "12mo":
        return Days(months_before(start_of_month, 11), today)
    return Days(today - timedelta(days=int(period.removesuffix("d"))), today)
