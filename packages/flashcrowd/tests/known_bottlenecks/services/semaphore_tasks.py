"""A few exports at a time."""

import asyncio

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Semaphore

PLANTED = Planted(kind="semaphore", names=frozenset({"exports"}), can_widen=True)


def build(sizes: Sizes) -> Application:
    exports, bystanders = Semaphore("exports", sizes.places), Bystanders()

    async def work() -> None:
        await bystanders.use()
        async with exports:
            await asyncio.sleep(sizes.hold_s)

    return on_seawall(work)
