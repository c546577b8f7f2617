"""The DuckDB file that holds the events: opened once, by one process; hands out the one writer and connections."""

from __future__ import annotations

from importlib import resources
from pathlib import Path
from weakref import WeakSet

import duckdb

from seawall import Mutex
from turnout.errors import DirectoryHeld, StoreUnavailable
from turnout.model.derived import Derived
from turnout.store.duckdb.derive import DuckDeriver
from turnout.store.duckdb.events import DuckEventWriter
from turnout.store.ledger import DayLedger

CHECKPOINT_THRESHOLD = "1GB"
"""DuckDB checkpoints by itself only above this; the writer does it when idle, where nobody waits."""

DERIVED_FORMAT = 1
"""Raise it when what is derived, or how it is laid down, changes."""


class EventDatabase:
    """An open event store.

    `memory_mb` bounds what DuckDB's engine takes; larger work spills into `PATH.tmp` beside the file. Where the disk has
    less than `derive_floor_bytes` left, no days are derived.
    Raises `DirectoryHeld` when another process has the file open, `StoreUnavailable` when it can't be opened.
    """

    def __init__(self, path: Path, *, memory_mb: int = 400, threads: int = 2, derive_floor_bytes: int = 0) -> None:
        self._path = path
        self._config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{memory_mb}MB",
            "threads": threads,
            "temp_directory": f"{path}.tmp",
            "checkpoint_threshold": CHECKPOINT_THRESHOLD,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        self._mutex = Mutex("store.connections")
        self._given: WeakSet[duckdb.DuckDBPyConnection] = WeakSet()  # guarded by self._mutex
        self._ledger = DayLedger()
        self._connection = self._opened()
        self._writer = DuckEventWriter(path, self.connect, self.reopen, self._ledger)
        self._deriver = DuckDeriver(path, self.connect, self._ledger, floor_bytes=derive_floor_bytes)

    def writer(self) -> DuckEventWriter:
        """The one writer; for one thread at a time."""
        return self._writer

    def deriver(self) -> DuckDeriver:
        """What derives days, and deletes sites."""
        return self._deriver

    def derived(self, site_id: int) -> Derived:
        """The derived days of a site now. Never blocks."""
        return self._ledger.derived(site_id)

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database, for one thread at a time. The caller closes it.

        It also ends when the database is reopened; then ask for another. Raises `StoreUnavailable`.
        """
        with self._mutex:
            try:
                connection = self._connection.cursor()
            except duckdb.Error as error:
                raise StoreUnavailable(f"the event store {self._path} is closed") from error
            self._given.add(connection)
            return connection

    def reopen(self) -> None:
        """Close every connection and open the file anew.

        The one way on after what DuckDB calls a fatal error (a checkpoint that met a full disk): until then every
        statement fails. What was committed is in its log and comes back. Raises as opening does.
        """
        with self._mutex:
            self._close_all()
            self._connection = self._opened()

    def close(self) -> None:
        """Close the file; DuckDB folds its log into it. Connections still in use fail from now on."""
        with self._mutex:
            self._close_all()

    def _close_all(self) -> None:
        # DuckDB gives back the same, failed database for a path while any connection to it is open.
        for connection in list(self._given):
            connection.close()
        self._given.clear()
        self._connection.close()

    def _opened(self) -> duckdb.DuckDBPyConnection:
        try:
            connection = duckdb.connect(str(self._path), config=self._config)
            connection.execute(_text("schema.sql"))
            _make_derived_tables(connection)
            marks = connection.execute(_MARKS).fetchall()
        except duckdb.Error as error:
            if "lock" in str(error).lower():
                raise DirectoryHeld(f"the event store {self._path} is open in another process: {error}") from error
            raise StoreUnavailable(f"the event store {self._path} can't be opened: {error}") from error
        self._ledger.reload((int(site_id), int(day), int(events)) for site_id, day, events in marks)
        return connection


_MARKS = "SELECT DISTINCT site_id, day - DATE '1970-01-01', events FROM derived_days"


def _make_derived_tables(connection: duckdb.DuckDBPyConnection) -> None:
    """Make them where they are missing, and anew where they are of another format: their days are derived again."""
    connection.begin()
    connection.execute(_text("derived.sql"))
    formats = connection.execute("SELECT format FROM derived_format").fetchall()
    if formats != [(DERIVED_FORMAT,)]:
        for table in ("derived_days", "visits", "rollups", "derived_format"):
            connection.execute(f"DROP TABLE {table}")
        connection.execute(_text("derived.sql"))
        connection.execute("INSERT INTO derived_format VALUES (?)", [DERIVED_FORMAT])
    connection.commit()


def _text(name: str) -> str:
    return resources.files("turnout.store.duckdb").joinpath(name).read_text(encoding="utf-8")
