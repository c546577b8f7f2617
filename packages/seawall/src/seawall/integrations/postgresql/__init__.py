"""PostgreSQL's locks in Seawall's graph of waiting, for SQLAlchemy engines on psycopg 3."""

from __future__ import annotations

from seawall.integrations.postgresql.deadlock import DatabaseDeadlock
from seawall.integrations.postgresql.watch import PostgresWatch, watch_postgresql

__all__ = ["DatabaseDeadlock", "PostgresWatch", "watch_postgresql"]
