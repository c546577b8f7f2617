"""The stats API alone over real HTTP: uvicorn on loopback, a real event store, one key, and sites made by the test."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from types import TracebackType

import uvicorn
from litestar import Litestar, Request
from litestar.di import Provide

from seawall import ThreadPool
from turnout.errors import NotFound, NotSignedIn
from turnout.model.site import Principal, Site, UserId
from turnout.query.run import QueryRunner
from turnout.store.duckdb.database import EventDatabase
from turnout.store.duckdb.reader import Reader
from turnout.web.api import query_stats

API_KEY = "a-key"


class FewSites:
    """Sites in memory, all of one owner."""

    def __init__(self) -> None:
        self._sites: dict[str, Site] = {}

    def add(self, site: Site) -> None:
        self._sites[site.domain] = site

    async def get(self, principal: Principal, domain: str) -> Site:
        site = self._sites.get(domain)
        if site is None or site.organisation_id != principal.user_id:
            raise NotFound(domain)
        return site


class SetClock:
    """A clock that stands where the test puts it."""

    def __init__(self) -> None:
        self._time = 0.0

    def set(self, time: float) -> None:
        self._time = time

    def time(self) -> float:
        return self._time

    def monotonic(self) -> float:
        return self._time


async def principal(request: Request) -> Principal:
    if request.headers.get("authorization") != f"Bearer {API_KEY}":
        raise NotSignedIn("no valid key")
    return Principal(UserId(1), "owner@one.example", scopes=frozenset({"stats"}))


class ApiServer:
    """A context manager: the server answers at `url` while it is open."""

    def __init__(self, directory: Path) -> None:
        self.sites = FewSites()
        self.clock = SetClock()
        self.database = EventDatabase(directory / "events.duckdb")
        self.writer = self.database.writer()
        self.deriver = self.database.deriver()
        self._pool = ThreadPool("queries", max_threads=2)
        self._reader = Reader(self.database.connect, self.writer.position, self.database.derived)
        self.runner = QueryRunner(self._reader, self._pool)
        self._server = uvicorn.Server(uvicorn.Config(self.app(), log_level="warning", lifespan="off"))
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._thread = threading.Thread(target=self._server.run, kwargs={"sockets": [self._socket]})

    def app(self) -> Litestar:
        provided = {
            "principal": Provide(principal),
            "sites": Provide(lambda: self.sites, sync_to_thread=False),
            "runner": Provide(lambda: self.runner, sync_to_thread=False),
            "clock": Provide(lambda: self.clock, sync_to_thread=False),
        }
        return Litestar([query_stats], dependencies=provided)

    def __enter__(self) -> ApiServer:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.should_exit = True
        self._thread.join(timeout=10)
        self._pool.shutdown()
        self._reader.close()
        self.database.close()
        self._socket.close()
