"""Which properties an event was sent with: one statement that lists the keys of the `props` map. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from turnout.model.query import Days, Instants
from turnout.model.site import Site
from turnout.query.dimensions import MAX_PROPERTY_LENGTH
from turnout.query.plan import Plan
from turnout.query.ranges import exclusive_end

MAX_NAMES = 30
"""Properties listed for an event: the most frequent ones. An event may have been sent with any number of keys."""


def property_names_plan(site: Site, span: Days | Instants, event: str) -> Plan:
    """The statement that returns the names of the properties of an event in a range, most frequent first.

    Names that no query could ask for (longer than `MAX_PROPERTY_LENGTH`, or empty) are left out.
    """
    column, begin, end = _bounds(span)
    sql = (
        "SELECT key FROM (SELECT unnest(map_keys(props)) AS key FROM events"
        f" WHERE site_id = $1 AND name = $2 AND {column} >= $3::TIMESTAMP AND {column} < $4::TIMESTAMP)"
        " WHERE length(key) BETWEEN 1 AND $5 GROUP BY key ORDER BY count(*) DESC, key LIMIT $6"
    )
    return Plan(sql, (site.id, event, begin, end, MAX_PROPERTY_LENGTH, MAX_NAMES), (), (), False)


def shape_names(rows: Sequence[tuple[object, ...]]) -> tuple[str, ...]:
    """The names from the statement's rows."""
    return tuple(str(row[0]) for row in rows)


def _bounds(span: Days | Instants) -> tuple[str, datetime, datetime]:
    """The column that a range is told by, its begin, and its end, which is not part of it."""
    if isinstance(span, Days):
        begin = datetime(span.first.year, span.first.month, span.first.day)
        return "local_at", begin, datetime(span.last.year, span.last.month, span.last.day) + timedelta(days=1)
    first, last = span.first.astimezone(UTC), exclusive_end(span).astimezone(UTC)
    return "occurred_at", first.replace(tzinfo=None), last.replace(tzinfo=None)
