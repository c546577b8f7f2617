"""Conditions that a row lies in a span of days or of instants."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta

from turnout.model.query import Days, Instants
from turnout.query.conditions import Parameters
from turnout.query.ranges import exclusive_end


def within(parameters: Parameters, spans: Sequence[Days] | Instants, local: str, utc: str) -> str:
    """The condition that a row lies in one of the spans: of days by the column `local`, of instants by `utc`."""
    if isinstance(spans, Instants):
        return between(parameters, utc, naive_utc(spans.first), naive_utc(exclusive_end(spans)))
    runs = [between(parameters, local, midnight(span.first), midnight(span.last, 1)) for span in spans]
    if len(runs) == 1:
        return runs[0]
    # The outer bounds are what row groups are skipped by.
    outer = between(parameters, local, midnight(spans[0].first), midnight(spans[-1].last, 1))
    return f"{outer} AND ({' OR '.join(runs)})"


def between(parameters: Parameters, column: str, begin: datetime, end: datetime) -> str:
    """The condition that a time lies from `begin` to before `end`."""
    from_, to = parameters.mark(begin), parameters.mark(end)
    return f"{column} >= {from_}::TIMESTAMP AND {column} < {to}::TIMESTAMP"


def on_days(parameters: Parameters, spans: Sequence[Days]) -> str:
    """The condition that the column `day` lies in one of the spans."""
    mark = parameters.mark
    runs = [f"day >= {mark(span.first)}::DATE AND day <= {mark(span.last)}::DATE" for span in spans]
    return runs[0] if len(runs) == 1 else f"({' OR '.join(runs)})"


def naive_utc(moment: datetime) -> datetime:
    """UTC without saying so, as the store keeps it."""
    return moment.astimezone(UTC).replace(tzinfo=None)


def midnight(day: date, days_after: int = 0) -> datetime:
    """The wall clock's midnight with which a day begins, or one so many days after it."""
    return datetime(day.year, day.month, day.day) + timedelta(days=days_after)


def days_of(span: Days) -> Iterator[date]:
    """Every day of a span, in order."""
    return (span.first + timedelta(days=at) for at in range((span.last - span.first).days + 1))
