"""How finely a chart is drawn: the intervals that make sense for a span of time, and which one where none is asked for."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

from turnout.model.query import Days, Instants

Step = Literal["minute", "hour", "day", "week", "month"]

INTERVALS: dict[Step, str] = {
    "minute": "Minutes",
    "hour": "Hours",
    "day": "Days",
    "week": "Weeks",
    "month": "Months",
}
DAILY_LIMIT_DAYS = 100
"""A longer span is drawn by months unless asked otherwise: more points than this can't be told apart on a phone."""
HOURLY_LIMIT_DAYS = 8
"""A week and today: 192 hours."""
LONGEST_DAILY_DAYS = 400
LONGEST_WEEKLY_DAYS = 2_000


def offered(span: Days | Instants) -> tuple[Step, ...]:
    """The intervals that make sense for a span, finest first: at least two buckets, and not more than can be drawn."""
    if isinstance(span, Instants):
        return ("minute",) if span.last - span.first < timedelta(hours=2) else ("minute", "hour")
    days = (span.last - span.first).days + 1
    fits: dict[Step, bool] = {
        "minute": days == 1,
        "hour": days <= HOURLY_LIMIT_DAYS,
        "day": 2 <= days <= LONGEST_DAILY_DAYS,
        "week": 14 <= days <= LONGEST_WEEKLY_DAYS,
        "month": (span.first.year, span.first.month) != (span.last.year, span.last.month),
    }
    return tuple(step for step in INTERVALS if fits[step])


def chosen(asked: str, span: Days | Instants) -> Step:
    """The interval asked for where the span offers it; else the span's own."""
    steps = offered(span)
    return next((step for step in steps if step == asked), _usual(span, steps))


def _usual(span: Days | Instants, steps: tuple[Step, ...]) -> Step:
    if isinstance(span, Instants):
        return steps[-1]
    days = (span.last - span.first).days + 1
    return "hour" if days == 1 else "day" if days <= DAILY_LIMIT_DAYS else "month"
