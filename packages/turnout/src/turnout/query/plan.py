"""Query → Plan: one SQL statement. Pure: nothing is read here.

Days that are derived are read from rollups or visits where these can answer the query, all others from raw rows. Days
have no visitor and no visit in common, so what each table says of its days adds up.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from turnout.model.derived import NOTHING_DERIVED, Derived
from turnout.model.query import Days, Query
from turnout.model.site import Site
from turnout.query.asked import Asked, add_up
from turnout.query.conditions import country_named
from turnout.query.derived import RollupSums, VisitSums, rollup_for
from turnout.query.raw import RawSums

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


def make_plan(site: Site, query: Query, derived: Derived = NOTHING_DERIVED) -> Plan:
    """The statement that answers `query` for one site, of which `derived` says which days are derived."""
    planner = _Planner(site, query, derived)
    sql = planner.statement()
    return Plan(sql, planner.parameters.values(), query.dimensions, query.metrics, query.total_rows)


class _Planner:
    def __init__(self, site: Site, query: Query, derived: Derived) -> None:
        self._asked = Asked(site, query, derived.events_a_day)
        self.parameters = self._asked.parameters
        self._query = query
        self._derived = derived
        self._tables = self._asked.tables

    def statement(self) -> str:
        """The whole text; called once."""
        days, rest = self._split()
        sums, everyone = [], []
        if days is not None:
            sums.append(days.select())
            everyone += [days.everyone()] if self._asked.has_share else []
        if rest is not None:
            source = rest.source()
            sums.append(f"SELECT {', '.join([*self._asked.keys, *self._asked.sums])} FROM {source}")
            everyone += [rest.everyone()] if self._asked.has_share else []
        self._add_sums(sums, everyone)
        return self._page(f"SELECT {', '.join(self._answer_columns())} FROM sums")

    def _split(self) -> tuple[RollupSums | VisitSums | None, RawSums | None]:
        """What reads the derived days, and what reads the others."""
        asked, span = self._asked, self._query.range
        if not isinstance(span, Days):
            return None, RawSums(asked, span, self._derived)
        rollup = rollup_for(asked)
        runs, rest = self._derived.split(span)
        if not runs or (rollup is None and not asked.is_of_whole_visits):
            return None, RawSums(asked, [span], self._derived)
        days = VisitSums(asked, runs) if rollup is None else RollupSums(asked, runs, rollup)
        return days, RawSums(asked, rest, self._derived) if rest else None

    def _add_sums(self, sums: Sequence[str], everyone: Sequence[str]) -> None:
        source = f"({add_up(sums, self._asked.keys, self._asked.sums)})"
        whole = ""
        if everyone:
            self._tables.append(f"whole AS MATERIALIZED ({add_up(everyone, (), ('everyone',))})")
            whole = ", (SELECT everyone FROM whole) AS everyone"
        elif "percentage" in self._query.metrics:
            whole = ", visitors AS everyone"
        self._tables.append(f"sums AS (SELECT *{whole} FROM {source})")

    def _answer_columns(self) -> list[str]:
        columns: list[str] = []
        for key, dimension in zip(self._asked.keys, self._asked.dimensions, strict=True):
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
        names = [*self._asked.keys, *(f"m{at}" for at in range(len(self._query.metrics)))]
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
        keys = dict(zip(self._query.dimensions, self._asked.keys, strict=True))
        names = keys | {metric: f"m{at}" for at, metric in enumerate(self._query.metrics)}
        order = {names[name]: direction for name, direction in self._query.order_by}
        for key in keys.values():
            order.setdefault(key, "asc")
        return [f"{key} {direction}" for key, direction in order.items()] or ["1"]
