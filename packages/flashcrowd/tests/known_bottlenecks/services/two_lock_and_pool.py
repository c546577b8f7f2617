"""A lock, and behind it a connection pool that would do a third more."""

import asyncio
import sqlite3

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Mutex, ResourcePool

PLANTED = Planted(kind="lock", names=frozenset({"ledger"}), also="connection pool")


def build(sizes: Sizes) -> Application:
    ledger, bystanders = Mutex("ledger"), Bystanders()
    orders = ResourcePool("orders-db", lambda: sqlite3.connect(":memory:"), max_size=sizes.places)

    async def work() -> None:
        await bystanders.use()
        async with ledger:
            await asyncio.sleep(1 / sizes.capacity_per_s)
        async with orders.borrow(timeout_s=30):
            await asyncio.sleep(sizes.hold_s / 1.33)

    return on_seawall(work)
