"""The writer's side of the DuckDB event store: rows in, by DuckDB's own Appender, and open visits out."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import duckdb

from turnout.errors import StoreUnavailable
from turnout.model.event import StoredEvent, VisitFacts
from turnout.store.ledger import Day, DayLedger, count_days
from turnout.store.protocols import OpenVisit

JOURNAL = "local"
"""The name under which this process's journal keeps its position."""

CHECKPOINT_ROOM_BYTES = 4 << 20
"""Blocks are 256 KB and tables have 40 columns: a small log may still grow the file by some of them."""

_EPOCH = datetime(1970, 1, 1)
_NO_VISIT = (None,) * 21


class DuckEventWriter:
    """See `EventWriter`. A row costs about 11 µs; a commit one or two synced writes of DuckDB's log."""

    def __init__(
        self,
        path: Path,
        connect: Callable[[], duckdb.DuckDBPyConnection],
        reopen: Callable[[], None],
        ledger: DayLedger,
    ) -> None:
        self._path = path
        self._ledger = ledger
        self._connect = connect
        self._reopen = reopen
        self._connection = connect()

    def position(self) -> int:
        """The journal position of the last event stored; 0 where there is none. Raises `StoreUnavailable`.

        The writer asks for it after each failure: a database that DuckDB has given up is opened anew here.
        """
        try:
            try:
                return self._stored_position()
            except (duckdb.FatalException, duckdb.ConnectionException):
                self._reopen()
                self._connection = self._connect()
                return self._stored_position()
        except duckdb.Error as error:
            raise StoreUnavailable(f"the event store can't be read: {error}") from error

    def _stored_position(self) -> int:
        self._connection.execute("SELECT position FROM stored_position WHERE journal = ?", [JOURNAL])
        row = self._connection.fetchone()
        return 0 if row is None else int(row[0])

    def append(self, rows: Sequence[StoredEvent]) -> None:
        """Add rows and the position of the last one in one durable transaction.

        Days that were derived and are added to are derived no longer: their marks go in the same transaction, and they
        are gone from what queries plan by before it commits. Raises `StoreUnavailable` when nothing was written; the
        same rows may be appended again.
        """
        if not rows:
            return
        days = count_days((row.event.site_id, row.event.local_ms) for row in rows)
        with self._ledger.mutex:
            marks = self._ledger.touch(days)
            self._commit(rows, marks)
            self._ledger.settle()

    def _commit(self, rows: Sequence[StoredEvent], marks: Sequence[Day]) -> None:
        try:
            self._connection.begin()
            self._fill(rows)
            if marks:
                self._connection.executemany(_DROP_MARK, [(site_id, _EPOCH.date(), day) for site_id, day in marks])
            self._connection.execute(_KEEP_POSITION, [JOURNAL, rows[-1].position])
            self._connection.commit()
        except BaseException as error:
            self._rollback()
            if isinstance(error, duckdb.Error):
                raise StoreUnavailable(f"the event store can't be written: {error}") from error
            raise

    def _fill(self, rows: Sequence[StoredEvent]) -> None:
        appender = self._connection.appender("events")
        try:
            appender.append_rows([_columns(row) for row in rows])
            appender.flush()
        except BaseException:
            # A dropped appender flushes what it still holds, by then outside the transaction.
            appender.clear()
            raise

    def open_visits(self, site_id: int, since_ms: int) -> list[OpenVisit]:
        """Each visitor's latest visit of the site that had an event at or after `since_ms`."""
        since = _time(since_ms)
        try:
            self._connection.execute(_OPEN_VISITS, {"site": site_id, "since": since})
            return [_open_visit(row) for row in self._connection.fetchall()]
        except duckdb.Error as error:
            raise StoreUnavailable(f"the event store can't be read: {error}") from error

    def checkpoint(self) -> None:
        """Fold DuckDB's log into its file. Waits for running transactions.

        Raises `StoreUnavailable`, also where the disk has too little room to try: a checkpoint that meets a full disk
        makes DuckDB give the database up until it is reopened.
        """
        self._refuse_without_room()
        try:
            self._connection.execute("CHECKPOINT")
        except duckdb.Error as error:
            raise StoreUnavailable(f"the event store can't be checkpointed: {error}") from error

    def _refuse_without_room(self) -> None:
        try:
            log_bytes = Path(f"{self._path}.wal").stat().st_size
        except FileNotFoundError:
            return
        disk = os.statvfs(self._path.parent)
        if disk.f_bavail * disk.f_frsize < log_bytes + CHECKPOINT_ROOM_BYTES:
            raise StoreUnavailable(
                f"the event store can't be checkpointed: the disk of {self._path} has less room than its log of "
                f"{log_bytes >> 20} MB takes; free some space"
            )

    def close(self) -> None:
        """Give up the connection."""
        self._connection.close()

    def _rollback(self) -> None:
        try:
            self._connection.rollback()
        except duckdb.Error:
            pass  # The failure itself ended the transaction; the caller raises what it was.


