"""Statements that are no `Query`: a site's first day, who is there now, and many sites' visitors by day in one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from turnout.model.derived import Derived
from turnout.model.query import Days
from turnout.model.site import Site
from turnout.query.conditions import Parameters
from turnout.query.plan import Plan
from turnout.query.spans import midnight, naive_utc, on_days, within
from turnout.store.rollups import TOTAL

_EVER = Days(date(1, 1, 1), date(9999, 12, 30))


def first_day_plan(site: Site, derived: Derived) -> Plan:
    """The statement that returns the local day of a site's first event, or null."""
    parameters = Parameters()
    of_site = f"site_id = {parameters.mark(site.id)}"
    days, rest = derived.split(_EVER)
    raw = within(parameters, rest, "local_at", "occurred_at")
    sql = f"SELECT min(local_at)::DATE AS day FROM events WHERE {of_site} AND {raw} AND name <> 'engagement'"
    if days:
        total = f"dimension = {parameters.mark(TOTAL)} AND {on_days(parameters, days)}"
        sql = f"SELECT min(day) FROM ({sql} UNION ALL SELECT min(day) FROM rollups WHERE {of_site} AND {total})"
    return Plan(sql, parameters.values(), (), (), False)


def visitors_now_plan(site: Site, since: datetime) -> Plan:
    """The statement that returns how many visitors had an event at or after `since` (aware)."""
    sql = (
        "SELECT count(DISTINCT visitor) FROM events "
        "WHERE site_id = $1 AND occurred_at >= $2::TIMESTAMP AND visit_id IS NOT NULL"
    )
    return Plan(sql, (site.id, naive_utc(since)), (), (), False)


def visitors_by_day_plan(asked: Sequence[tuple[Site, Days, Derived]]) -> Plan:
    """The statement that returns site, day and visitors, for each day of each site's span that has some."""
    splits = [(site, derived.split(span)) for site, span, derived in asked]
    days = [(site, run) for site, (runs, _) in splits for run in runs]
    rest = [(site, run) for site, (_, runs) in splits for run in runs]
    parameters = Parameters()
    parts = []
    if days:
        first = parameters.mark(min(run.first for _, run in days))
        parts.append(
            f"SELECT r.site_id, r.day, r.visitors FROM rollups r JOIN ({_spans(parameters, days)}) s "
            "ON r.site_id = s.site_id AND r.day BETWEEN s.first AND s.last "
            f"WHERE r.dimension = {parameters.mark(TOTAL)} AND r.day >= {first}::DATE"
        )
    if rest:
        # The constant bound is what row groups are skipped by.
        begin = parameters.mark(midnight(min(run.first for _, run in rest)))
        parts.append(
            f"SELECT e.site_id, e.local_at::DATE AS day, count(DISTINCT e.visitor) FROM events e "
            f"JOIN ({_spans(parameters, rest)}) s "
            "ON e.site_id = s.site_id AND e.local_at::DATE BETWEEN s.first AND s.last "
            f"WHERE e.visit_delta = 1 AND e.local_at >= {begin}::TIMESTAMP GROUP BY 1, 2"
        )
    return Plan(" UNION ALL ".join(parts), parameters.values(), (), (), False)


def _spans(parameters: Parameters, runs: Sequence[tuple[Site, Days]]) -> str:
    sites = parameters.mark([site.id for site, _ in runs])
    first, last = parameters.mark([run.first for _, run in runs]), parameters.mark([run.last for _, run in runs])
    return f"SELECT unnest({sites}::INTEGER[]) AS site_id, unnest({first}::DATE[]) AS first, unnest({last}::DATE[]) AS last"
