"""A query taken apart for the planner, and the pieces of SQL that its scans of different tables have in common."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from zoneinfo import ZoneInfo

from turnout.model.derived import DAY
from turnout.model.query import Days, Instants, Query
from turnout.model.site import Site
from turnout.query.conditions import Parameters, comparisons, condition, known, read_value
from turnout.query.dimensions import Dimension
from turnout.query.labels import local_days
from turnout.query.metrics import EVENT_SUMS, METRICS, VISIT_SUMS
from turnout.query.spans import days_of, on_days, within

EVENTS_A_PART = 1_500_000
MOST_PARTS = 6
"""Each part costs some milliseconds of planning."""


class Asked:
    """One query about one site. `seen` and `begun` name the sums it needs, `tables` collects the statement's CTEs."""

    def __init__(self, site: Site, query: Query, events_a_day: int) -> None:
        self._events_a_day = events_a_day
        self.parameters = Parameters()
        self.tables: list[str] = []
        self.query = query
        self.dimensions = [known(name) for name in query.dimensions]
        self.filtered = [known(each.dimension) for each in comparisons(query.filters)]
        self.site = f"site_id = {self.parameters.mark(site.id)}"
        needed = {name for metric in query.metrics for name in METRICS[metric].sums}
        self.seen = [name for name in EVENT_SUMS if name in needed]
        self.begun = [name for name in VISIT_SUMS if name in needed]
        self.sums = [*self.seen, *self.begun]
        self.keys = [f"d{at}" for at in range(len(self.dimensions))]
        self._first_day, _ = local_days(query.range, ZoneInfo(site.timezone))

    @property
    def has_share(self) -> bool:
        """Whether lines are to be held against everyone, so that everyone has to be counted apart."""
        return "percentage" in self.query.metrics and bool(self.dimensions)

    @property
    def is_filtered_by_visit_only(self) -> bool:
        """Whether every filter holds for all rows of a visit or for none."""
        return all(dimension.level == "visit" for dimension in self.filtered)

    @property
    def is_of_whole_visits(self) -> bool:
        """Whether all sums are over the same rows.

        A visit lies within one local date, and so does a visitor's hash. So over whole days, with conditions and
        dimensions that are the same for all rows of a visit, events in the range are those of visits started in it.
        """
        return (
            isinstance(self.query.range, Days)
            and self.is_filtered_by_visit_only
            and all(each.level == "visit" or each.column in ("day", "week", "month") for each in self.dimensions)
        )

    def fits(self) -> str:
        """The condition of the filters."""
        return condition(self.query.filters, self.parameters)

    def value(self, dimension: Dimension, clock: str) -> str:
        """The expression of a dimension; `clock` is the column from which a time is read."""
        if dimension.level == "time":
            return self.bucket(dimension.column, clock)
        return dimension.column if dimension.column == "country" else read_value(dimension, self.parameters)

    def bucket(self, bucket: str, clock: str) -> str:
        """The expression of a time's bucket."""
        if bucket in ("minute", "hour"):
            return f"date_trunc('{bucket}', {clock})::TIMESTAMP"
        if bucket == "week":
            # A first week that began before the range is named by the range's first day.
            return f"greatest(date_trunc('week', {clock})::DATE, {self.parameters.mark(self._first_day)}::DATE)"
        return f"date_trunc('{bucket}', {clock})::DATE"

    def within(self, spans: Sequence[Days] | Instants, local: str, utc: str) -> str:
        """See `spans.within`."""
        return within(self.parameters, spans, local, utc)

    def parts(self, spans: Sequence[Days]) -> list[list[Days]]:
        """The spans in parts in which distinct visitors are to be counted apart.

        They add up, since a visitor's hash lives in one day; and the visitors of a few days fit into the processor's
        cache, which saves a third of the time where there are many by many values (10 million events by page).
        """
        days = [Days(day, day) for span in spans for day in days_of(span)]
        count = max(1, min(MOST_PARTS, len(days), len(days) * self._events_a_day // EVENTS_A_PART))
        if count == 1:
            return [list(spans)]
        bounds = [len(days) * at // count for at in range(count + 1)]
        return [_joined(days[begin:end]) for begin, end in pairwise(bounds)]

    def on_days(self, spans: Sequence[Days]) -> str:
        """See `spans.on_days`."""
        return on_days(self.parameters, spans)


def add_up(selects: Sequence[str], keys: Sequence[str], sums: Sequence[str]) -> str:
    """The statement that adds up the sums of several that have no visitor and no visit in common."""
    if len(selects) == 1:
        return selects[0]
    columns = ", ".join([*keys, *(f"sum({name})::BIGINT AS {name}" for name in sums)])
    group = f" GROUP BY {', '.join(keys)}" if keys else ""
    return f"SELECT {columns} FROM ({' UNION ALL '.join(selects)}){group}"


def select(columns: Sequence[str], source: str, where: Sequence[str], keys: int) -> str:
    """A statement that is grouped by its first `keys` columns."""
    group = f" GROUP BY {', '.join(str(at + 1) for at in range(keys))}" if keys else ""
    return f"SELECT {', '.join(columns)} FROM {source} WHERE {' AND '.join(where)}{group}"


def _joined(days: Sequence[Days]) -> list[Days]:
    joined: list[Days] = []
    for day in days:
        if joined and day.first == joined[-1].last + DAY:
            joined[-1] = Days(joined[-1].first, day.last)
        else:
            joined.append(day)
    return joined
