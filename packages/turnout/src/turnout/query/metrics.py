"""The metrics a query may ask for, and which sums over event rows each is made of."""

from __future__ import annotations

from typing import Literal

import msgspec

Rows = Literal["events", "visits"]
"""Which rows a metric looks at: events that happened in the range, or visits that started in it."""

EVENT_SUMS = ("visitors", "pageviews", "events")
VISIT_SUMS = ("visits", "bounces", "duration_ms", "visit_pageviews")


class Metric(msgspec.Struct, frozen=True):
    """One metric: the rows it looks at, the sums it needs, and by what its exact whole number is divided at last."""

    name: str
    rows: Rows
    sums: tuple[str, ...]
    divisor: int = 1


METRICS: dict[str, Metric] = {
    metric.name: metric
    for metric in (
        Metric("visitors", "events", ("visitors",)),
        Metric("visits", "visits", ("visits",)),
        Metric("pageviews", "events", ("pageviews",)),
        Metric("views_per_visit", "visits", ("visits", "visit_pageviews"), 100),
        Metric("bounce_rate", "visits", ("visits", "bounces")),
        Metric("visit_duration", "visits", ("visits", "duration_ms")),
        Metric("events", "events", ("events",)),
        Metric("percentage", "events", ("visitors",), 10),
    )
}
"""By name. `views_per_visit` is computed in hundredths and `percentage` in tenths, so that rounding is exact."""

NAMES: tuple[str, ...] = tuple(METRICS)

UNSUPPORTED = frozenset(
    {
        "conversion_rate",
        "group_conversion_rate",
        "scroll_depth",
        "time_on_page",
        "average_revenue",
        "total_revenue",
    }
)
"""Names other implementations of this API know and Turnout does not answer."""
