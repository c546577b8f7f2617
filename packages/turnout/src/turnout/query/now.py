"""Who is there now: the visitors of the last minutes, counted without the rest of the query language. Pure."""

from __future__ import annotations

from datetime import UTC, datetime

from turnout.model.site import Site
from turnout.query.plan import Plan


def visitors_since_plan(site: Site, since: datetime) -> Plan:
    """The statement that counts the visitors of a site with an event at or after `since`; staying on a page is none."""
    sql = (
        "SELECT count(DISTINCT visitor) FROM events "
        "WHERE site_id = $1 AND occurred_at >= $2::TIMESTAMP AND name <> 'engagement'"
    )
    return Plan(sql, (site.id, since.astimezone(UTC).replace(tzinfo=None)), (), ("visitors",), False)
