"""Locks, pools and threads, all of them wide enough."""

import asyncio
import time

from known_bottlenecks.bystanders import Bystanders
from known_bottlenecks.planted import Planted, Sizes
from known_bottlenecks.web import Application, on_seawall
from seawall import Mutex, Semaphore, ThreadPool

PLANTED = Planted(kind="")


def build(sizes: Sizes) -> Application:
    ledger, exports, bystanders = Mutex("ledger"), Semaphore("exports", 32), Bystanders()
    reads = ThreadPool("reads", min_threads=32, max_threads=32)

    async def work() -> None:
        await bystanders.use()
        async with ledger:
            await asyncio.sleep(0.001)
        async with exports:
            await asyncio.sleep(0.010)
        await reads.run(time.sleep, sizes.hold_s)

    return on_seawall(work)
