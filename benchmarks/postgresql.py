"""What `watch_postgresql` and `SeawallPool` cost a statement, and how fast a deadlock with a lock of the database is broken.

Run: `uv run --group servers python -m benchmarks.postgresql URL`, with the URL of a PostgreSQL database that may be written
to, such as `postgresql+psycopg://postgres@localhost/postgres`. Statements are compared in pairs, in turn, in one run.
"""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable

from sqlalchemy import Engine, create_engine, text
from sqlalchemy.pool import QueuePool

from benchmarks.locks import compare
from benchmarks.report import percentile, report
from seawall import Deadlock, Mutex
from seawall.integrations.postgresql import watch_postgresql
from seawall.integrations.sqlalchemy import SeawallPool

STATEMENTS = 300
ROUNDS = 61
DEADLOCKS = 20


def main(url: str) -> None:
    """Measure everything and print it."""
    plain, pooled, watched = (create_engine(url, poolclass=kind) for kind in (QueuePool, SeawallPool, QueuePool))
    watch = watch_postgresql(watched)
    try:
        compare("SELECT 1, watched", "us", select(watched), "not watched", select(plain), None, ROUNDS)
        compare("SELECT 1, watched, noise", "us", select(plain), "itself", select(plain), None, ROUNDS)
        compare("connect and SELECT 1, watched", "us", connect(watched), "not watched", connect(plain), None, ROUNDS)
        compare("connect and SELECT 1, SeawallPool", "us", connect(pooled), "QueuePool", connect(plain), None, ROUNDS)
        took_s = [deadlock_s(watched) for _ in range(DEADLOCKS)]
        goal = "<= 1200 ms"
        report("mutex and advisory lock, until it is broken, median", "ms", statistics.median(took_s) * 1e3, goal=goal)
        report("mutex and advisory lock, until it is broken, p95", "ms", percentile(took_s, 0.95) * 1e3, goal=goal)
    finally:
        for engine in (plain, pooled, watched):
            engine.dispose()
        watch.stop(30)


def select(engine: Engine) -> Callable[[], float]:
    """The cost of one statement on a connection that is there, in seconds."""

    def run() -> float:
        with engine.connect() as connection:
            began_s = time.perf_counter()
            for _ in range(STATEMENTS):
                connection.execute(_ONE)
            return (time.perf_counter() - began_s) / STATEMENTS

    return run


def connect(engine: Engine) -> Callable[[], float]:
    """The cost of taking a connection, one statement, and giving it back, in seconds."""

    def run() -> float:
        began_s = time.perf_counter()
        for _ in range(STATEMENTS):
            with engine.connect() as connection:
                connection.execute(_ONE)
        return (time.perf_counter() - began_s) / STATEMENTS

    return run


def deadlock_s(engine: Engine) -> float:
    """From the wait that closes a ring of a mutex and an advisory lock to its end, in seconds."""
    mutex, both, ended_s = Mutex("bench"), threading.Barrier(2), [0.0, 0.0]

    def mutex_then_lock() -> None:
        with mutex, engine.begin() as connection:
            both.wait(30)
            ended_s[0] = time.perf_counter()
            try:
                connection.execute(_LOCK)
            except Deadlock:
                ended_s[1] = time.perf_counter()

    def lock_then_mutex() -> None:
        with engine.begin() as connection:
            connection.execute(_LOCK)
            both.wait(30)
            with mutex:
                pass

    threads = [threading.Thread(target=run) for run in (mutex_then_lock, lock_then_mutex)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return ended_s[1] - ended_s[0]


_ONE = text("SELECT 1")
_LOCK = text("SELECT pg_advisory_xact_lock(1)")

if __name__ == "__main__":
    main(sys.argv[1])
