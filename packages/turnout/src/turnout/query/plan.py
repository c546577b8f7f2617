"""Query → Plan: one SQL statement. Pure: nothing is read here.

An answer is made of two sets of sums, joined on the dimensions' values: *seen*, over events that happened in the range,
and *begun*, over visits that started in it. A visit's sums are sums of its rows' deltas (`model/event.py`), so neither
needs a join.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import msgspec

from turnout.model.query import Days, Query
from turnout.model.site import Site
from turnout.query.conditions import Parameters, comparisons, condition, country_named, known, read_value
from turnout.query.dimensions import Dimension
from turnout.query.labels import local_days
from turnout.query.metrics import EVENT_SUMS, METRICS, VISIT_SUMS
from turnout.query.ranges import exclusive_end

_COUNTED = "name <> 'engagement'"

# Longer than any local date lasts on Earth (50 hours, where a site's zone changes during it): no visit reaches further.
_LONGEST_VISIT = timedelta(hours=72)

_SUMS = {
    "visitors": "count(DISTINCT visitor)",
    "pageviews": "count(*) FILTER (WHERE name = 'pageview')",
    "events": f"count(*) FILTER (WHERE {_COUNTED})",
    "visits": "coalesce(sum(visit_delta), 0)::BIGINT",
    "bounces": "coalesce(sum(bounce_delta), 0)::BIGINT",
    "duration_ms": "coalesce(sum(duration_delta_ms), 0)::BIGINT",
    "visit_pageviews": "count(*) FILTER (WHERE name = 'pageview')",
}

# Whole-number division of n by d, halves away from zero (both are never negative): floor((2n + d) / 2d).
_FORMULAS = {
    "views_per_visit": "CASE WHEN visits = 0 THEN 0 ELSE (200 * visit_pageviews + visits) // (2 * visits) END",
    "bounce_rate": "CASE WHEN visits = 0 THEN 0 ELSE (200 * bounces + visits) // (2 * visits) END",
    "visit_duration": "CASE WHEN visits = 0 THEN 0 ELSE (2 * duration_ms + 1000 * visits) // (2000 * visits) END",
    "percentage": "CASE WHEN everyone = 0 THEN 0 ELSE (2000 * visitors + everyone) // (2 * everyone) END",
}


class Plan(msgspec.Struct, frozen=True):
    """One statement. It returns a row for each line of the answer: the dimensions' values, then the metrics'.

    Metrics are exact whole numbers (see `metrics.py`). Where `counts_rows`, each row ends in the number of rows before
    pagination; when the page is empty there is one row of nulls and that number.
    """

    sql: str
    parameters: tuple[object, ...]
    dimensions: tuple[str, ...]
    metrics: tuple[str, ...]
    counts_rows: bool


def make_plan(site: Site, query: Query) -> Plan:
    """The statement that answers `query` for one site."""
    planner = _Planner(site, query)
    sql = planner.statement()
    return Plan(sql, planner.parameters.values(), query.dimensions, query.metrics, query.total_rows)


def first_day_plan(site: Site) -> Plan:
    """The statement that returns the local day of a site's first event, or null."""
    sql = f"SELECT min(local_at)::DATE FROM events WHERE site_id = $1 AND {_COUNTED}"
    return Plan(sql, (site.id,), (), (), False)


