"""Spans of time and buckets of a chart in words, as short as they allow."""

from __future__ import annotations

from datetime import date, datetime, timedelta, tzinfo

from turnout.model.query import Days, Instants
from turnout.web.page.intervals import Step


def name_range(span: Days | Instants, zone: tzinfo | None) -> str:
    """A range in words; moments by the wall clock of `zone`."""
    if isinstance(span, Days):
        return name_days(span)
    first = span.first.astimezone(zone)
    end = (span.last + timedelta(seconds=1)).astimezone(zone)
    if first.date() == end.date():
        return f"{end.day} {end:%b %Y}, {first:%H:%M} – {end:%H:%M}"
    return f"{first.day} {first:%b}, {first:%H:%M} – {end.day} {end:%b %Y}, {end:%H:%M}"


def name_days(days: Days) -> str:
    """The days in words: `24 Nov 2026`, `1–24 Nov 2026`, `25 Oct – 24 Nov 2026`."""
    first, last = days.first, days.last
    end = f"{last.day} {last:%b %Y}"
    if first == last:
        return end
    if (first.year, first.month) == (last.year, last.month):
        return f"{first.day}–{end}"
    if first.year == last.year:
        return f"{first.day} {first:%b} – {end}"
    return f"{first.day} {first:%b %Y} – {end}"


def bucket_at(now: datetime, step: Step, first_day: date) -> str:
    """The label of the bucket that `now`, the site's wall clock, falls into; see `query/labels.py`."""
    if step == "minute":
        return f"{now:%Y-%m-%d %H:%M}:00"
    if step == "hour":
        return f"{now:%Y-%m-%d %H}:00:00"
    if step == "week":
        return max(now.date() - timedelta(days=now.weekday()), first_day).isoformat()
    return f"{now:%Y-%m}-01" if step == "month" else f"{now:%Y-%m-%d}"


def short_label(label: str, step: Step, *, with_day: bool = False) -> str:
    """A bucket below the axis. `with_day`: hours of more than one day."""
    at = datetime.fromisoformat(label)
    if step in ("minute", "hour"):
        return f"{at.day} {at:%b}, {at:%H:%M}" if with_day else f"{at:%H:%M}"
    return f"{at:%b %Y}" if step == "month" else f"{at.day} {at:%b}"


def long_label(label: str, step: Step, *, with_year: bool = False) -> str:
    """A bucket in full. `with_year`: hours and minutes too, which are most often of this year."""
    at = datetime.fromisoformat(label)
    if step in ("minute", "hour"):
        return f"{at:%a} {at.day} {at:%b}{f' {at.year}' if with_year else ''}, {at:%H:%M}"
    if step == "week":
        return f"Week from {at.day} {at:%b %Y}"
    return f"{at:%B %Y}" if step == "month" else f"{at:%a} {at.day} {at:%b %Y}"
