"""Statements that list a site's events one by one, in the order in which they came. Pure."""

from __future__ import annotations

from datetime import datetime

from turnout.model.query import Days
from turnout.model.site import Site
from turnout.query.plan import Plan
from turnout.query.spans import midnight

COLUMNS = (
    "position",
    "occurred_at",
    "local_at",
    "visit_id",
    "name",
    "interactive",
    "hostname",
    "page",
    "entry_page",
    "referrer",
    "source",
    "channel",
    "utm_source",
    "utm_medium",
    "utm_campaign",
    "utm_content",
    "utm_term",
    "country",
    "region",
    "city",
    "device",
    "browser",
    "browser_version",
    "os",
    "os_version",
    "language",
    "scroll_depth",
    "engaged_ms",
    "revenue_amount",
    "revenue_currency",
    "props",
)
"""What is told of an event: all that is kept but the visitor's hash, which is nobody's business but the store's."""


def events_plan(site: Site, days: Days, after: int, limit: int) -> Plan:
    """The statement for the next `limit` events of the site's local `days` behind the position `after`."""
    sql = (
        f"SELECT {', '.join(COLUMNS)} FROM events WHERE site_id = $1 AND position > $2"
        " AND local_at >= $3::TIMESTAMP AND local_at < $4::TIMESTAMP ORDER BY position LIMIT $5"
    )
    return Plan(sql, (site.id, after, *_bounds(days), limit), (), (), False)


def count_plan(site: Site, days: Days) -> Plan:
    """The statement that returns how many there are."""
    sql = "SELECT count(*) FROM events WHERE site_id = $1 AND local_at >= $2::TIMESTAMP AND local_at < $3::TIMESTAMP"
    return Plan(sql, (site.id, *_bounds(days)), (), (), False)


def _bounds(days: Days) -> tuple[datetime, datetime]:
    return midnight(days.first), midnight(days.last, 1)
