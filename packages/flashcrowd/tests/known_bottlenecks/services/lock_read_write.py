"""A catalogue that many read, and that half of the requests change."""

import asyncio
import random

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import ReadWriteLock

PLANTED = Planted(kind="lock", names=frozenset({"catalogue"}))

SHARE_OF_WRITERS = 0.5
PER_REQUEST = SHARE_OF_WRITERS * (2 - SHARE_OF_WRITERS)
"""Holds that a request takes of the lock on average, first come, first served: readers in a row share one."""


def build(sizes: Sizes) -> Application:
    catalogue, bystanders, dice = ReadWriteLock("catalogue"), Bystanders(), random.Random(7)
    hold_s = 1 / sizes.capacity_per_s / PER_REQUEST

    async def work() -> None:
        await bystanders.use()
        async with catalogue.write if dice.random() < SHARE_OF_WRITERS else catalogue.read:
            await asyncio.sleep(hold_s)

    return on_seawall(work)
