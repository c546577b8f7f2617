"""The spans of time a page can show: whole local days of the site, and how finely the chart draws them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Literal

import msgspec

from turnout.model.query import Days

Step = Literal["hour", "day", "month"]

DEFAULT_PERIOD = "30d"
PERIODS = {
    "today": "Today",
    "yesterday": "Yesterday",
    "7d": "Last 7 days",
    "28d": "Last 28 days",
    "30d": "Last 30 days",
    "91d": "Last 91 days",
    "month": "This month",
    "last_month": "Last month",
    "year": "This year",
    "12mo": "Last 12 months",
    "all": "All time",
}
DAILY_LIMIT_DAYS = 100
"""A longer span is drawn by months: more points than this can't be told apart on a phone."""


class Span(msgspec.Struct, frozen=True):
    """What a period means on a given day. `is_running`: its last day is not over yet."""

    days: Days
    step: Step
    is_running: bool


def resolve_period(period: str, today: date, first_day: date) -> Span:
    """The span of a name in `PERIODS`. `Nd` is the N whole days before today, and today; `all` is from `first_day`."""
    return span_of(Days(min(first_day, today), today) if period == "all" else _days_of(period, today), today)


def span_of(days: Days, today: date) -> Span:
    """The span of freely chosen days."""
    length = (days.last - days.first).days + 1
    step: Step = "hour" if length == 1 else "day" if length <= DAILY_LIMIT_DAYS else "month"
    return Span(days, step, days.first <= today <= days.last)


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
        return Days(_months_before(start_of_month, 11), today)
    return Days(today - timedelta(days=int(period.removesuffix("d"))), today)


def _months_before(first: date, months: int) -> date:
    index = first.year * 12 + first.month - 1 - months
    return date(index // 12, index % 12 + 1, 1)


def name_days(days: Days) -> str:
    """The days in words, as short as they allow: `24 Nov 2026`, `1–24 Nov 2026`, `25 Oct – 24 Nov 2026`."""
    first, last = days.first, days.last
    end = f"{last.day} {last:%b %Y}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    if first.year == last.year:
        return f"{first.day} {first:%b} – {end}"
    return f"{first.day} {first:%b %Y} – {end}"
