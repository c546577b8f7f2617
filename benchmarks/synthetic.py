"""A site with many events, made by SQL in the event store: far quicker than through the journal."""

from __future__ import annotations

from pathlib import Path

import duckdb

DAYS = 31


def fill(file: Path, site_id: int, domain: str, events: int, *, before: int = 0) -> None:
    """Adds `events` events of the last 31 days (UTC) to the event store in `file`, which nobody may hold meanwhile.

    Visits of one to seven events, 45 % of one; about 800 pages, 300 sources, 60 countries, with long tails. Positions
    are negative, before anything a journal has numbered, and before another site's `before`.
    """
    with duckdb.connect(str(file), config={"memory_limit": "3GB", "threads": 2}) as store:
        store.execute("SELECT setseed(0.5)")
        store.execute(_VISITS, {"visits": int(events / 2.1), "days": DAYS})
        store.execute(_EVENTS, {"events": events, "site": site_id, "domain": domain, "before": before})
        store.execute("DROP TABLE made")
        store.execute("CHECKPOINT")


_VISITS = """
CREATE TEMP TABLE made AS
SELECT
    n AS visit,
    day + to_seconds((random() * 85000)::BIGINT) AS started,
    hash((random() * $visits * 0.06)::BIGINT, day) AS visitor,
    CASE WHEN random() < 0.45 THEN 1 ELSE 2 + least(5, floor(-ln(random() + 1e-9) * 1.6))::BIGINT END AS views,
    '/page-' || (pow(random(), 3) * 800)::INT AS entry_page,
    CASE WHEN random() < 0.3 THEN '' ELSE 'source-' || (pow(random(), 3) * 300)::INT END AS source,
    chr(65 + (pow(random(), 2) * 8)::INT) || chr(65 + (random() * 7)::INT) AS country,
    ['Chrome', 'Safari', 'Firefox', 'Edge', 'Opera', 'Mobile Safari'][1 + (random() * 5)::INT] AS browser,
    ['Windows', 'Mac OS X', 'Linux', 'Android', 'iOS'][1 + (random() * 4)::INT] AS os,
    ['Desktop', 'Mobile', 'Tablet'][1 + (pow(random(), 2) * 2)::INT] AS device
FROM (
    SELECT n, date_trunc('day', now() AT TIME ZONE 'UTC') - to_days(($days - 1 - n * $days // $visits)::INT) AS day
    FROM range($visits) t(n)
)
"""

_EVENTS = """
INSERT INTO events BY NAME
WITH
    views AS (
        SELECT made.*, k, started + to_seconds(k * 40) AS seen
        FROM made, LATERAL (SELECT unnest(range(views)) AS k)
    ),
    numbered AS (SELECT *, row_number() OVER (ORDER BY seen, visit) - $events - 1 - $before AS position FROM views)
SELECT
    position,
    $site AS site_id,
    seen AS occurred_at,
    seen AS local_at,
    visitor,
    'pageview' AS name,
    true AS interactive,
    $domain AS hostname,
    CASE k WHEN 0 THEN entry_page ELSE '/page-' || (pow(random(), 3) * 800)::INT END AS page,
    MAP {} AS props,
    min(position) OVER (PARTITION BY visit) AS visit_id,
    started AS visit_started_at,
    started AS visit_local_at,
    entry_page,
    CASE source WHEN '' THEN '' ELSE 'https://' || source || '.example/' END AS referrer,
    source,
    CASE source WHEN '' THEN 'Direct' ELSE 'Referral' END AS channel,
    '' AS utm_source, '' AS utm_medium, '' AS utm_campaign, '' AS utm_content, '' AS utm_term,
    country, '' AS region, '' AS city, device, browser, '130.0' AS browser_version, os, '' AS os_version,
    'en' AS language,
    (k = 0)::TINYINT AS visit_delta,
    CASE k WHEN 0 THEN 1 WHEN 1 THEN -1 ELSE 0 END AS bounce_delta,
    CASE k WHEN 0 THEN 0 ELSE 40000 END AS duration_delta_ms
FROM numbered
WHERE position < 0
ORDER BY position
"""