class _Planner:
    def __init__(self, site: Site, query: Query) -> None:
        self.parameters = Parameters()
        self._query = query
        self._first_day, _ = local_days(query.range, ZoneInfo(site.timezone))
        self._dimensions = [known(name) for name in query.dimensions]
        self._filtered = [known(each.dimension) for each in comparisons(query.filters)]
        self._site = f"site_id = {self.parameters.mark(site.id)}"
        needed = {name for metric in query.metrics for name in METRICS[metric].sums}
        self._seen = [name for name in EVENT_SUMS if name in needed]
        self._begun = [name for name in VISIT_SUMS if name in needed]
        self._by_visit_only = all(dimension.level == "visit" for dimension in self._filtered)
        self._tables: list[str] = []

    def statement(self) -> str:
        """The whole text; called once."""
        if any(each.column == "exit_page" for each in (*self._dimensions, *self._filtered)):
            self._tables.append(f"exits AS MATERIALIZED ({self._exits()})")
        source = self._add_sums()
        has_share = "percentage" in self._query.metrics and self._dimensions
        if has_share:
            self._tables.append(f"whole AS MATERIALIZED ({self._everyone()})")
        everyone = ", (SELECT everyone FROM whole) AS everyone" if has_share else ", visitors AS everyone"
        if "percentage" not in self._query.metrics:
            everyone = ""
        self._tables.append(f"sums AS (SELECT *{everyone} FROM {source})")
        return self._page(f"SELECT {', '.join(self._answer_columns())} FROM sums")

    def _add_sums(self) -> str:
        """Add the tables of sums, and say what to select them from."""
        tables = self._same_rows_tables() if self._is_of_same_rows() else self._two_sets_tables()
        self._tables += [f"{name} AS ({sql})" for name, sql in tables]
        if len(tables) == 1:
            return tables[0][0]
        if not self._dimensions:
            return "seen CROSS JOIN begun"
        keys = ", ".join(self._keys())
        sums = ", ".join(f"coalesce({name}, 0) AS {name}" for name in (*self._seen, *self._begun))
        return f"(SELECT {keys}, {sums} FROM seen FULL JOIN begun USING ({keys}))"

    def _two_sets_tables(self) -> list[tuple[str, str]]:
        tables = []
        if self._seen:
            tables.append(("seen", self._seen_scan(self._seen)))
        if self._begun:
            if not self._by_visit_only:
                self._tables.append(f"chosen AS MATERIALIZED ({self._chosen()})")
            tables.append(("begun", self._begun_scan()))
        return tables

    def _is_of_same_rows(self) -> bool:
        """Whether all sums are over the same rows.

        A visit lies within one local date, and so does a visitor's hash. So over whole days, with conditions and
        dimensions that are the same for all rows of a visit, events in the range are those of visits started in it.
        """
        return (
            isinstance(self._query.range, Days)
            and self._by_visit_only
            and all(each.level == "visit" or each.column in ("day", "week", "month") for each in self._dimensions)
        )

    def _same_rows_tables(self) -> list[tuple[str, str]]:
        """Visitors from the first rows of visits, which name them all; every other sum in one scan of all rows.

        Two scans: counting distinct visitors beside other sums in one took 2.5 times as long (10 million rows).
        """
        needed = [*self._seen, *self._begun]
        if "visitors" not in needed:
            return [("seen", self._same_rows_scan(needed, "visit_id IS NOT NULL"))]
        if set(needed) <= {"visitors", "visits"}:
            return [("seen", self._same_rows_scan(needed, "visit_delta = 1"))]
        needed.remove("visitors")
        return [
            ("seen", self._same_rows_scan(["visitors"], "visit_delta = 1")),
            ("begun", self._same_rows_scan(needed, "visit_id IS NOT NULL")),
        ]

    def _same_rows_scan(self, names: Sequence[str], rows: str) -> str:
        where = [self._site, self._happened(), rows, condition(self._query.filters, self.parameters)]
        return self._grouped(names, where, begun=False)

    def _seen_scan(self, names: Sequence[str]) -> str:
        return self._grouped(names, self._seen_rows(), begun=False)

    def _begun_scan(self) -> str:
        if self._by_visit_only:
            qualifies = condition(self._query.filters, self.parameters)
        else:
            qualifies = "visit_id IN (SELECT visit_id FROM chosen)"
        where = [self._site, self._started(), qualifies]
        return self._grouped(self._begun, where, begun=True)

    def _chosen(self) -> str:
        rows = " AND ".join(self._seen_rows())
        return f"SELECT DISTINCT visit_id FROM {self._rows(self._filtered)} WHERE {rows}"

    def _everyone(self) -> str:
        if isinstance(self._query.range, Days) and self._by_visit_only:
            filters = condition(self._query.filters, self.parameters)
            where = [self._site, self._happened(), "visit_delta = 1", filters]
        else:
            where = self._seen_rows()
        rows = self._rows(self._filtered)
        return f"SELECT count(DISTINCT visitor) AS everyone FROM {rows} WHERE {' AND '.join(where)}"

    def _exits(self) -> str:
        """Each visit's exit page: the page of its last pageview, or of its last event where it has none."""
        if isinstance(self._query.range, Days):
            scope = self._happened()
        else:
            begin, end = self._query.range.first - _LONGEST_VISIT, self._query.range.last + _LONGEST_VISIT
            near = self._between("occurred_at", _naive_utc(begin), _naive_utc(end))
            touched = f"SELECT visit_id FROM events WHERE {self._site} AND {self._happened()} AND {_COUNTED}"
            scope = f"{near} AND visit_id IN ({touched})"
        last_view = "arg_max(page, position) FILTER (WHERE name = 'pageview')"
        page = f"coalesce({last_view}, arg_max(page, position)) AS exit_page"
        return f"SELECT visit_id, {page} FROM events WHERE {self._site} AND {scope} AND {_COUNTED} GROUP BY visit_id"

    def _seen_rows(self) -> list[str]:
        return [self._site, self._happened(), _COUNTED, condition(self._query.filters, self.parameters)]

    def _grouped(self, names: Sequence[str], where: Sequence[str], *, begun: bool) -> str:
        values = [self._dimension_value(dimension, begun=begun) for dimension in self._dimensions]
        columns = [f"{value} AS {key}" for value, key in zip(values, self._keys(), strict=True)]
        columns += [f"{_SUMS[name]} AS {name}" for name in names]
        rows = self._rows([*self._dimensions, *self._filtered])
        group = f" GROUP BY {', '.join(str(at + 1) for at in range(len(values)))}" if values else ""
        return f"SELECT {', '.join(columns)} FROM {rows} WHERE {' AND '.join(where)}{group}"

    def _dimension_value(self, dimension: Dimension, *, begun: bool) -> str:
        if dimension.level == "time":
            return self._bucket(dimension.column, "visit_local_at" if begun else "local_at")
        if begun and dimension.column == "page":
            return "entry_page"
        return read_value(dimension, self.parameters) if dimension.column != "country" else "country"

    def _bucket(self, bucket: str, clock: str) -> str:
        if bucket in ("minute", "hour"):
            return f"date_trunc('{bucket}', {clock})::TIMESTAMP"
        if bucket == "week":
            # A first week that began before the range is named by the range's first day.
            return f"greatest(date_trunc('week', {clock})::DATE, {self.parameters.mark(self._first_day)}::DATE)"
        return f"date_trunc('{bucket}', {clock})::DATE"

    def _happened(self) -> str:
        return self._in_range("local_at", "occurred_at")

    def _started(self) -> str:
        return self._in_range("visit_local_at", "visit_started_at")

    def _in_range(self, local: str, utc: str) -> str:
        span = self._query.range
        if isinstance(span, Days):
            begin = datetime(span.first.year, span.first.month, span.first.day)
            end = datetime(span.last.year, span.last.month, span.last.day) + timedelta(days=1)
            return self._between(local, begin, end)
        return self._between(utc, _naive_utc(span.first), _naive_utc(exclusive_end(span)))

    def _between(self, column: str, begin: datetime, end: datetime) -> str:
        from_, to = self.parameters.mark(begin), self.parameters.mark(end)
        return f"{column} >= {from_}::TIMESTAMP AND {column} < {to}::TIMESTAMP"

    def _rows(self, used: Sequence[Dimension]) -> str:
        if any(each.column == "exit_page" for each in used):
            return "events JOIN exits USING (visit_id)"
        return "events"

    def _keys(self) -> list[str]:
        return [f"d{at}" for at in range(len(self._dimensions))]

    def _answer_columns(self) -> list[str]:
        columns: list[str] = []
        for key, dimension in zip(self._keys(), self._dimensions, strict=True):
            value = key
            if dimension.name == "visit:country_name":
                value = country_named(key, self.parameters)
            elif dimension.name == "visit:country":
                value = f"CASE WHEN {key} = '' THEN {self.parameters.mark(dimension.missing)} ELSE {key} END"
            columns.append(f"{value} AS {key}")
        for at, metric in enumerate(self._query.metrics):
            columns.append(f"{_FORMULAS.get(metric, metric)} AS m{at}")
        return columns

    def _page(self, answer: str) -> str:
        names = [*self._keys(), *(f"m{at}" for at in range(len(self._query.metrics)))]
        order = f"ORDER BY {', '.join(self._order())}"
        limit = f"LIMIT {self.parameters.mark(self._query.limit)} OFFSET {self.parameters.mark(self._query.offset)}"
        if not self._query.total_rows:
            return f"WITH {', '.join(self._tables)} {answer} {order} {limit}"
        self._tables.append(f"answer AS MATERIALIZED ({answer})")
        self._tables.append(f"page AS (SELECT * FROM answer {order} {limit})")
        columns = ", ".join(f"page.{name}" for name in names)
        counted = "(SELECT count(*) AS total FROM answer)"
        return f"WITH {', '.join(self._tables)} SELECT {columns}, total FROM {counted} LEFT JOIN page ON true {order}"

    def _order(self) -> list[str]:
        """What was asked for, then every dimension, so that ties have one order too."""
        keys = dict(zip(self._query.dimensions, self._keys(), strict=True))
        names = keys | {metric: f"m{at}" for at, metric in enumerate(self._query.metrics)}
        order = {names[name]: direction for name, direction in self._query.order_by}
        for key in keys.values():
            order.setdefault(key, "asc")
        return [f"{key} {direction}" for key, direction in order.items()] or ["1"]


def _naive_utc(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(tzinfo=None)
