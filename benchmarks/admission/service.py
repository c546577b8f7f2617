"""The service of the benchmark: one application, and the doors that are compared in front of it.

A dashboard aggregates in SQLite and a sign-in hashes with Argon2id, both on threads as Starlette runs handlers; a cached
answer is bytes in memory; an event is answered 202. Run by `benchmarks.admission`: `python -m
benchmarks.admission.service DOOR PORT DATABASE`. The doors differ in what stands before the application, in nothing else.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import sqlite3
import sys
from collections.abc import Awaitable, Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError

from seawall import Fixed, Gate, Workload
from seawall.asgi import App, Scope, Ticket, admission

TENANTS = 100
PASSWORD = "a crowd is coming"
SEATS = 2
"""Of the core: one that computes, and one that is ready to."""

CONNECTIONS_AT_MOST = 200
"""For `--limit-concurrency`, which counts all connections, idle ones too: with fewer it refuses at the peak already."""

QUERY = """
SELECT page, count(*), sum((visitor * (:tenant + 7)) % 97), count(DISTINCT visitor) FROM events WHERE id <= :rows
GROUP BY page ORDER BY 2 DESC, 1"""

Send = Callable[[Any], Awaitable[None]]
Door = Callable[[App], App]


class Database:
    """A file of events, and how many of them a dashboard reads."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def fill(self, rows: int) -> None:
        """Make the file, with `rows` events."""
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            connection.execute("CREATE TABLE events (id INTEGER PRIMARY KEY, page INTEGER, visitor INTEGER)")
            connection.execute("CREATE TABLE users (hash TEXT)")
            connection.execute("CREATE TABLE answers (tenant INTEGER PRIMARY KEY, answer BLOB)")
            connection.executemany(
                "INSERT INTO events VALUES (?, ?, ?)",
                ((n, n * 7919 % 40, n * 104729 % 5003) for n in range(1, rows + 1)),
            )
            hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)  # as Turnout's
            connection.execute("INSERT INTO users VALUES (?)", (hasher.hash(PASSWORD),))

    def answer(self) -> None:
        """Make every tenant's answer beforehand, for `cached`."""
        answers = [(tenant, self.dashboard(tenant)) for tenant in range(TENANTS)]
        with contextlib.closing(sqlite3.connect(self.path)) as connection, connection:
            connection.executemany("INSERT INTO answers VALUES (?, ?)", answers)

    @cached_property
    def rows(self) -> int:
        """How many events there are."""
        with contextlib.closing(self._open()) as connection:
            return int(connection.execute("SELECT max(id) FROM events").fetchone()[0])

    def dashboard(self, tenant: int, rows: int | None = None) -> bytes:
        """The answer for one tenant: some 20 ms of SQLite, without the GIL."""
        with contextlib.closing(self._open()) as connection:
            pages = connection.execute(QUERY, {"tenant": tenant, "rows": rows or self.rows}).fetchall()
        return json.dumps({"tenant": tenant, "sum": sum(page[2] for page in pages), "pages": pages}).encode()

    def hashed(self) -> str:
        """The hash of everybody's password."""
        with contextlib.closing(self._open()) as connection:
            return str(connection.execute("SELECT hash FROM users").fetchone()[0])

    def cached(self) -> dict[str, bytes]:
        """Every tenant's answer, made beforehand."""
        with contextlib.closing(self._open()) as connection:
            return {str(tenant): answer for tenant, answer in connection.execute("SELECT * FROM answers")}

    def _open(self) -> sqlite3.Connection:
        return sqlite3.connect(f"file:{self.path}?mode=ro", uri=True)


class Service:
    """The application."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._hash = database.hashed()
        self._hasher = PasswordHasher()
        self._cached = database.cached()
        self._events = 0

    async def __call__(self, scope: Scope, receive: Callable[[], Awaitable[Any]], send: Send) -> None:
        """Answer one request."""
        _, kind, tenant = scope["path"].split("/")
        status, body = 200, b"{}"
        if kind == "dashboard":
            body = await to_thread.run_sync(self._database.dashboard, int(tenant))
        elif kind == "critical":
            body = await to_thread.run_sync(self._database.dashboard, int(tenant), self._database.rows // 10)
        elif kind == "cached":
            body = self._cached[tenant]
        elif kind == "sign-in":
            is_right = await to_thread.run_sync(self._matches, json.loads(await body_of(receive))["password"])
            status, body = (200, b'{"signed_in":true}') if is_right else (403, b"{}")
        else:
            self._events += len(json.loads(await body_of(receive)))
            status = 202
        headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    def _matches(self, password: str) -> bool:
        try:
            return self._hasher.verify(self._hash, password)
        except VerificationError:
            return False


async def body_of(receive: Callable[[], Awaitable[Any]]) -> bytes:
    """The whole body of a request."""
    body, message = b"", await receive()
    while message["type"] == "http.request":
        body += message.get("body", b"")
        if not message.get("more_body", False):
            break
        message = await receive()
    return body


def gated(app: App, *, is_shadow: bool = False) -> App:
    """Seawall's gates: one for the core, one for what the loop answers by itself."""
    core = Gate(
        "core",
        Fixed(SEATS),
        [
            # Priority alone would not do: it is for seats that no share claims.
            Workload("critical", priority="critical", share=0.2, queue_limit=64, deadline_s=1.0),
            Workload("dashboard", priority="interactive", share=0.6, queue_limit=32, deadline_s=0.12),
            Workload("sign-in", priority="interactive", share=0.2, queue_limit=16, deadline_s=1.0),
        ],
        is_shadow=is_shadow,
    )
    loop = Gate(
        "loop",
        Fixed(64),
        [Workload("event", priority="critical", share=0.5), Workload("cached", priority="interactive", share=0.5)],
        is_shadow=is_shadow,
    )
    tickets: dict[str, Ticket] = {}

    def classify(scope: Scope) -> Ticket:
        path = scope["path"]
        ticket = tickets.get(path)
        if ticket is None:
            _, kind, tenant = path.split("/")
            ticket = tickets[path] = Ticket(kind, tenant)  # 5 kinds x 100 tenants
        return ticket

    return admission(app, [core, loop], classify)


def limited(app: App) -> App:
    """anyio's limiter around what computes: the rest waits in its line, as long as it takes."""
    limiter = anyio.CapacityLimiter(SEATS)

    async def call(scope: Scope, receive: Any, send: Any) -> None:
        if scope["path"].startswith(("/cached", "/event")):
            await app(scope, receive, send)
            return
        async with limiter:
            await app(scope, receive, send)

    return call


DOORS: Mapping[str, Door] = {
    "gate": gated,
    "shadow": lambda app: gated(app, is_shadow=True),
    "bare": lambda app: app,
    "limit-concurrency": lambda app: app,
    "CapacityLimiter": limited,
}


def main(door: str, port: int, database: Path) -> None:
    """Serve."""
    import uvicorn
    import uvloop

    logging.disable()  # uvicorn warns of each request over its limit
    config = uvicorn.Config(
        DOORS[door](Service(Database(database))),
        port=port,
        http="httptools",
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        limit_concurrency=CONNECTIONS_AT_MOST if door == "limit-concurrency" else None,
        timeout_graceful_shutdown=1,
    )
    with contextlib.suppress(KeyboardInterrupt):
        uvloop.run(uvicorn.Server(config).serve())
    os._exit(0)  # threads that still work for who has left are not waited for


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), Path(sys.argv[3]))
