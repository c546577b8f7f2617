"""Sums from raw rows: what events and visits of some spans come to, by the values of a query's dimensions.

There are two sets of sums, joined on the dimensions' values: *seen*, over events that happened in the span, and *begun*,
over visits that started in it. A visit's sums are sums of its rows' deltas (`model/event.py`), so neither needs a join.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from turnout.model.derived import Derived
from turnout.model.query import Days, Instants
from turnout.query.asked import Asked, add_up, select
from turnout.query.dimensions import Dimension
from turnout.query.spans import between, naive_utc

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


class RawSums:
    """The sums of `asked` over `spans`. Adds what it needs to the statement's tables.

    `derived` are days whose exit pages can be read from the visits instead of being found anew.
    """

    def __init__(self, asked: Asked, spans: Sequence[Days] | Instants, derived: Derived) -> None:
        self._asked = asked
        self._spans = spans
        self._derived = derived
        self._parts: list[Sequence[Days] | Instants] = [spans]
        if not isinstance(spans, Instants) and any(each.level == "event" for each in asked.dimensions):
            self._parts = [*asked.parts(spans)]
        self._use_exits([*asked.dimensions, *asked.filtered])

    def source(self) -> str:
        """Add the tables of sums, and say what to select them from; called once."""
        asked = self._asked
        tables = self._same_rows_tables() if asked.is_of_whole_visits else self._two_sets_tables()
        asked.tables += [f"{name} AS ({sql})" for name, sql in tables]
        if len(tables) == 1:
            return tables[0][0]
        if not asked.dimensions:
            return "seen CROSS JOIN begun"
        keys = ", ".join(asked.keys)
        sums = ", ".join(f"coalesce({name}, 0) AS {name}" for name in asked.sums)
        return f"(SELECT {keys}, {sums} FROM seen FULL JOIN begun USING ({keys}))"

    def everyone(self) -> str:
        """The statement that counts the visitors of all lines together."""
        by_visit_only = not isinstance(self._spans, Instants) and self._asked.is_filtered_by_visit_only
        counted = "visit_delta = 1" if by_visit_only else _COUNTED
        rows = self._rows(self._asked.filtered)
        counts = [
            select(["count(DISTINCT visitor) AS everyone"], rows, self._seen_rows(part, counted), 0)
            for part in self._parts
        ]
        return add_up(counts, (), ("everyone",))

    def _two_sets_tables(self) -> list[tuple[str, str]]:
        asked = self._asked
        tables = []
        if asked.seen:
            tables.append(("seen", self._seen_scan(asked.seen, _COUNTED)))
        if asked.begun:
            if not asked.is_filtered_by_visit_only:
                asked.tables.append(f"chosen AS MATERIALIZED ({self._chosen()})")
            tables.append(("begun", self._begun_scan()))
        return tables

    def _same_rows_tables(self) -> list[tuple[str, str]]:
        """Visitors from the first rows of visits, which name them all; every other sum in one scan of all rows.

        Two scans: counting distinct visitors beside other sums in one took 2.5 times as long (10 million rows).
        """
        needed = list(self._asked.sums)
        if "visitors" not in needed:
            return [("seen", self._seen_scan(needed, "visit_id IS NOT NULL"))]
        if set(needed) <= {"visitors", "visits"}:
            return [("seen", self._seen_scan(needed, "visit_delta = 1"))]
        needed.remove("visitors")
        return [
            ("seen", self._seen_scan(["visitors"], "visit_delta = 1")),
            ("begun", self._seen_scan(needed, "visit_id IS NOT NULL")),
        ]

    def _seen_scan(self, names: Sequence[str], rows: str) -> str:
        parts = self._parts if "visitors" in names else [self._spans]
        scans = [self._grouped(names, self._seen_rows(part, rows), begun=False) for part in parts]
        return add_up(scans, self._asked.keys, names)

    def _begun_scan(self) -> str:
        by_visit_only = self._asked.is_filtered_by_visit_only
        qualifies = self._asked.fits() if by_visit_only else "visit_id IN (SELECT visit_id FROM chosen)"
        started = self._asked.within(self._spans, "visit_local_at", "visit_started_at")
        return self._grouped(self._asked.begun, [self._asked.site, started, qualifies], begun=True)

    def _chosen(self) -> str:
        rows = " AND ".join(self._seen_rows(self._spans, _COUNTED))
        return f"SELECT DISTINCT visit_id FROM {self._rows(self._asked.filtered)} WHERE {rows}"

    def _seen_rows(self, spans: Sequence[Days] | Instants, rows: str) -> list[str]:
        return [self._asked.site, self._happened(spans), rows, self._asked.fits()]

    def _happened(self, spans: Sequence[Days] | Instants) -> str:
        return self._asked.within(spans, "local_at", "occurred_at")

    def _grouped(self, names: Sequence[str], where: Sequence[str], *, begun: bool) -> str:
        asked = self._asked
        values = [self._value(dimension, begun=begun) for dimension in asked.dimensions]
        columns = [f"{value} AS {key}" for value, key in zip(values, asked.keys, strict=True)]
        columns += [f"{_SUMS[name]} AS {name}" for name in names]
        return select(columns, self._rows([*asked.dimensions, *asked.filtered]), where, len(values))

    def _value(self, dimension: Dimension, *, begun: bool) -> str:
        if begun and dimension.column == "page":
            return "entry_page"
        return self._asked.value(dimension, "visit_local_at" if begun else "local_at")

    def _rows(self, used: Sequence[Dimension]) -> str:
        return "events JOIN exits USING (visit_id)" if _has_exits(used) else "events"

    def _use_exits(self, used: Sequence[Dimension]) -> None:
        if not _has_exits(used):
            return
        if isinstance(self._spans, Instants):
            parts = [self._exits_of_instants(self._spans)]
        else:
            splits = [self._derived.split(span) for span in self._spans]
            derived, raw = ([run for split in splits for run in split[at]] for at in (0, 1))
            parts = [self._exits_of_visits(derived)] if derived else []
            parts += [self._exits_of_days(raw)] if raw else []
        # What the engine reads from visits it had better narrow by the filter first; what it groups it must not group
        # twice.
        once = "NOT MATERIALIZED" if parts[0].endswith("visits") else "MATERIALIZED"
        self._asked.tables.append(f"exits AS {once} ({' UNION ALL '.join(parts)})")

    def _exits_of_visits(self, days: Sequence[Days]) -> str:
        return f"SELECT visit_id, exit_page FROM visits WHERE {self._asked.site} AND {self._asked.on_days(days)}"

    def _exits_of_days(self, days: Sequence[Days]) -> str:
        return self._exits(self._asked.within(days, "local_at", "occurred_at"))

    def _exits_of_instants(self, span: Instants) -> str:
        asked = self._asked
        begin, end = naive_utc(span.first - _LONGEST_VISIT), naive_utc(span.last + _LONGEST_VISIT)
        near = between(asked.parameters, "occurred_at", begin, end)
        touched = f"SELECT visit_id FROM events WHERE {asked.site} AND {self._happened(span)} AND {_COUNTED}"
        return self._exits(f"{near} AND visit_id IN ({touched})")

    def _exits(self, scope: str) -> str:
        """Each visit's exit page: the page of its last pageview, or of its last event where it has none."""
        last_view = "arg_max(page, position) FILTER (WHERE name = 'pageview')"
        page = f"coalesce({last_view}, arg_max(page, position)) AS exit_page"
        rows = f"{self._asked.site} AND {scope} AND {_COUNTED}"
        return f"SELECT visit_id, {page} FROM events WHERE {rows} GROUP BY visit_id"


def _has_exits(used: Sequence[Dimension]) -> bool:
    return any(each.column == "exit_page" for each in used)
