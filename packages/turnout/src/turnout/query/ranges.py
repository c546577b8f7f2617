"""Date ranges: what a `date_range` may be, and the days or instants it means for a site at a moment."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from turnout.errors import BadInput
from turnout.model.query import Days, Instants
from turnout.query.dimensions import nearest, shown

Moment = date | datetime
Span = str | tuple[Moment, Moment]
"""A checked `date_range`: one of `NAMED`, or two dates, or two date-times (naive: the site's wall clock)."""

NAMED = ("day", "7d", "28d", "30d", "91d", "month", "6mo", "12mo", "year", "all")
FIRST_YEAR = 1990
LAST_YEAR = 2100
MAX_DAYS = 3_660
"""The longest range that can be asked for by two dates: ten years."""

_DATE = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_DATE_TIME = re.compile(r"\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,6})?)?(Z|[+-]\d{2}:\d{2})?", re.ASCII)
_FIELD = "date_range"


def parse_span(raw: object) -> Span:
    """Check a `date_range` as it was sent. Raises `BadInput`."""
    if isinstance(raw, str):
        if raw not in NAMED:
            raise BadInput(_FIELD, f"unknown range {shown(raw)}{nearest(raw, NAMED)}, or two ISO 8601 dates")
        return raw
    if not isinstance(raw, list) or len(raw) != 2:
        raise BadInput(_FIELD, f"expected one of {', '.join(NAMED)}, or a list of two ISO 8601 dates or date-times")
    first, last = (_moment(part, f"{_FIELD}[{at}]") for at, part in enumerate(raw))
    if isinstance(first, datetime) != isinstance(last, datetime):
        raise BadInput(_FIELD, "expected two dates or two date-times, not one of each")
    return first, last


def resolve_span(span: Span, zone: ZoneInfo, now: datetime, first_day: date | None) -> Days | Instants:
    """The days or instants that `span` means at `now` (aware).

    `first_day` is the day of the site's first event, for `all`.
    Raises `BadInput` when a range ends before it begins, or is too long.
    """
    if isinstance(span, str):
        return _named(span, now.astimezone(zone).date(), first_day)
    first, last = span
    if isinstance(first, datetime) and isinstance(last, datetime):
        # In the hour that a clock change repeats, the first moment is the earlier one and the last the later one,
        # so that the range holds everything its wall-clock times can mean.
        begin, end = _instant(first, zone, fold=0), _instant(last, zone, fold=1)
        _check_length(begin, end)
        return Instants(begin, end)
    _check_length(first, last)
    return Days(first, last)


def bounds(span: Days | Instants, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first and the last moment of a range in the site's zone, as an answer shows them."""
    if isinstance(span, Instants):
        return span.first.astimezone(zone), span.last.astimezone(zone)
    begin = datetime(span.first.year, span.first.month, span.first.day, tzinfo=zone)
    end = datetime(span.last.year, span.last.month, span.last.day, 23, 59, 59, tzinfo=zone, fold=1)
    return begin, end


def exclusive_end(span: Instants) -> datetime:
    """The first instant after the range: a last moment without a fraction stands for its whole second."""
    step = timedelta(microseconds=1) if span.last.microsecond else timedelta(seconds=1)
    return span.last + step


def bucket_for(span: Days | Instants) -> str:
    """The time dimension that plain `time` stands for: hours up to two days, then days, weeks and months."""
    length = span.last - span.first + timedelta(days=1) if isinstance(span, Days) else span.last - span.first
    if length <= timedelta(hours=48):
        return "time:hour"
    if length <= timedelta(days=40):
        return "time:day"
    if length <= timedelta(weeks=52):
        return "time:week"
    return "time:month"


def _named(name: str, today: date, first_day: date | None) -> Days:
    if name.endswith("d"):
        return Days(today - timedelta(days=int(name[:-1])), today - timedelta(days=1))
    if name.endswith("mo"):
        months = today.year * 12 + today.month - int(name[:-2])
        return Days(date(months // 12, months % 12 + 1, 1), today)
    first = {
        "day": today,
        "month": today.replace(day=1),
        "year": today.replace(month=1, day=1),
        "all": min(first_day or today, today),
    }
    return Days(first[name], today)


def _moment(raw: object, field: str) -> Moment:
    expected = "expected an ISO 8601 date (2026-01-31) or date-time (2026-01-31T12:00:00+01:00)"
    if not isinstance(raw, str):
        raise BadInput(field, expected)
    try:
        if _DATE.fullmatch(raw):
            moment: Moment = date.fromisoformat(raw)
        elif _DATE_TIME.fullmatch(raw):
            moment = datetime.fromisoformat(raw)
        else:
            raise BadInput(field, expected)
    except ValueError:
        raise BadInput(field, f"{shown(raw)} is not in the calendar") from None
    if not FIRST_YEAR <= moment.year <= LAST_YEAR:
        raise BadInput(field, f"expected a year from {FIRST_YEAR} to {LAST_YEAR}")
    return moment


def _instant(moment: datetime, zone: ZoneInfo, fold: int) -> datetime:
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone, fold=fold)
    return moment.astimezone(UTC)


def _check_length(first: Moment, last: Moment) -> None:
    if last < first:
        raise BadInput(_FIELD, "ends before it begins")
    if last >= first + timedelta(days=MAX_DAYS):
        raise BadInput(_FIELD, f"is longer than {MAX_DAYS} days; ask for a shorter range")
