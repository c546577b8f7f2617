"""Sums of derived days: from rollups where one dimension's sums answer the query, from visits where filters are of these."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from turnout.model.query import Comparison, Days
from turnout.model.words import NOT_SET
from turnout.query.asked import Asked, select
from turnout.query.conditions import known
from turnout.query.dimensions import Dimension
from turnout.store.rollups import COLUMNS, HOUR, OF_EVENTS, OF_VISITS, TOTAL, VISITORS

_OF_VISITS = {
    "visitors": VISITORS,
    "pageviews": "coalesce(sum(pageviews), 0)::BIGINT",
    "events": "coalesce(sum(events), 0)::BIGINT",
    "visits": "count(*)",
    "bounces": "coalesce(sum(bounces), 0)::BIGINT",
    "duration_ms": "coalesce(sum(duration_ms), 0)::BIGINT",
    "visit_pageviews": "coalesce(sum(pageviews), 0)::BIGINT",
}


class Rollup(msgspec.Struct, frozen=True):
    """The rows of `rollups` that answer a query: of one dimension, and of all its values or of one."""

    dimension: str
    value: str | None = None


def rollup_for(asked: Asked) -> Rollup | None:
    """The rollup whose rows add up to the answer, None where none does."""
    if not isinstance(asked.query.range, Days):
        return None
    buckets = [each.column for each in asked.dimensions if each.level == "time"]
    columns = [each.column for each in asked.dimensions if each.level != "time"]
    if len(columns) > 1 or not COLUMNS.issuperset(columns) or "minute" in buckets:
        return None
    if columns and columns[0] in OF_EVENTS and asked.begun:
        return None
    if "hour" in buckets:
        return None if columns or asked.query.filters else Rollup(HOUR)
    if not asked.query.filters:
        return Rollup(columns[0] if columns else TOTAL)
    return _rollup_of_value(asked, columns)


def _rollup_of_value(asked: Asked, columns: Sequence[str]) -> Rollup | None:
    """Where the one filter asks for one value of the one dimension."""
    part = asked.query.filters[0]
    if len(asked.query.filters) > 1 or not isinstance(part, Comparison) or part.dimension == "visit:country_name":
        return None
    column = known(part.dimension).column
    if part.operator != "is" or not part.case_sensitive or len(part.values) > 1:
        return None
    if column not in COLUMNS or any(each != column for each in columns):
        return None
    if column not in OF_VISITS and asked.begun:
        return None  # those are of visits with some such event, which are more than the visits that began with it
    value = part.values[0]
    if column == "country":
        return Rollup(column, "" if value == NOT_SET else value) if value else None
    return Rollup(column, value)


class RollupSums:
    """The sums of `asked` over derived days, from the rows of a rollup."""

    def __init__(self, asked: Asked, days: Sequence[Days], rollup: Rollup) -> None:
        self._asked = asked
        self._days = days
        self._rollup = rollup

    def select(self) -> str:
        """The statement: the dimensions' values, then the sums."""
        asked = self._asked
        columns = [f"{self._value(each)} AS {key}" for each, key in zip(asked.dimensions, asked.keys, strict=True)]
        columns += [f"coalesce(sum({name}), 0)::BIGINT AS {name}" for name in asked.sums]
        where = self._rows(self._rollup)
        # A line that only has sums which were not asked for is no line of the answer.
        if not asked.begun:
            where.append("events > 0")
        if not asked.seen:
            where.append("visits > 0")
        return select(columns, "rollups", where, len(asked.keys))

    def everyone(self) -> str:
        """The statement that counts the visitors of all lines together."""
        whole = self._rollup if self._rollup.value is not None else Rollup(TOTAL)
        return select(["coalesce(sum(visitors), 0)::BIGINT AS everyone"], "rollups", self._rows(whole), 0)

    def _rows(self, rollup: Rollup) -> list[str]:
        mark = self._asked.parameters.mark
        where = [self._asked.site, self._asked.on_days(self._days), f"dimension = {mark(rollup.dimension)}"]
        if rollup.value is not None:
            where.append(f"value = {mark(rollup.value)}")
        return where

    def _value(self, dimension: Dimension) -> str:
        if dimension.level != "time":
            return "value"
        if dimension.column == "hour":
            return "day + to_hours(value::INTEGER)"
        return self._asked.bucket(dimension.column, "day")


class VisitSums:
    """The sums of `asked`, which is of whole visits, over derived days, from one row a visit."""

    def __init__(self, asked: Asked, days: Sequence[Days]) -> None:
        self._asked = asked
        self._days = days

    def select(self) -> str:
        """The statement: the dimensions' values, then the sums."""
        asked = self._asked
        columns = [
            f"{asked.value(each, 'day')} AS {key}" for each, key in zip(asked.dimensions, asked.keys, strict=True)
        ]
        columns += [f"{_OF_VISITS[name]} AS {name}" for name in asked.sums]
        return select(columns, "visits", self._rows(), len(asked.keys))

    def everyone(self) -> str:
        """The statement that counts the visitors of all lines together."""
        return select([f"{VISITORS} AS everyone"], "visits", self._rows(), 0)

    def _rows(self) -> list[str]:
        return [self._asked.site, self._asked.on_days(self._days), self._asked.fits()]
