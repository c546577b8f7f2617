"""Which kind of resource a name speaks of, by its words."""

from __future__ import annotations

import re

from flashcrowd.samples import ResourceKind

_WORDS = re.compile(r"[a-z]+")

DATABASE = {"db", "database", "sql", "sqlite", "postgres", "postgresql", "mysql", "mariadb", "mongo", "mongodb", "redis",
            "valkey", "query", "sqlalchemy", "clickhouse", "duckdb", "cassandra", "elasticsearch"}  # fmt: skip
DOWNSTREAM = {"upstream", "downstream", "http", "https", "client", "api", "remote", "rpc", "grpc", "fetch", "call",
              "outbound", "external", "backend", "origin"}  # fmt: skip
WHOLE = {"total", "app", "application", "request", "handler", "server", "origin-response", "response", "all", "edge",
         "runtime", "php", "rack", "wsgi", "asgi", "view", "ttfb", "duration"}  # fmt: skip
"""Names in `Server-Timing` that commonly stand for the whole of a request."""

_PLACES: tuple[tuple[set[str], ResourceKind], ...] = (
    ({"queue", "queues", "jobs", "job", "backlog", "mailbox", "batcher"}, "queue"),
    ({"connection", "connections", "conn", "conns", "sqlalchemy", "hikaricp", "pgbouncer"}, "connection pool"),
    ({"thread", "threads", "threadpool", "executor", "executors", "worker", "workers"}, "thread pool"),
    ({"lock", "locks", "mutex", "mutexes", "rwlock"}, "lock"),
    ({"semaphore", "semaphores", "limiter", "permit", "permits", "bulkhead"}, "semaphore"),
    ({"gate", "gates", "admission"}, "gate"),
)


def kind_of(name: str, *, is_called: bool) -> ResourceKind | None:
    """The kind that the words of `name` speak of; None where they do not.

    `is_called` says that its time is known and it is rather something that is asked (a database, another service) than
    something that has places (a lock, a pool).

    >>> kind_of("db_client_connection orders", is_called=False)
    'connection pool'
    >>> kind_of("db_client_operation_duration_seconds", is_called=True)
    'database'
    """
    if name.startswith("seawall_resource_pool"):
        return "connection pool"
    words = set(_WORDS.findall(re.sub(r"([a-z])([A-Z])", r"\1 \2", name).lower()))
    places = next((kind for known, kind in _PLACES if words & known), None)
    called: ResourceKind | None = "database" if words & DATABASE else "downstream" if words & DOWNSTREAM else None
    if is_called:
        return called or places
    if places is None and "pool" in words:
        return "connection pool" if called else "thread pool"
    return places


def is_whole(name: str) -> bool:
    """True for a name that commonly stands for a request's whole time, and so explains nothing."""
    return name.lower() in WHOLE
