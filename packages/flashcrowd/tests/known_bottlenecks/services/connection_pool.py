"""A connection is kept in hand while something else is waited for."""

import asyncio
import sqlite3

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import ResourcePool

PLANTED = Planted(kind="connection pool", names=frozenset({"orders-db"}), can_widen=True)


def build(sizes: Sizes) -> Application:
    orders, bystanders = (
        ResourcePool("orders-db", lambda: sqlite3.connect(":memory:"), max_size=sizes.places),
        Bystanders(),
    )

    async def work() -> None:
        await bystanders.use()
        async with orders.borrow(timeout_s=30) as connection:
            connection.execute("SELECT 1").fetchone()
            await asyncio.sleep(sizes.hold_s)

    return on_seawall(work)
