"""A semaphore, and before it a lock that would do a third more."""

import asyncio

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Mutex, Semaphore

PLANTED = Planted(kind="semaphore", names=frozenset({"exports"}), also="lock", can_widen=True)


def build(sizes: Sizes) -> Application:
    exports, archive, bystanders = Semaphore("exports", sizes.places), Mutex("archive"), Bystanders()

    archived_s = sizes.widened / sizes.capacity_per_s / 1.33  # as long, however wide the semaphore

    async def work() -> None:
        await bystanders.use()
        async with archive:
            await asyncio.sleep(archived_s)
        async with exports:
            await asyncio.sleep(sizes.hold_s)

    return on_seawall(work)
