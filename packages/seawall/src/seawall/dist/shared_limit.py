"""A rate that processes share: so many a second among all of them, counted by one server."""

from __future__ import annotations

import asyncio
import random

from seawall.clock import SYSTEM_CLOCK
from seawall.dist.shared_semaphore import _NAME
from seawall.dist.store import Store
from seawall.errors import DeadlineExceeded, Misuse, Overloaded
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.park import Parker
from seawall.runtime.who import running_loop


class SharedLimit:
    """At most `rate_per_s` units a second and `burst` at once, among all processes that use the same server and name.

    One round trip each, by the server's clock only. Asking when it is used up costs nothing of it. All processes are to
    use the same figures. For a limit on how many are inside at once, use `SharedSemaphore`.

    `acquire` is not fair: who asks again first after a pause gets it. What was asked when the answer got lost may have
    been taken. A store that cannot be reached raises `StoreUnavailable`: whether to go on without the limit is the
    caller's choice.

    Source: ITU-T I.371, generic cell rate algorithm.

    >>> from seawall.dist import MemoryStore, SharedLimit
    >>> with MemoryStore() as store:
    ...     mails = SharedLimit("mails", store, rate_per_s=0.01, burst=2)
    ...     [mails.try_spend(), mails.try_spend(), mails.try_spend()]
    [True, True, False]
    """

    def __init__(self, name: str, store: Store, *, rate_per_s: float, burst: float = 1.0) -> None:
        if not _NAME.fullmatch(name):
            raise Misuse(f"name must be 1 to 200 characters without braces and control characters, not {name!r}")
        if not 0 < rate_per_s < float("inf") or not 1 <= burst < float("inf"):
            raise Misuse(f"limit {name}: rate_per_s must be above 0 and burst 1 or more, not {rate_per_s}, {burst}")
        self.name = name
        self.rate_per_s = rate_per_s
        self.burst = burst
        self._store = store

    def spend(self, cost: float = 1.0) -> None:
        """Take `cost` units; blocks for one round trip. Raises Overloaded with `retry_after_s`, or StoreUnavailable.

        Misuse where `cost` is not above 0 or is above `burst`, and on an event loop's thread.
        """
        self._raise_if(self._ask(cost))

    async def spend_async(self, cost: float = 1.0) -> None:
        """As `spend`, in a task."""
        self._raise_if(await self._ask_async(cost))

    def try_spend(self, cost: float = 1.0) -> bool:
        """As `spend`, but False instead of Overloaded. Blocks for one round trip."""
        return self._ask(cost) == 0

    async def try_spend_async(self, cost: float = 1.0) -> bool:
        """As `try_spend`, in a task."""
        return await self._ask_async(cost) == 0

    def acquire(self, cost: float = 1.0, *, timeout_s: float | None = None) -> None:
        """Block the thread until `cost` units are there, for at most `timeout_s` seconds and within the deadline.

        Raises DeadlineExceeded as soon as it is known that they will not be there in time; nothing is taken then.
        """
        pause, since_s, until_s = Parker(), *_limits(timeout_s)
        while wait_s := self._ask(cost):
            pause.park(self._pause(wait_s, since_s, until_s))

    async def acquire_async(self, cost: float = 1.0, *, timeout_s: float | None = None) -> None:
        """As `acquire`, waiting in the running task for at most `timeout_s` seconds."""
        since_s, until_s = _limits(timeout_s)
        while wait_s := await self._ask_async(cost):
            await asyncio.sleep(self._pause(wait_s, since_s, until_s))

    def _ask(self, cost: float) -> float:
        if running_loop() is not None:
            raise Misuse(f"limit {self.name}: it would block the event loop; use the `_async` verbs")
        return self._store.spend(self.name, self.rate_per_s, self.burst, self._checked(cost))

    async def _ask_async(self, cost: float) -> float:
        return await self._store.threads.run(
            self._store.spend, self.name, self.rate_per_s, self.burst, self._checked(cost)
        )

    def _checked(self, cost: float) -> float:
        if not 0 < cost <= self.burst:
            raise Misuse(f"limit {self.name}: cost must be above 0 and at most burst ({self.burst:g}), not {cost}")
        return cost

    def _raise_if(self, wait_s: float) -> None:
        if wait_s:
            raise Overloaded(f"limit {self.name}", wait_s)

    def _pause(self, wait_s: float, since_s: float, until_s: float | None) -> float:
        now_s = SYSTEM_CLOCK.monotonic()
        if until_s is not None and now_s + wait_s > until_s:
            raise DeadlineExceeded(f"limit {self.name}", now_s - since_s)
        return wait_s * (1 + random.random() / 10)


def _limits(timeout_s: float | None) -> tuple[float, float | None]:
    limit_s = wait_limit_s(timeout_s)
    since_s = SYSTEM_CLOCK.monotonic()
    return since_s, None if limit_s is None else since_s + limit_s
