"""An answer as `POST /api/v2/query` writes it: results, meta, and the query as it was understood. Pure."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec

from turnout.model.query import AllOf, AnyOf, Comparison, Filter, Query, Result
from turnout.model.site import Site
from turnout.query.parse import Ask
from turnout.query.ranges import bounds


class Meta(msgspec.Struct, frozen=True, omit_defaults=True):
    """What was asked for with `include`; absent where it was not."""

    imports_included: bool | None = None
    imports_warning: str | None = None
    time_labels: tuple[str, ...] | None = None
    total_rows: int | None = None


class Pagination(msgspec.Struct, frozen=True):
    """Which part of all rows the results are."""

    limit: int
    offset: int


class QueryEcho(msgspec.Struct, frozen=True):
    """The query as it was understood: dates resolved to two ISO 8601 date-times, defaults filled in."""

    site_id: str
    metrics: tuple[str, ...]
    date_range: tuple[str, str]
    filters: tuple[object, ...]
    dimensions: tuple[str, ...]
    order_by: tuple[tuple[str, str], ...]
    include: dict[str, bool]
    pagination: Pagination


class AnswerRow(msgspec.Struct, frozen=True):
    """One line: the dimensions' values, then the metrics', each in the order asked for."""

    dimensions: tuple[str, ...]
    metrics: tuple[float | None, ...]


class Answer(msgspec.Struct, frozen=True):
    """The whole answer."""

    results: tuple[AnswerRow, ...]
    meta: Meta
    query: QueryEcho


def make_answer(ask: Ask, site: Site, query: Query, result: Result) -> Answer:
    """The answer to `ask`, which for `site` meant `query`."""
    asked = {"imports": ask.imports, "time_labels": ask.time_labels, "total_rows": ask.total_rows}
    first, last = bounds(query.range, ZoneInfo(site.timezone))
    echo = QueryEcho(
        site_id=site.domain,
        metrics=query.metrics,
        date_range=(first.isoformat(), last.isoformat()),
        filters=tuple(_filter(part) for part in query.filters),
        dimensions=query.dimensions,
        order_by=query.order_by,
        include={name: True for name, is_asked in asked.items() if is_asked},
        pagination=Pagination(query.limit, query.offset),
    )
    meta = Meta(
        imports_included=False if ask.imports else None,
        imports_warning="Nothing has been imported for this site." if ask.imports else None,
        time_labels=result.time_labels,
        total_rows=result.total_rows,
    )
    rows = tuple(AnswerRow(row.dimensions, row.metrics) for row in result.rows)
    return Answer(rows, meta, echo)


def _filter(part: Filter) -> list[object]:
    if isinstance(part, Comparison):
        echo: list[object] = [part.operator, part.dimension, part.values]
        return echo if part.case_sensitive else [*echo, {"case_sensitive": False}]
    if isinstance(part, AllOf | AnyOf):
        return ["and" if isinstance(part, AllOf) else "or", [_filter(each) for each in part.parts]]
    return ["not", _filter(part.part)]
