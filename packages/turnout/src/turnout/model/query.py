"""A question to the analytics, after parsing: names checked, dates resolved, limits kept. See `query/parse.py`."""

from __future__ import annotations

from datetime import date, datetime
from typing import Literal

import msgspec

Operator = Literal["is", "is_not", "contains", "contains_not", "matches", "matches_not"]


class Comparison(msgspec.Struct, frozen=True, tag="compare"):
    """A test of one dimension; it holds when any of `values` fits (for the `_not` operators: when none does)."""

    operator: Operator
    dimension: str
    values: tuple[str, ...]
    case_sensitive: bool = True


class AllOf(msgspec.Struct, frozen=True, tag="and"):
    """Holds when every part holds."""

    parts: tuple[Filter, ...]


class AnyOf(msgspec.Struct, frozen=True, tag="or"):
    """Holds when some part holds."""

    parts: tuple[Filter, ...]


class Not(msgspec.Struct, frozen=True, tag="not"):
    """Holds when its part does not."""

    part: Filter


Filter = Comparison | AllOf | AnyOf | Not


class Days(msgspec.Struct, frozen=True, tag="days"):
    """Whole local days of the site, both ends included, by the local date stored with each event."""

    first: date
    last: date


class Instants(msgspec.Struct, frozen=True, tag="instants"):
    """A span of time in UTC, both ends included; `last` covers the whole of its second where it names no fraction."""

    first: datetime
    last: datetime


class Query(msgspec.Struct, frozen=True, kw_only=True):
    """One question about one site."""

    metrics: tuple[str, ...]
    range: Days | Instants
    dimensions: tuple[str, ...] = ()
    filters: tuple[Filter, ...] = ()
    order_by: tuple[tuple[str, Literal["asc", "desc"]], ...] = ()
    limit: int = 10_000
    offset: int = 0
    time_labels: bool = False
    total_rows: bool = False


class Row(msgspec.Struct, frozen=True):
    """One line of an answer: the dimensions' values, then the metrics', each in the order asked for."""

    dimensions: tuple[str, ...]
    metrics: tuple[int | float | None, ...]


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """An answer. Where asked for, `total_rows` counts rows before pagination, `time_labels` lists every bucket."""

    rows: tuple[Row, ...]
    time_labels: tuple[str, ...] | None = None
    total_rows: int | None = None
