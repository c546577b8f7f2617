"""Tasks write a ledger one at a time."""

import asyncio

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Mutex

PLANTED = Planted(kind="lock", names=frozenset({"ledger"}))


def build(sizes: Sizes) -> Application:
    ledger, bystanders = Mutex("ledger"), Bystanders()

    async def work() -> None:
        await bystanders.use()
        async with ledger:
            await asyncio.sleep(1 / sizes.capacity_per_s)

    return on_seawall(work)
