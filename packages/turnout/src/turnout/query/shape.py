"""Rows of a plan → Result: texts for dimensions, and the exact whole numbers as the numbers people read. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from zoneinfo import ZoneInfo

from turnout.model.query import Query, Result, Row
from turnout.query.labels import time_labels, written
from turnout.query.metrics import METRICS
from turnout.query.plan import Plan


def shape(plan: Plan, rows: Sequence[tuple[object, ...]], query: Query, zone: ZoneInfo) -> Result:
    """The answer to `query`, of which `plan` was made, from the statement's rows."""
    total: int | None = None
    if plan.counts_rows:
        total = _whole(rows[0][-1]) if rows else 0
        # An empty page comes as one row of nulls that carries the total.
        rows = [row[:-1] for row in rows if row[len(plan.dimensions)] is not None]
    return Result(
        rows=tuple(_row(plan, row) for row in rows),
        time_labels=time_labels(query, zone) if query.time_labels else None,
        total_rows=total,
    )


def _row(plan: Plan, row: tuple[object, ...]) -> Row:
    count = len(plan.dimensions)
    metrics = zip(plan.metrics, row[count:], strict=True)
    return Row(
        dimensions=tuple(_text(value) for value in row[:count]),
        metrics=tuple(_number(name, value) for name, value in metrics),
    )


def _text(value: object) -> str:
    if isinstance(value, date):  # a datetime too
        return written(value)
    return str(value)


def _number(name: str, value: object) -> int | float:
    divisor = METRICS[name].divisor
    whole = _whole(value)
    return whole if divisor == 1 else whole / divisor


def _whole(value: object) -> int:
    if not isinstance(value, int):
        raise TypeError(f"the event store answered {value!r} where a whole number was expected")
    return value