def _columns(row: StoredEvent) -> tuple[object, ...]:
    """The row in the column order of schema.sql."""
    event = row.event
    visit = row.visit
    return (
        row.position,
        event.site_id,
        _time(event.at_ms),
        _time(event.local_ms),
        event.visitor,
        event.name,
        event.interactive,
        event.hostname,
        event.page,
        event.props,
        None if event.revenue_amount is None else Decimal(event.revenue_amount),
        event.revenue_currency,
        event.scroll_depth,
        event.engaged_ms,
        *(_NO_VISIT if visit is None else _visit_columns(visit)),
        row.visit_delta,
        row.bounce_delta,
        row.duration_delta_ms,
    )


def _visit_columns(visit: VisitFacts) -> tuple[object, ...]:
    return (
        visit.visit_id,
        _time(visit.started_ms),
        _time(visit.started_local_ms),
        visit.entry_page,
        visit.referrer,
        visit.source,
        visit.channel,
        visit.utm_source,
        visit.utm_medium,
        visit.utm_campaign,
        visit.utm_content,
        visit.utm_term,
        visit.country,
        visit.region,
        visit.city,
        visit.device,
        visit.browser,
        visit.browser_version,
        visit.os,
        visit.os_version,
        visit.language,
    )


def _open_visit(row: tuple[object, ...]) -> OpenVisit:
    visitor, last, pageviews, interactions, visit_id, started, started_local, *texts = row
    facts = VisitFacts(_int(visit_id), _ms(started), _ms(started_local), *map(str, texts))
    return OpenVisit(_int(visitor), facts, _ms(last), _int(pageviews), _int(interactions))


def _time(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)


def _ms(value: object) -> int:
    assert isinstance(value, datetime)
    return round(value.replace(tzinfo=UTC).timestamp() * 1000)


def _int(value: object) -> int:
    assert isinstance(value, int)
    return value


_DROP_MARK = "DELETE FROM derived_days WHERE site_id = ? AND day = ?::DATE + ?::INTEGER"
_KEEP_POSITION = "INSERT OR REPLACE INTO stored_position VALUES (?, ?)"

# A visit's rows all come at or after the position that is its id, so the scan begins at the first such position
# (DuckDB skips row groups by it) instead of reading the whole table.
_OPEN_VISITS = """
WITH recent AS (
    SELECT visitor, max(visit_id) AS visit_id
    FROM events
    WHERE site_id = $site AND occurred_at >= $since AND visit_id IS NOT NULL
    GROUP BY visitor
)
SELECT e.visitor,
       max(e.occurred_at),
       count(*) FILTER (WHERE e.name = 'pageview'),
       count(*) FILTER (WHERE e.interactive AND e.name NOT IN ('pageview', 'engagement')),
       e.visit_id,
       any_value(e.visit_started_at),
       any_value(e.visit_local_at),
       any_value(e.entry_page),
       any_value(e.referrer),
       any_value(e.source),
       any_value(e.channel),
       any_value(e.utm_source),
       any_value(e.utm_medium),
       any_value(e.utm_campaign),
       any_value(e.utm_content),
       any_value(e.utm_term),
       any_value(e.country),
       any_value(e.region),
       any_value(e.city),
       any_value(e.device),
       any_value(e.browser),
       any_value(e.browser_version),
       any_value(e.os),
       any_value(e.os_version),
       any_value(e.language)
FROM events e JOIN recent r ON e.visit_id = r.visit_id AND e.visitor = r.visitor
WHERE e.site_id = $site AND e.position >= (SELECT min(visit_id) FROM recent)
GROUP BY e.visitor, e.visit_id
"""
