"""A real event store whose statements are counted, and can be made to run for ever."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path

import duckdb

from seawall import ThreadPool
from turnout.model.query import Query
from turnout.model.site import OrganisationId, Site, SiteId
from turnout.query.parse import parse_ask, resolve
from turnout.store.duckdb.database import EventDatabase
from turnout.store.duckdb.reader import Reader

SITE = Site(SiteId(1), "one.example", "UTC", OrganisationId(1))
ENDLESS = "SELECT sum(a.range * b.range) FROM range(1000000000) a, range(1000000) b"


class WatchedReader(Reader):
    """The real reader; counts its runs, and runs `instead` where that is set."""

    instead: str | None = None
    begun = 0
    over = 0

    def __init__(self, connection: duckdb.DuckDBPyConnection, position: Callable[[], int]) -> None:
        super().__init__(connection, position)
        self.tickets: list[object] = []

    def rows(self, sql: str, parameters: Sequence[object], *, ticket: object = None) -> list[tuple[object, ...]]:
        self.begun += 1
        self.tickets.append(ticket)
        try:
            if self.instead is not None:
                return super().rows(self.instead, [], ticket=ticket)
            return super().rows(sql, parameters, ticket=ticket)
        finally:
            self.over += 1


class Store:
    def __init__(self, directory: Path) -> None:
        self.database = EventDatabase(directory / "events.duckdb")
        self.position = 0
        self.reader = WatchedReader(self.database.connect, lambda: self.position)
        self.pool = ThreadPool("queries", max_threads=2)

    def close(self) -> None:
        """Ends whatever runs: nothing but an interrupt stops an endless statement."""
        self.pool.shutdown(wait=False)
        while self.reader.over < self.reader.begun:
            for ticket in self.reader.tickets:
                self.reader.interrupt(ticket)
        self.pool.shutdown()
        self.reader.close()
        self.database.close()


def query(**asked: object) -> Query:
    body = {"site_id": "one.example", "metrics": ["visitors"], "date_range": "7d"} | asked
    return resolve(parse_ask(body), SITE, datetime(2026, 6, 15, tzinfo=UTC))


async def until(holds: Callable[[], bool]) -> None:
    """Wait, 10 seconds at most, until `holds()`."""
    for _ in range(1000):
        if holds():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("never came to hold")
