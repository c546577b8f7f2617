"""Time labels: every bucket of a range by the site's wall clock, and how a bucket is written."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from turnout.errors import BadInput
from turnout.model.query import Days, Instants, Query
from turnout.query.ranges import exclusive_end

MAX_LABELS = 20_000
"""More than two years of hours, or thirteen days of minutes; beyond it an answer would be mostly labels."""

_LENGTH = {
    "time:minute": timedelta(minutes=1),
    "time:hour": timedelta(hours=1),
    "time:day": timedelta(days=1),
    "time:week": timedelta(weeks=1),
    "time:month": timedelta(days=28),
}


def time_dimension(query: Query) -> str | None:
    """The query's time dimension, or None."""
    return next((name for name in query.dimensions if name.startswith("time")), None)


def check_label_count(query: Query) -> None:
    """Raise `BadInput` when `time_labels` would list more than `MAX_LABELS` buckets."""
    bucket = time_dimension(query)
    if bucket is None:
        return
    first, last = query.range.first, query.range.last
    if (last - first + timedelta(days=2)) / _LENGTH[bucket] > MAX_LABELS:
        problem = f"the range has more than {MAX_LABELS} buckets; ask for a shorter range or longer buckets"
        raise BadInput("include.time_labels", problem)


def time_labels(query: Query, zone: ZoneInfo) -> tuple[str, ...]:
    """Every bucket of the query's range in order, as answers write them.

    Buckets are wall-clock times: the hour that a clock change repeats is one bucket, the hour that it skips is none.
    The first week is named by the range's first day where its Monday lies before it.
    """
    bucket = time_dimension(query)
    if bucket in ("time:minute", "time:hour"):
        return tuple(_clock_labels(query.range, zone, bucket))
    first, last = local_days(query.range, zone)
    days = (first + timedelta(days=at) for at in range((last - first).days + 1))
    labels: dict[str, None] = {}
    for day in days:
        if bucket == "time:week":
            day = max(day - timedelta(days=day.weekday()), first)
        elif bucket == "time:month":
            day = day.replace(day=1)
        labels[written(day)] = None
    return tuple(labels)


def written(bucket: date | datetime) -> str:
    """A bucket's name: `2026-03-29` for days, weeks and months, `2026-03-29 14:00:00` for hours and minutes."""
    if isinstance(bucket, datetime):
        return bucket.strftime("%Y-%m-%d %H:%M:%S")
    return bucket.isoformat()


def local_days(span: Days | Instants, zone: ZoneInfo) -> tuple[date, date]:
    """The first and the last local day that the range touches."""
    if isinstance(span, Days):
        return span.first, span.last
    return span.first.astimezone(zone).date(), span.last.astimezone(zone).date()


def _clock_labels(span: Days | Instants, zone: ZoneInfo, bucket: str) -> list[str]:
    """Walk through real time in steps at which every zone's wall clock passes each bucket at least once."""
    first_day, last_day = local_days(span, zone)
    if isinstance(span, Days):
        begin = datetime(first_day.year, first_day.month, first_day.day, tzinfo=UTC) - timedelta(hours=30)
        end = datetime(last_day.year, last_day.month, last_day.day, tzinfo=UTC) + timedelta(hours=54)
    else:
        begin, end = span.first, exclusive_end(span)
    seconds = 60 if bucket == "time:minute" else 900  # offsets and changes are whole quarters of an hour today
    begin_s = int(begin.timestamp()) // seconds * seconds
    labels: set[datetime] = set()
    for at_s in range(begin_s, int(end.timestamp()), seconds):
        local = datetime.fromtimestamp(max(at_s, int(begin.timestamp())), UTC).astimezone(zone)
        if first_day <= local.date() <= last_day:
            minute = local.minute if bucket == "time:minute" else 0
            labels.add(local.replace(minute=minute, second=0, microsecond=0, tzinfo=None, fold=0))
    return [written(label) for label in sorted(labels)]
