"""A semaphore shared by processes: at most so many of them inside, each for as long as it is alive."""

from __future__ import annotations

import asyncio
import re
from types import TracebackType
from uuid import uuid4

from seawall.core.lease_table import Claim
from seawall.core.polling import PLACE_S
from seawall.core.statistics import LeaseStatistics
from seawall.dist.attempt import Attempt
from seawall.dist.cancelling import Cancelling
from seawall.dist.held import Held
from seawall.dist.lease_counts import LeaseCounts
from seawall.dist.store import Store
from seawall.runtime.task_pause import TaskPause
from seawall.errors import LeaseLost, Misuse
from seawall.observe.registry import REGISTRY
from seawall.runtime.park import Parker
from seawall.runtime.who import Owner, get_ident, name_of, running_loop, this_task

PERMITS_AT_MOST = 1000
"""A store looks at every holder each time it is asked."""

_NAME = re.compile(r"[^\x00-\x1f\x7f{}]{1,200}")


class SharedSemaphore:
    """At most `permits` holders of `name` among all processes that use the same server; see `Lease` for the case of one.

    First come, first served, among threads, tasks and processes alike, where the store keeps a line (`PostgresqlStore`,
    `ValkeyStore`, `MemoryStore`; not `AdvisoryStore`). Each holder has a `slot` from 0 to `permits` - 1, and tokens
    rise in each slot; so what belongs to a slot can be fenced, what all share cannot. All processes are to use the
    same `permits`; one that uses fewer lets nobody in until there are fewer inside.

    Otherwise it does what `Lease` does: `ttl_s`, renewal, loss, cancellation and errors are the same.

    >>> from seawall.dist import MemoryStore, SharedSemaphore
    >>> with MemoryStore() as store:
    ...     exports = SharedSemaphore("exports", store, ttl_s=10, permits=2)
    ...     with exports as held:
    ...         other = exports.try_acquire()
    ...         (held.slot, other.slot, exports.try_acquire())
    (0, 1, None)
    """

    def __init__(self, name: str, store: Store, *, ttl_s: float, permits: int) -> None:
        if not _NAME.fullmatch(name):
            raise Misuse(f"name must be 1 to 200 characters without braces and control characters, not {name!r}")
        if not 3 * store.timeout_s <= ttl_s < float("inf"):
            raise Misuse(
                f"lease {name}: ttl_s must be 3 × the store's timeout_s ({store.timeout_s:g} s) or more, not {ttl_s}, "
                "or a renewal that fails could not be tried again in time"
            )
        if not 1 <= permits <= PERMITS_AT_MOST:
            raise Misuse(f"lease {name}: permits must be from 1 to {PERMITS_AT_MOST}, not {permits}")
        self.name = name
        self.ttl_s = ttl_s
        self.permits = permits
        self._store = store
        self._counts = LeaseCounts()
        self._entered: dict[Owner, tuple[Held, Cancelling | None]] = {}  # each is written by its owner alone
        REGISTRY.add(self)

    def acquire(self, *, timeout_s: float | None = None) -> Held:
        """Block the thread until a lease is granted, for at most `timeout_s` seconds and within the ambient deadline.

        Raises DeadlineExceeded when it is late; nothing is left behind then. While time is left, a server that cannot
        be reached is asked again; without any limit it raises StoreUnavailable at once. Misuse on an event loop's thread.
        """
        held = self._acquire(self._claim(waits=True), timeout_s)
        assert held is not None
        return held

    async def acquire_async(self, *, timeout_s: float | None = None) -> Held:
        """As `acquire`, waiting in the running task for at most `timeout_s` seconds. Cancelled, it leaves nothing behind."""
        held = await self._acquire_async(self._claim(waits=True), timeout_s)
        assert held is not None
        return held

    def try_acquire(self) -> Held | None:
        """A lease if one is free and nobody waits in line, else None. Waits for nobody; blocks for one round trip.

        Raises StoreUnavailable, DeadlineExceeded where the ambient deadline has passed, Misuse on a loop's thread.
        """
        return self._acquire(self._claim(waits=False), None)

    async def try_acquire_async(self) -> Held | None:
        """As `try_acquire`, in a task."""
        return await self._acquire_async(self._claim(waits=False), None)

    def statistics(self) -> LeaseStatistics:
        """What this object holds and has seen. Asks no server; never blocks."""
        return self._counts.statistics(self.name, self._store.name, self.permits)

    def __enter__(self) -> Held:
        owner = get_ident()
        self._refuse_again(owner)
        held = self.acquire()
        self._entered[owner] = (held, None)
        return held

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        held, _ = self._entered.pop(get_ident())
        try:
            held.release()
        except LeaseLost:
            if error is None:
                raise

    async def __aenter__(self) -> Held:
        owner = this_task()
        self._refuse_again(owner)
        held = await self.acquire_async()
        cancelling = Cancelling(owner, f"lease {self.name} is lost")
        self._entered[owner] = (held, cancelling)
        held.call_when_lost(cancelling.begin)
        return held

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        held, cancelling = self._entered.pop(this_task())
        assert cancelling is not None
        is_ours = cancelling.end() and isinstance(error, asyncio.CancelledError)
        try:
            await held.release_async()
        except LeaseLost as lost:
            if error is None:
                raise
            if is_ours:
                raise lost from error

    def _claim(self, *, waits: bool) -> Claim:
        return Claim(self.name, uuid4().hex, self.permits, self.ttl_s, waits, PLACE_S)

    def _acquire(self, claim: Claim, timeout_s: float | None) -> Held | None:
        if running_loop() is not None:
            raise Misuse(f"lease {self.name}: it would block the event loop; use `async with` or the `_async` verbs")
        pause = Parker()
        attempt = Attempt(self._store, self._counts, claim, timeout_s, pause.unpark)
        try:
            while isinstance(held := attempt.step(), float):
                pause.park(held)
            attempt.end(held)
        except BaseException:
            attempt.abandon()
            raise
        return held

    async def _acquire_async(self, claim: Claim, timeout_s: float | None) -> Held | None:
        pause = TaskPause()
        attempt = Attempt(self._store, self._counts, claim, timeout_s, pause.end)
        try:
            while isinstance(held := await self._store.threads.run(attempt.step), float):
                await pause.wait(held)
            attempt.end(held)
        except BaseException:
            await attempt.abandon_async()
            raise
        return held

    def _refuse_again(self, owner: Owner) -> None:
        if owner in self._entered:
            raise Misuse(f"lease {self.name}: {name_of(owner)} is inside already; use `acquire` for a second one")
