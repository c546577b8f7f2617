"""Every request changes one row of PostgreSQL, and there are connections enough."""

import os
import time

import psycopg

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import ResourcePool, ThreadPool

PLANTED = Planted(kind="database", names=frozenset({"orders-db"}), needs_postgres=True)


def build(sizes: Sizes) -> Application:
    url = os.environ["KNOWN_BOTTLENECKS_POSTGRES"]
    with psycopg.connect(url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS counter (id int PRIMARY KEY, hits int)")
        connection.execute("INSERT INTO counter VALUES (1, 0) ON CONFLICT DO NOTHING")
    orders = ResourcePool("orders-db", lambda: psycopg.connect(url), max_size=60)
    handlers, bystanders = ThreadPool("handlers", min_threads=80, max_threads=80), Bystanders()

    def count() -> None:
        with orders.borrow(timeout_s=30) as connection, connection.transaction():
            connection.execute("SELECT 1")
            connection.execute("UPDATE counter SET hits = hits + 1 WHERE id = 1")
            time.sleep(1 / sizes.capacity_per_s)  # the rest of the transaction

    async def work() -> None:
        await bystanders.use()
        await handlers.run(count)

    return on_seawall(work)
