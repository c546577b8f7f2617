"""The mutex at the levels above *named*. Written out, since a call on the way in costs as much as the lock itself."""

from __future__ import annotations

from types import TracebackType

from seawall.clock import SYSTEM_CLOCK
from seawall.locks.mutex import FORFEITED, Mutex
from seawall.locks.order import HELD, HELD_BY_TASKS, check_order, note_held, note_left
from seawall.runtime.who import Owner, get_ident, this_task


class WatchedMutex(Mutex):
    """Its waits are in the wait graph and the histogram. The way in and out without a wait is that of *named*."""

    __slots__ = ()

    _is_watched = True


class OrderedMutex(WatchedMutex):
    """Also checks that it comes in the order seen before."""

    __slots__ = ()

    def __enter__(self) -> None:
        owner = get_ident()
        outer = HELD.get(owner)
        if outer is not None or HELD_BY_TASKS:
            check_order(self, owner)
        try:
            self._take()
            self._owner = owner
            HELD[owner] = self if outer is None else (self, outer)
        except IndexError:
            pass
        except BaseException:
            self._take_back()
            raise
        else:
            return
        self._wait_in_thread(None)
        self._owner = owner
        HELD[owner] = self if outer is None else (self, outer)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        owner = self._owner
        if (owner is None or FORFEITED) and (self._is_forfeited() or owner is None):
            return
        held = HELD.pop(owner, None)
        if held is not self:
            if held is not None:
                HELD[owner] = held
            note_left(self, owner)
        self._owner = None
        if self._waiters:
            self._line.give()
            return
        self._free.append(None)
        if self._waiters:
            self._line.settle()

    async def __aenter__(self) -> None:
        owner = this_task()
        check_order(self, owner)
        await Mutex.__aenter__(self)
        note_held(self, owner)

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.__exit__(kind, error, trace)

    def acquire(self, *, timeout_s: float | None = None) -> None:
        """See `Mutex.acquire`."""
        owner = get_ident()
        check_order(self, owner)
        Mutex.acquire(self, timeout_s=timeout_s)
        note_held(self, owner)

    async def acquire_async(self, *, timeout_s: float | None = None) -> None:
        """See `Mutex.acquire_async`."""
        owner = this_task()
        check_order(self, owner)
        await Mutex.acquire_async(self, timeout_s=timeout_s)
        note_held(self, owner)

    def try_acquire(self) -> bool:
        """See `Mutex.try_acquire`. Without a wait no order matters, so none is checked."""
        if not Mutex.try_acquire(self):
            return False
        owner = self._owner
        assert owner is not None
        note_held(self, owner)
        return True

    def _reenter(self, owner: Owner) -> None:
        Mutex._reenter(self, owner)
        note_held(self, owner)


class TimedMutex(OrderedMutex):
    """Also notes how long it is held."""

    __slots__ = ()

    def __enter__(self) -> None:
        OrderedMutex.__enter__(self)
        self._since_s = SYSTEM_CLOCK.monotonic()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (self._owner is None or FORFEITED) and self._is_forfeited():
            return
        since_s = self._since_s
        if since_s is not None:  # None where it was entered at another level
            self._since_s = None
            self._tally.add_hold(SYSTEM_CLOCK.monotonic() - since_s)
        OrderedMutex.__exit__(self, kind, error, trace)

    async def __aenter__(self) -> None:
        await OrderedMutex.__aenter__(self)
        self._since_s = SYSTEM_CLOCK.monotonic()

    def acquire(self, *, timeout_s: float | None = None) -> None:
        """See `Mutex.acquire`."""
        OrderedMutex.acquire(self, timeout_s=timeout_s)
        self._since_s = SYSTEM_CLOCK.monotonic()

    async def acquire_async(self, *, timeout_s: float | None = None) -> None:
        """See `Mutex.acquire_async`."""
        await OrderedMutex.acquire_async(self, timeout_s=timeout_s)
        self._since_s = SYSTEM_CLOCK.monotonic()

    def try_acquire(self) -> bool:
        """See `Mutex.try_acquire`."""
        if not OrderedMutex.try_acquire(self):
            return False
        self._since_s = SYSTEM_CLOCK.monotonic()
        return True

    def _reenter(self, owner: Owner) -> None:
        OrderedMutex._reenter(self, owner)
        self._since_s = SYSTEM_CLOCK.monotonic()


Mutex.siblings = {"named": Mutex, "watched": WatchedMutex, "ordered": OrderedMutex, "timed": TimedMutex}
