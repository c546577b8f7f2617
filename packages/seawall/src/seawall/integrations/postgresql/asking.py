"""Asking the server who blocks whom, over a connection that nobody else uses."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from seawall.integrations.postgresql.backends import Backend, Server

APPLICATION = "seawall lookout"

# Whoever looks for what hangs must not hang itself.
_PRUDENCE = {"connect_timeout": "3", "options": "-c statement_timeout=2000", "tcp_user_timeout": "5000"}

_WHO_AM_I = "SELECT pg_backend_pid(), pg_postmaster_start_time()::text || ':' || current_setting('port')"

# `pg_blocking_pids` stops the server's lock table for an instant, so it is asked only about those who wait for a lock.
_WHO_BLOCKS = """
SELECT waiting.pid, waiting.query_start, waiting.wait_event, blocker.pid, other.application_name
FROM pg_stat_activity waiting
CROSS JOIN LATERAL unnest(pg_blocking_pids(waiting.pid)) AS blocker(pid)
LEFT JOIN pg_stat_activity other ON other.pid = blocker.pid
WHERE waiting.pid = ANY(%s) AND waiting.wait_event_type = 'Lock'
"""

_FOR_WHAT = """
SELECT pid, locktype, relation::regclass::text, classid, objid, objsubid
FROM pg_locks WHERE pid = ANY(%s) AND NOT granted
"""

# The time of its start makes sure that it is still the same statement.
_CANCEL = """
SELECT pg_cancel_backend(pid) FROM pg_stat_activity
WHERE pid = %s AND query_start = %s AND wait_event_type = 'Lock'
"""


@dataclass(slots=True)
class Blocked:
    """A process that waits for a lock: since which statement, and for which processes (named where they are others')."""

    query_start: object
    wait_event: str
    blockers: dict[int, str] = field(default_factory=dict)


def who_am_i(connection: Any) -> tuple[int, Server]:
    """The process that really serves a database connection (DB-API), and its server. Ends its transaction."""
    cursor = connection.cursor()
    try:
        cursor.execute(_WHO_AM_I)
        pid, server = cursor.fetchone()
    finally:
        cursor.close()
    connection.rollback()
    return pid, Server(server)


class Spare:
    """A connection to the server of `backend`, made by the same means; for one thread."""

    def __init__(self, backend: Backend) -> None:
        info = backend.connection.info
        parameters = info.get_parameters() | _PRUDENCE | {"application_name": APPLICATION, "host": info.host}
        if info.password:
            parameters["password"] = info.password
        if "hostaddr" in parameters:
            parameters["hostaddr"] = info.hostaddr
        parameters["port"] = str(info.port)
        self._connection = psycopg.connect(make_conninfo(**parameters), autocommit=True)
        self.server = who_am_i(self._connection)[1]

    def who_blocks(self, pids: Iterable[int]) -> dict[int, Blocked]:
        """Those of `pids` that wait for a lock."""
        found: dict[int, Blocked] = {}
        for pid, query_start, wait_event, blocker, application in self._rows(_WHO_BLOCKS, (list(pids),)):
            blocked = found.setdefault(pid, Blocked(query_start, wait_event))
            name = f"PostgreSQL process {blocker}" + (f" ({application})" if application else "")
            blocked.blockers[blocker] = name if blocker else "a prepared transaction"
        return found

    def for_what(self, pids: Iterable[int]) -> Mapping[int, str]:
        """What each of `pids` waits for, in words."""
        return {pid: _in_words(*lock) for pid, *lock in self._rows(_FOR_WHAT, (list(pids),))}

    def cancel(self, pid: int, query_start: object) -> None:
        """Have the statement of `pid` that began then end with an error."""
        self._rows(_CANCEL, (pid, query_start))

    def close(self) -> None:
        """End it."""
        self._connection.close()

    def _rows(self, query: str, parameters: tuple[object, ...]) -> list[tuple[Any, ...]]:
        return self._connection.execute(query.encode(), parameters).fetchall()


def _in_words(kind: str, relation: str | None, classid: int | None, objid: int | None, objsubid: int | None) -> str:
    if kind == "advisory" and classid is not None and objid is not None:
        # A single key of 64 bits comes in halves, with 1 behind them; a pair of keys comes with 2.
        return f"advisory lock {_signed(classid << 32 | objid) if objsubid == 1 else (classid, objid)}"
    if kind in ("transactionid", "tuple"):
        return "row lock" if relation is None else f"row lock in {relation}"
    return f"{kind} lock" if relation is None else f"{kind} lock of {relation}"


def _signed(key: int) -> int:
    return key - (1 << 64) if key >= 1 << 63 else key
