"""The DuckDB file that holds the events: opened once, by one process; hands out the one writer and connections."""

from __future__ import annotations

from importlib import resources
from pathlib import Path

import duckdb

from turnout.errors import DirectoryHeld, StoreUnavailable
from turnout.store.duckdb.events import DuckEventWriter

CHECKPOINT_THRESHOLD = "1GB"
"""DuckDB checkpoints by itself only above this; the writer does it when idle, where nobody waits."""


class EventDatabase:
    """An open event store.

    `memory_mb` bounds what DuckDB's engine takes; larger work spills into `PATH.tmp` beside the file.
    Raises `DirectoryHeld` when another process has the file open, `StoreUnavailable` when it can't be opened.
    """

    def __init__(self, path: Path, *, memory_mb: int = 400, threads: int = 2) -> None:
        self._path = path
        config: dict[str, str | bool | int | float | list[str]] = {
            "memory_limit": f"{memory_mb}MB",
            "threads": threads,
            "temp_directory": f"{path}.tmp",
            "checkpoint_threshold": CHECKPOINT_THRESHOLD,
            "autoinstall_known_extensions": False,
            "autoload_known_extensions": False,
        }
        try:
            self._connection = duckdb.connect(str(path), config=config)
            self._connection.execute(_schema())
        except duckdb.Error as error:
            if "lock" in str(error).lower():
                raise DirectoryHeld(f"the event store {path} is open in another process: {error}") from error
            raise StoreUnavailable(f"the event store {path} can't be opened: {error}") from error
        self._writer = DuckEventWriter(self._connection.cursor())

    def writer(self) -> DuckEventWriter:
        """The one writer; for one thread at a time."""
        return self._writer

    def connect(self) -> duckdb.DuckDBPyConnection:
        """A connection of its own to the same database, for one thread at a time. The caller closes it."""
        return self._connection.cursor()

    def close(self) -> None:
        """Close the file; DuckDB folds its log into it. Connections still in use fail from now on."""
        self._writer.close()
        self._connection.close()


def _schema() -> str:
    return resources.files("turnout.store.duckdb").joinpath("schema.sql").read_text(encoding="utf-8")
