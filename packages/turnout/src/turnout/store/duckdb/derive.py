"""Derives visits and rollups of whole local days, and deletes sites: what changes rows beside the writer's appends."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path

import duckdb

from seawall import Mutex
from turnout.errors import StoreUnavailable
from turnout.store.ledger import DayLedger, Group
from turnout.store.rollups import HOUR, OF_EVENTS, OF_VISITS, PAGE, TOTAL, VISITORS

_CLEARED = (("rollups", "day", 31), ("visits", "day", 31), ("events", "position", 100_000))
"""What a site's deletion clears, by which column, and by how much of it in one transaction: too short to be noticed."""

_EPOCH = date(1970, 1, 1)


class DuckDeriver:
    """See `EventDeriver`. Each call uses a connection of its own, so its transactions are not the writer's.

    One call at a time works on the derived tables; another waits for it.
    """

    def __init__(
        self, path: Path, connect: Callable[[], duckdb.DuckDBPyConnection], ledger: DayLedger, *, floor_bytes: int
    ) -> None:
        self._path = path
        self._floor_bytes = floor_bytes
        self._connect = connect
        self._ledger = ledger
        self._mutex = Mutex("store.derived")
        self._running: duckdb.DuckDBPyConnection | None = None
        self._is_interrupted = False

    def find_days(self) -> None:
        """Look through the store for days that are not derived. Reads two columns of all events."""
        with self._connected() as connection:
            rows = connection.execute(_DAYS_WITH_EVENTS).fetchall()
        self._ledger.found((int(site_id), int(day), int(events)) for site_id, day, events in rows)

    def next_group(self, over_before: date, quiet_s: float) -> Group | None:
        """See `DayLedger.next_group`."""
        return self._ledger.next_group(over_before, quiet_s)

    def waiting_days(self, over_before: date) -> int:
        """See `DayLedger.waiting_days`."""
        return self._ledger.waiting_days(over_before)

    def postpone(self, group: Group) -> None:
        """See `DayLedger.postpone`."""
        self._ledger.postpone(group)

    def derive(self, group: Group, *, before_commit: Callable[[], None] = lambda: None) -> bool:
        """Derive the group's days in one transaction. False when an event came to one of them meanwhile: try it later.

        Blocks for about a second for each 300,000 events; holds up the writer only while it commits. `before_commit` is
        for tests. Raises `StoreUnavailable`, also where the disk is near its floor: what room there is belongs to events.
        The days are then as they were.
        """
        self._refuse_without_room()
        with self._mutex, self._connected() as connection:
            self._ledger.watch(group)
            connection.begin()
            for sql in _statements():
                if self._is_interrupted:
                    raise StoreUnavailable("days can't be derived: the store is closing")
                connection.execute(sql, _parameters(sql, group))
            marks = connection.execute(_MARKS, _parameters(_MARKS, group)).fetchall()
            before_commit()
            return self._ledger.finish(group, {int(day): int(events) for day, events in marks}, connection.commit)

    def delete_site(self, site_id: int) -> None:
        """Delete all that is kept of a site, in short transactions. Blocks until done, and can be begun anew.

        To be called when nothing more of the site is accepted; events of it that are still in the journal come into the
        store afterwards, so call it again once they have. Raises `StoreUnavailable`.
        """
        with self._mutex, self._connected() as connection:
            with self._ledger.mutex:
                connection.execute("DELETE FROM derived_days WHERE site_id = $site", {"site": site_id})
                self._ledger.forget(site_id)
            for table, column, step in _CLEARED:
                _clear(connection, site_id, table, column, step)

    def interrupt(self) -> None:
        """Have a derivation that runs end soon with `StoreUnavailable`, and every later one at once. From any thread."""
        self._is_interrupted = True
        connection = self._running
        if connection is not None:
            with suppress(duckdb.ConnectionException):  # it has just been closed
                connection.interrupt()

    def _refuse_without_room(self) -> None:
        disk = os.statvfs(self._path.parent)
        if disk.f_bavail * disk.f_frsize < self._floor_bytes:
            raise StoreUnavailable(f"days can't be derived: the disk of {self._path} is nearly full; free some space")

    @contextmanager
    def _connected(self) -> Iterator[duckdb.DuckDBPyConnection]:
        """A connection for one piece of work; what it began and did not commit is rolled back when it closes."""
        connection = self._connect()
        self._running = connection
        try:
            yield connection
        except duckdb.Error as error:
            raise StoreUnavailable(f"days can't be derived: {error}") from error
        finally:
            self._running = None
            connection.close()


def _clear(connection: duckdb.DuckDBPyConnection, site_id: int, table: str, column: str, step: int) -> None:
    """Delete the site's rows, those of the next `step` values of `column` in one transaction each."""
    of_site = f"FROM {table} WHERE site_id = $site"
    while True:
        row = connection.execute(f"SELECT min({column}) {of_site}", {"site": site_id}).fetchone()
        if row is None or row[0] is None:
            return
        connection.execute(
            f"DELETE {of_site} AND {column} < $first + $step", {"site": site_id, "first": row[0], "step": step}
        )


