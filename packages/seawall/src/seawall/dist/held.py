"""A lease that is held: its token, how long it may be relied on, and what happens when it is lost."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from seawall.clock import SYSTEM_CLOCK
from seawall.core.lease_table import Claim, Granted
from seawall.core.lease_term import Term
from seawall.errors import LeaseLost, Misuse, StoreUnavailable
from seawall.observe.events import EVENTS, LeaseLapsed
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.park import Parker
from seawall.runtime.threads import RawLock

if TYPE_CHECKING:
    from seawall.dist.lease_counts import LeaseCounts
    from seawall.dist.store import Store


class Held:
    """What `acquire` and `with` give: proof of a lease. Made by a `Lease` or a `SharedSemaphore` only.

    `token` is above every token that was given out for this name before: have what is written carry it through a fence.
    `slot` is 0 for a lease, and 0 to `permits` - 1 for a semaphore. `resource` names the pair of name and slot, which is
    what tokens are compared within. Any thread or task may use it.
    """

    def __init__(self, store: Store, counts: LeaseCounts, claim: Claim, granted: Granted, term: Term) -> None:
        self.claim = claim
        self.term = term
        self.token = granted.token
        self.slot = granted.slot
        self.resource = claim.name if claim.permits == 1 else f"{claim.name}#{granted.slot}"
        self._store = store
        self._counts = counts
        self._since_s = SYSTEM_CLOCK.monotonic()
        self._guard = RawLock()
        self._reason: str | None = None  # why it is lost; guarded by self._guard
        self._is_released = False  # guarded by self._guard
        self._on_loss: list[Callable[[], object]] = []  # guarded by self._guard

    @property
    def name(self) -> str:
        """The lease's name."""
        return self.claim.name

    def is_held(self) -> bool:
        """Whether it may still be relied on, by the clock of this machine. Asks nobody; never blocks.

        What it says may be over a moment later, so it saves work but guards nothing: only a fence does.
        """
        return self._reason is None and not self._is_released and not self.term.is_lost(SYSTEM_CLOCK.monotonic())

    def left_s(self) -> float:
        """How long it can be relied on without another renewal (seconds); 0 where it is over. Never blocks."""
        return max(0.0, self.term.lost_at_s() - SYSTEM_CLOCK.monotonic()) if self.is_held() else 0.0

    def check(self) -> None:
        """Raise LeaseLost where it is lost, Misuse where it was given back. For the next step of a thread's work.

        Asks nobody and never blocks.
        """
        if self._is_released and self._reason is None:
            raise Misuse(f"lease {self.name} was given back already")
        if not self.is_held():
            raise self._lost()

    def wait_lost(self, *, timeout_s: float | None = None) -> bool:
        """Block the thread until the lease is lost or given back: True. False after `timeout_s` seconds or the deadline.

        A worker's pause between two steps, in place of a sleep.
        """
        parker = Parker()
        with self._guard:
            if self._is_released or self._reason is not None:
                return True
            self._on_loss.append(parker.unpark)
        return parker.park(wait_limit_s(timeout_s))

    def release(self) -> None:
        """Give it back, so that the next in line gets in; blocks for a round trip, whatever deadline has passed.

        Raises LeaseLost where it was lost before, and Misuse the second time. A store that cannot be reached does not
        make it raise: the lease then runs out by itself, and the statistics count it.
        """
        self._begin_release()
        self._end_release(self._leave())

    async def release_async(self) -> None:
        """As `release`, in a task. Where the task is cancelled meanwhile, it is given back all the same."""
        self._begin_release()
        self._end_release(await self._store.threads.run_cleanup(self._leave))

    # What the keeper calls.

    def lose(self, reason: str) -> None:
        """Note that it is lost, once, and tell whoever is to know."""
        with self._guard:
            if self._is_released or self._reason is not None:
                return
            self._reason = reason
            told, self._on_loss = self._on_loss, []
        self._counts.lost(self)
        for tell in told:
            tell()
        EVENTS.emit(LeaseLapsed(self.name, self.token, reason, SYSTEM_CLOCK.monotonic() - self._since_s))

    def note_renewal(self, error: Exception | None) -> None:
        """Count a renewal, or its failure."""
        self._counts.renewed(error)

    def call_when_lost(self, tell: Callable[[], object]) -> None:
        """Have `tell` called once, from any thread, when it is lost; at once where it is."""
        with self._guard:
            if self._reason is None:
                self._on_loss.append(tell)
                return
        tell()

    def _lost(self) -> LeaseLost:
        return LeaseLost(self.name, self.token, self._reason or "it could not be renewed in time")

    def _begin_release(self) -> None:
        # The keeper may not have looked yet. One that lasted too long is lost, not given back.
        if not self._is_released and self.term.is_lost(SYSTEM_CLOCK.monotonic()):
            self.lose("it could not be renewed in time")
        with self._guard:
            if self._is_released:
                raise Misuse(f"lease {self.name} was given back already")
            self._is_released = True
            told, self._on_loss = self._on_loss, []
        self._store.keeper.drop(self)
        self._counts.released(self)
        for tell in told:
            tell()

    def _leave(self) -> bool | None:
        try:
            was_inside = self._store.leave(self.claim)
        except StoreUnavailable as error:
            self._counts.not_released(error)
            return None
        self._store.waiting.wake(self.name)
        return was_inside

    def _end_release(self, was_inside: bool | None) -> None:
        if self._reason is None and was_inside is False:
            self._reason = "the store did not know it any more"
            self._counts.lost(self)
            EVENTS.emit(LeaseLapsed(self.name, self.token, self._reason, SYSTEM_CLOCK.monotonic() - self._since_s))
        if self._reason is not None:
            raise self._lost()
