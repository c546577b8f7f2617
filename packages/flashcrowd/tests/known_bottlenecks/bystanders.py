"""What a service has beside its bottleneck: used by each request, and never short."""

from __future__ import annotations

import asyncio

from seawall import Mutex, ResourcePool, Semaphore

BRIEF_S = 0.001


class Bystanders:
    """A lock held for an instant, a wide semaphore and a wide pool: each is waited for now and then, none limits."""

    def __init__(self) -> None:
        self._index = Mutex("page-index")
        self._uploads = Semaphore("uploads", 64)
        self._mailers = ResourcePool("mailers", object, max_size=64)

    async def use(self) -> None:
        """What a request does with them."""
        async with self._index:
            await asyncio.sleep(0)
        async with self._uploads, self._mailers.borrow(timeout_s=30):
            await asyncio.sleep(BRIEF_S)
