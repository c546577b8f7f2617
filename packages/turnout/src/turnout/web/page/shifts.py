"""The spans before and after a span: where the arrows lead, and what a comparison compares with."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Literal

import msgspec

from turnout.model.query import Days, Instants
from turnout.web.page.periods import Span, end_of_month, months_before
from turnout.web.page.span_words import name_days, name_range

Compare = Literal["", "previous", "year"]
COMPARISONS: dict[Compare, str] = {
    "": "No comparison",
    "previous": "Previous period",
    "year": "Same time last year",
}
EXACT_LIMIT_DAYS = 8
"""A running span of at most this many days is compared up to the same moment; in a longer one the rest of a day is
little, and whole days are far cheaper to count."""
FIRST_DAY = date(2000, 1, 1)


class Before(msgspec.Struct, frozen=True):
    """What a span is compared with.

    `range` is cut to as much of it as has passed of the span; `whole` is what the chart draws. `words` names `range`.
    """

    range: Days | Instants
    whole: Days | Instants
    words: str


def comparisons_offered(span: Span, period: str) -> tuple[Compare, ...]:
    """The comparisons that make sense; all time has nothing before it."""
    if period == "all":
        return ("",)
    return ("", "previous") if period == "realtime" else ("", "previous", "year")


def span_before(span: Span, compare: Compare, now: datetime) -> Before | None:
    """What the span is compared with, `now` being the site's wall clock, aware; None without a comparison."""
    if not compare:
        return None
    if isinstance(span.range, Instants):
        return _moments_before(span.range, compare, now)
    days = span.days
    whole = _year_before(days, span) if compare == "year" else previous_days(days, span)
    if not span.is_running:
        return Before(whole, whole, name_days(whole))
    last = min(whole.first + (now.date() - days.first), whole.last)
    if (days.last - days.first).days >= EXACT_LIMIT_DAYS:
        cut = Days(whole.first, last)
        return Before(cut, whole, name_days(cut))
    end = datetime.combine(last, now.time().replace(second=59, microsecond=0), now.tzinfo)
    moments = Instants(datetime.combine(whole.first, datetime.min.time(), now.tzinfo).astimezone(UTC), _utc(end))
    until = "" if whole.first == last else f"{last.day} {last:%b}, "
    return Before(moments, whole, f"{name_days(Days(whole.first, last))} until {until}{now:%H:%M}")


def previous_days(days: Days, span: Span) -> Days:
    """As many days, or the same part of as many months, just before."""
    if span.unit in ("months", "years"):
        months = 12 if span.unit == "years" else _months(days)
        return Days(months_before(days.first, months), _same_day(days.last, months, span))
    length = timedelta(days=(days.last - days.first).days + 1)
    return Days(days.first - length, days.last - length)


def earlier(span: Span, period: str) -> Days | None:
    """Where the arrow back leads: whole months for a month, else as many days. None where there is no way back."""
    if period == "all" or span.unit == "moments":
        return None
    days = span.days
    # From a month or year that is not over, to the whole of the one before.
    if span.unit == "months":
        days = Days(days.first, end_of_month(days.last))
    elif span.unit == "years":
        days = Days(days.first, date(days.last.year, 12, 31))
    found = previous_days(days, span)
    return found if found.first >= FIRST_DAY else None


def later(span: Span, today: date) -> Days | None:
    """Where the arrow forth leads; None where that has not begun. It may end after `today`."""
    if span.unit == "moments" or span.days.last >= today:
        return None
    days = span.days
    if span.unit == "months":
        months = _months(days)
        return Days(months_before(days.first, -months), end_of_month(months_before(days.last.replace(day=1), -months)))
    length = timedelta(days=(days.last - days.first).days + 1)
    return Days(days.first + length, min(days.last + length, today))


def _moments_before(span: Instants, compare: Compare, now: datetime) -> Before:
    length = span.last - span.first + timedelta(seconds=1)
    if compare == "previous":
        whole = Instants(span.first - length, span.last - length)
        end = now.astimezone(UTC) - length
    else:
        whole = Instants(_last_year(span.first, now), _last_year(span.last, now))
        end = _last_year(now, now)
    # To the end of the minute, so that the question stays the same for as long; half an hour is too short to be cut.
    end = end.replace(second=59, microsecond=0) if length > timedelta(hours=1) else whole.last
    cut = Instants(whole.first, end)
    return Before(cut, whole, name_range(cut, now.tzinfo))


def _last_year(moment: datetime, now: datetime) -> datetime:
    local = moment.astimezone(now.tzinfo)
    return _utc(local.replace(year=local.year - 1, day=28 if (local.month, local.day) == (2, 29) else local.day))


def _year_before(days: Days, span: Span) -> Days:
    return Days(months_before(days.first, 12), _same_day(days.last, 12, span))


def _same_day(day: date, months: int, span: Span) -> date:
    """The day so many months before; for a span of months the end of one leads to the end of the other."""
    found = months_before(day, months)
    return end_of_month(found) if span.unit in ("months", "years") and day == end_of_month(day) else found


def _months(days: Days) -> int:
    return (days.last.year - days.first.year) * 12 + days.last.month - days.first.month + 1


def _utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC)
