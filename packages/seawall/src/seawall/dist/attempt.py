"""One attempt to get a lease: the same steps for a thread, which sleeps between them, and a task, which awaits."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

from seawall.clock import SYSTEM_CLOCK
from seawall.core.lease_table import Claim, Refused
from seawall.core.lease_term import Term
from seawall.core.polling import look_again_s
from seawall.dist.held import Held
from seawall.errors import DeadlineExceeded, StoreUnavailable
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.park import Parker
from seawall.runtime.threads import RawLock

if TYPE_CHECKING:
    from seawall.dist.lease_counts import LeaseCounts
    from seawall.dist.store import Store


LONGEST_CONNECT_S = 5.0
"""With the round trips beside it: longer than any step takes, whose own limits end it."""


class Attempt:
    """Asks a store for `claim` until it is granted or the time is up. One step at a time."""

    def __init__(
        self, store: Store, counts: LeaseCounts, claim: Claim, timeout_s: float | None, wake: Callable[[], object]
    ) -> None:
        self.place = 0
        self.wake = wake
        self._store = store
        self._counts = counts
        self._claim = claim
        self._since_s = SYSTEM_CLOCK.monotonic()
        limit_s = wait_limit_s(timeout_s)
        self._until_s = None if limit_s is None else self._since_s + limit_s
        self._looks = 0
        self._guard = RawLock()
        self._is_asking = False  # guarded by self._guard
        self._is_abandoned = False  # guarded by self._guard
        self._answered = Parker()  # for who abandons it while it asks
        counts.waits()
        store.waiting.add(claim.name, self)

    def step(self) -> Held | float | None:
        """Ask once. What is held now; or how long to pause before the next step (seconds); or None where that is no use.

        Raises DeadlineExceeded when the time is up, and StoreUnavailable where there is no limit to how long the store
        may stay away, or nothing waits.
        """
        with self._guard:
            if self._is_abandoned:
                return None
            self._is_asking = True
        sent_s = SYSTEM_CLOCK.monotonic()
        try:
            answer = self._store.ask(self._claim)
        except StoreUnavailable as error:
            if self._until_s is None or not self._claim.waits:
                raise
            return self._pause(0, error)
        finally:
            self._end_asking()
        if isinstance(answer, Refused):
            return self._pause(answer.place, None) if self._claim.waits else None
        held = Held(self._store, self._counts, self._claim, answer, Term(self._claim.ttl_s, sent_s))
        # An answer that came too late to be relied on is asked for again: one finds oneself inside, for longer.
        return held if held.is_held() else 0.0

    def end(self, held: Held | None) -> None:
        """Have what was got kept alive, and count."""
        if held is not None:
            self._store.keeper.keep(held)
        self._store.waiting.remove(self._claim.name, self)
        self._counts.waited(held, SYSTEM_CLOCK.monotonic() - self._since_s)

    def abandon(self) -> None:
        """Leave nothing behind: neither a place in line nor a grant that nobody has heard of. Blocks for a round trip."""
        self._give_up()
        self._forget()

    async def abandon_async(self) -> None:
        """As `abandon`, in a task; a step that still asks on another thread is waited for."""
        self._give_up()
        await self._store.threads.run_cleanup(self._forget)

    def _end_asking(self) -> None:
        with self._guard:
            self._is_asking = False
            is_abandoned = self._is_abandoned
        if is_abandoned:
            self._answered.unpark()

    def _give_up(self) -> None:
        with self._guard:
            self._is_abandoned = True
        self._store.waiting.remove(self._claim.name, self)
        self._counts.waited(None, SYSTEM_CLOCK.monotonic() - self._since_s)

    def _pause(self, place: int, error: Exception | None) -> float:
        now_s = SYSTEM_CLOCK.monotonic()
        self.place = place
        pause_s = look_again_s(place, self._claim.permits, self._looks, random.random())
        self._looks += 1
        if self._until_s is None:
            return pause_s
        if now_s >= self._until_s:
            raise DeadlineExceeded(f"lease {self._claim.name}", now_s - self._since_s) from error
        return min(pause_s, self._until_s - now_s)

    def _forget(self) -> None:
        with self._guard:
            is_asking = self._is_asking
        if is_asking:  # or the store might hear of the end before the beginning
            self._answered.park(2 * self._store.timeout_s + LONGEST_CONNECT_S)
        try:
            self._store.leave(self._claim)
        except StoreUnavailable:
            pass  # it cannot be told; the place or the grant runs out by itself
