"""The handbook's page docs/patterns/the-hot-row.md: the trap, and the fixes. Transactions are counted, not timed."""

import asyncio
import sqlite3
import threading

import pytest

from seawall import Batcher

REQUESTS = 100


class Counters:
    """Page views in a database that has one row for all of them, and how many transactions it took."""

    def __init__(self, path: str) -> None:
        self.database = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self.database.execute("CREATE TABLE counters (n INTEGER NOT NULL)")
        self.database.execute("INSERT INTO counters VALUES (0)")
        self.transactions = 0

    def add(self, count: int) -> None:
        self.database.execute("UPDATE counters SET n = n + ?", (count,))
        self.transactions += 1

    def value(self) -> int:
        return self.database.execute("SELECT n FROM counters").fetchone()[0]


@pytest.fixture
def counters(tmp_path):
    made = Counters(str(tmp_path / "counters.sqlite"))
    yield made
    made.database.close()


def test_trap_each_request_is_a_transaction_on_the_same_row(counters) -> None:
    for _ in range(REQUESTS):
        counters.add(1)
    assert (counters.value(), counters.transactions) == (REQUESTS, REQUESTS)


def test_fix_what_came_during_the_last_transaction_is_one_transaction(counters) -> None:
    all_are_there = threading.Event()

    def flush(views: list[int]) -> None:
        assert all_are_there.wait(30)  # a slow commit: meanwhile the others arrive
        counters.add(sum(views))

    async def main() -> None:
        batcher = Batcher("views", flush, max_items=1_000, capacity=1_000)
        requests = [asyncio.create_task(batcher.put(1)) for _ in range(REQUESTS)]
        await asyncio.sleep(0)  # each has put its view now
        assert batcher.statistics().pending == REQUESTS
        all_are_there.set()
        await asyncio.gather(*requests)  # each is told only when its view is in the database
        await asyncio.to_thread(batcher.close, 30)

    asyncio.run(main())
    assert counters.value() == REQUESTS
    assert counters.transactions <= 2  # the first view alone, and all that came while it was written


@pytest.fixture
def connect(postgres, postgres_database):
    import psycopg

    connections = []

    def make():
        connections.append(psycopg.connect(postgres.url(postgres_database)))
        return connections[-1]

    yield make
    for connection in connections:
        connection.close()


def test_trap_a_transaction_on_the_row_keeps_every_other_one_out(connect) -> None:
    import psycopg

    first, second = connect(), connect()
    first.execute("CREATE TABLE counters (page text PRIMARY KEY, n int NOT NULL)")
    first.execute("INSERT INTO counters VALUES ('home', 0)")
    first.commit()
    first.execute("UPDATE counters SET n = n + 1 WHERE page = 'home'")  # and not committed yet
    with pytest.raises(psycopg.errors.LockNotAvailable):
        second.execute("SELECT n FROM counters WHERE page = 'home' FOR UPDATE NOWAIT")


def test_fix_a_row_for_each_worker_keeps_nobody_out_and_is_summed_by_who_reads(connect) -> None:
    shards = 8
    workers = [connect() for _ in range(shards)]
    workers[0].execute(
        "CREATE TABLE counters (page text NOT NULL, shard int NOT NULL, n int NOT NULL, PRIMARY KEY (page, shard))"
    )
    workers[0].commit()
    for shard, worker in enumerate(workers):  # all at once: none is committed before the last has begun
        worker.execute("SET lock_timeout = '60s'")
        worker.execute(
            "INSERT INTO counters VALUES ('home', %s, 1) ON CONFLICT (page, shard) DO UPDATE SET n = counters.n + 1",
            (shard,),
        )
    for worker in workers:
        worker.commit()
    assert workers[0].execute("SELECT sum(n) FROM counters WHERE page = 'home'").fetchone() == (shards,)
