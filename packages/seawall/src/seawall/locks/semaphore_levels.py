"""The semaphore at the levels above *named*."""

from __future__ import annotations

from seawall.clock import SYSTEM_CLOCK
from seawall.locks.order import check_order, note_held, note_left
from seawall.locks.semaphore import Semaphore
from seawall.runtime.who import Owner, get_ident, this_task


class WatchedSemaphore(Semaphore):
    """Its waits are in the wait graph and the histogram."""

    __slots__ = ()

    _is_watched = True


class OrderedSemaphore(WatchedSemaphore):
    """Also checks that it comes in the order seen before. What `acquire` takes has no holder, so it precedes nothing."""

    __slots__ = ()

    def __enter__(self) -> None:
        check_order(self, get_ident())
        Semaphore.__enter__(self)

    async def __aenter__(self) -> None:
        check_order(self, this_task())
        await Semaphore.__aenter__(self)

    def acquire(self, *, timeout_s: float | None = None) -> None:
        """See `Semaphore.acquire`."""
        check_order(self, get_ident())
        Semaphore.acquire(self, timeout_s=timeout_s)

    async def acquire_async(self, *, timeout_s: float | None = None) -> None:
        """See `Semaphore.acquire_async`."""
        check_order(self, this_task())
        await Semaphore.acquire_async(self, timeout_s=timeout_s)

    def _note(self, owner: Owner) -> None:
        Semaphore._note(self, owner)
        note_held(self, owner)

    def _strike(self, owner: Owner) -> None:
        note_left(self, owner)
        Semaphore._strike(self, owner)


class TimedSemaphore(OrderedSemaphore):
    """Also notes how long its permits are held by those who have a name."""

    __slots__ = ()

    def _note(self, owner: Owner) -> None:
        OrderedSemaphore._note(self, owner)
        self._since_s.setdefault(owner, []).append(SYSTEM_CLOCK.monotonic())

    def _strike(self, owner: Owner) -> None:
        since_s = self._since_s.get(owner)
        if since_s:  # none where it was entered at another level
            self._tally.add_hold(SYSTEM_CLOCK.monotonic() - since_s.pop())
            if not since_s:
                del self._since_s[owner]
        OrderedSemaphore._strike(self, owner)


Semaphore.siblings = {
    "named": Semaphore,
    "watched": WatchedSemaphore,
    "ordered": OrderedSemaphore,
    "timed": TimedSemaphore,
}
