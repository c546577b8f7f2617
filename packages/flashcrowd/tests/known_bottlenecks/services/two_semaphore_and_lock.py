"""A semaphore, and before it a lock that would do a third more."""

import asyncio

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Mutex, Semaphore

PLANTED = Planted(kind="semaphore", names=frozenset({"exports"}), also="lock")


def build(sizes: Sizes) -> Application:
    exports, archive, bystanders = Semaphore("exports", sizes.places), Mutex("archive"), Bystanders()

    async def work() -> None:
        await bystanders.use()
        async with archive:
            await asyncio.sleep(1 / sizes.capacity_per_s / 1.33)
        async with exports:
            await asyncio.sleep(sizes.hold_s)

    return on_seawall(work)