def _parameters(sql: str, group: Group) -> dict[str, object]:
    begin = datetime(group.first.year, group.first.month, group.first.day)
    end = datetime(group.last.year, group.last.month, group.last.day) + timedelta(days=1)
    values = {"site": group.site_id, "first": group.first, "last": group.last, "begin": begin, "end": end}
    return {name: value for name, value in values.items() if f"${name}" in sql}


def _statements() -> Iterator[str]:
    """All that derives a group, in order: away with what was, visits, rollups from visits and from events."""
    for table in ("rollups", "visits"):
        yield f"DELETE FROM {table} WHERE site_id = $site AND day BETWEEN $first AND $last"
    yield _VISITS
    yield _of_visits(TOTAL, "''")
    for column, missing in OF_VISITS.items():
        yield _of_visits(column, f"CASE WHEN {column} = '' THEN '{missing}' ELSE {column} END" if missing else column)
    yield _of_both(PAGE, "page", "entry_page")
    yield _of_both(HOUR, "hour(local_at)::VARCHAR", "hour(local_at)::VARCHAR")
    for column in OF_EVENTS:
        yield _of_events(column)


def _of_visits(dimension: str, value: str) -> str:
    return f"""
        INSERT INTO rollups
        SELECT $site, day, '{dimension}', {value} AS v, {VISITORS}, sum(pageviews), sum(events), count(*),
               sum(bounces), sum(duration_ms), sum(pageviews)
        FROM visits WHERE {_IN_DAYS} GROUP BY day, v ORDER BY day, v"""


def _of_both(dimension: str, of_event: str, of_visit: str) -> str:
    return f"""
        INSERT INTO rollups
        SELECT $site, day, '{dimension}', v, coalesce(visitors, 0), coalesce(pageviews, 0), coalesce(events, 0),
               coalesce(visits, 0), coalesce(bounces, 0), coalesce(duration_ms, 0), coalesce(visit_pageviews, 0)
        FROM (
            SELECT local_at::DATE AS day, {of_event} AS v, count(DISTINCT visitor) AS visitors,
                   count(*) FILTER (WHERE name = 'pageview') AS pageviews, count(*) AS events
            FROM events WHERE {_COUNTED} GROUP BY day, v
        ) FULL JOIN (
            SELECT day, {of_visit} AS v, count(*) AS visits, sum(bounces) AS bounces, sum(duration_ms) AS duration_ms,
                   sum(pageviews) AS visit_pageviews
            FROM visits WHERE {_IN_DAYS} GROUP BY day, v
        ) USING (day, v) ORDER BY day, v"""


def _of_events(column: str) -> str:
    return f"""
        INSERT INTO rollups
        SELECT $site, local_at::DATE AS day, '{column}', {column} AS v, count(DISTINCT visitor),
               count(*) FILTER (WHERE name = 'pageview'), count(*), 0, 0, 0, 0
        FROM events WHERE {_COUNTED} GROUP BY day, v ORDER BY day, v"""


_IN_DAYS = "site_id = $site AND day BETWEEN $first AND $last"
_OF_DAYS = "site_id = $site AND local_at >= $begin AND local_at < $end"
_COUNTED = f"{_OF_DAYS} AND name <> 'engagement'"
_FACTS = ", ".join(column for column in OF_VISITS if column not in ("entry_page", "exit_page"))

# A visit's facts are on its first row as on all others; its numbers and its exit page are of all its rows.
_VISITS = f"""
INSERT INTO visits BY NAME
SELECT $site AS site_id, visit_local_at::DATE AS day, visit_id, visitor,
       count(*) OVER (PARTITION BY visit_local_at::DATE, visitor) = 1 AS is_only,
       visit_local_at AS local_at, entry_page, exit_page, {_FACTS}, pageviews, counted AS events, bounces, duration_ms
FROM (SELECT * FROM events WHERE {_OF_DAYS} AND visit_delta = 1) JOIN (
    SELECT visit_id,
           coalesce(arg_max(page, position) FILTER (WHERE name = 'pageview'),
                    arg_max(page, position) FILTER (WHERE name <> 'engagement')) AS exit_page,
           count(*) FILTER (WHERE name = 'pageview') AS pageviews,
           count(*) FILTER (WHERE name <> 'engagement') AS counted,
           sum(bounce_delta) AS bounces,
           sum(duration_delta_ms) AS duration_ms
    FROM events WHERE {_OF_DAYS} AND visit_id IS NOT NULL GROUP BY visit_id
) USING (visit_id)
ORDER BY day, visit_id
"""

_MARKS = f"""
INSERT INTO derived_days
SELECT $site, day, coalesce(events, 0)
FROM (SELECT unnest(generate_series($first, $last, INTERVAL 1 DAY))::DATE AS day)
LEFT JOIN (SELECT day, events FROM rollups WHERE {_IN_DAYS} AND dimension = '{TOTAL}') USING (day)
RETURNING day - DATE '{_EPOCH}', events
"""

_DAYS_WITH_EVENTS = f"""
SELECT site_id, local_at::DATE - DATE '{_EPOCH}' AS day, count(*) FROM events GROUP BY ALL
"""
