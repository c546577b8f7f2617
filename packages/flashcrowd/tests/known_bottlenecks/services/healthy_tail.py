"""One request in twelve is slow by itself, whatever the load."""

import asyncio
import random

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Semaphore

PLANTED = Planted(kind="")


def build(sizes: Sizes) -> Application:
    exports, bystanders, dice = Semaphore("exports", 48), Bystanders(), random.Random(11)

    async def work() -> None:
        await bystanders.use()
        async with exports:
            await asyncio.sleep(0.200 if dice.random() < 1 / 12 else 0.015)

    return on_seawall(work)
