"""Visits counted anew from raw rows, the slow and obvious way, to hold against what the writer decided."""

from __future__ import annotations

import duckdb

SILENCE_MS = 30 * 60 * 1000


def visits_from_events(connection: duckdb.DuckDBPyConnection) -> dict[int, tuple[int, int]]:
    """Each visit's id with (is it a bounce, its duration in ms), from sites, visitors, times and names alone."""
    rows = connection.execute(
        "SELECT position, site_id, visitor, epoch_ms(occurred_at), name, interactive FROM events ORDER BY position"
    ).fetchall()
    visits: dict[int, list[tuple[int, str, bool]]] = {}
    latest: dict[tuple[int, int], int] = {}
    for position, site, visitor, at_ms, name, interactive in rows:
        visit_id = latest.get((site, visitor))
        if visit_id is not None and at_ms - max(at for at, _, _ in visits[visit_id]) > SILENCE_MS:
            visit_id = None
        if visit_id is None:
            if name == "engagement":
                continue
            visit_id = latest[site, visitor] = position
            visits[visit_id] = []
        visits[visit_id].append((at_ms, name, interactive))
    return {visit_id: _facts(events) for visit_id, events in visits.items()}


def visits_as_stored(connection: duckdb.DuckDBPyConnection) -> dict[int, tuple[int, int]]:
    """The same by the stored deltas; a visit whose `visit_delta` does not add up to one is left out."""
    rows = connection.execute(
        "SELECT visit_id, sum(bounce_delta), sum(duration_delta_ms) FROM events WHERE visit_id IS NOT NULL "
        "GROUP BY visit_id HAVING sum(visit_delta) = 1"
    ).fetchall()
    return {visit_id: (int(bounce), int(duration)) for visit_id, bounce, duration in rows}


def _facts(events: list[tuple[int, str, bool]]) -> tuple[int, int]:
    pageviews = sum(name == "pageview" for _, name, _ in events)
    others = sum(interactive and name not in ("pageview", "engagement") for _, name, interactive in events)
    bounce = pageviews == 1 and others == 0
    return int(bounce), 0 if bounce else max(at for at, _, _ in events) - events[0][0]
