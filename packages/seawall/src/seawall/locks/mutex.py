"""A fair mutual exclusion lock for threads and tasks at once."""

from __future__ import annotations

from types import TracebackType

from seawall.core.line import Line
from seawall.core.order_graph import OrderKey
from seawall.core.statistics import LockStatistics
from seawall.core.wait_graph import Need
from seawall.errors import Misuse, Wait
from seawall.locks.level import Levelled
from seawall.locks.waiting import Waiter, in_transit_to, is_of, receivers, wait_in_task, wait_in_thread, waiting_of
from seawall.observe.events import found_deadlock
from seawall.observe.registry import REGISTRY
from seawall.observe.tally import Tally
from seawall.observe.waits import OwnerNeed
from seawall.runtime.name import checked_name
from seawall.runtime.stacks import stack_of
from seawall.runtime.who import Loop, Owner, current_task, get_ident, name_of, running_loop, this_task


class Mutex(Levelled):
    """At most one thread or task is inside. First come, first served, threads and tasks in one line.

    `with mutex:` blocks the thread; `async with mutex:` lets the loop run on. A `with` belongs to the thread, an
    `async with` to the task; entering again what one already holds raises `Deadlock` at once, since it would wait for
    itself, and so does a wait that closes a ring of others who wait (from level *watched* on). `with` on an event
    loop's thread raises `Misuse` at once where it would wait for a task of that loop. A waiter that is cancelled or
    runs out of time passes on what it was given. Every wait ends with the ambient deadline (`DeadlineExceeded`).

    What a task that has ended still holds is held for good: waiting for it is a `Deadlock` at once.

    `name` is what reports print and what the lock order goes by (level *ordered*: `LockOrderViolation`). Mutexes of
    one name may be held at once only with an `order_key`, a number or text, that rises from the outer to the inner.

    The line is our own: permits and waiters in two deques, each step atomic (`seawall.core.line`).

    >>> mutex = Mutex("accounts")
    >>> with mutex:
    ...     mutex.locked()
    True
    """

    __slots__ = (
        "__weakref__", "_free", "_line", "_owner", "_since_s", "_take", "_tally", "_waiters", "name", "order_key",
    )  # fmt: skip

    _is_watched = False
    _kind = "lock"

    def __init__(self, name: str, *, order_key: OrderKey | None = None) -> None:
        self.name = checked_name(name)
        self.order_key = order_key
        self._line = Line(1)
        self._tally = Tally()
        self._free = self._line.free
        self._take = self._line.free.pop
        self._waiters = self._line.waiters
        self._owner: Owner | None = None  # written by whoever holds the permit, and only then
        self._since_s: float | None = None  # since when it is held, at level *timed*; likewise
        REGISTRY.add(self)
        self._take_present_level()

    def __enter__(self) -> None:
        try:
            self._take()
            self._owner = get_ident()
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        except BaseException:
            self._take_back()
            raise
        else:
            return
        self._wait_in_thread(None)
        self._owner = get_ident()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if (self._owner is None or FORFEITED) and self._is_forfeited():
            return
        self._owner = None
        if self._waiters:
            self._line.give()
            return
        self._free.append(None)
        if self._waiters:
            self._line.settle()

    async def __aenter__(self) -> None:
        owner = current_task() or this_task()
        try:
            self._take()
            self._owner = owner
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        except BaseException:
            self._take_back()
            raise
        else:
            return
        await self._wait_in_task(owner, None)
        self._owner = owner

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # As __exit__, written out: a call more would cost a tenth of the whole.
        if (self._owner is None or FORFEITED) and self._is_forfeited():
            return
        self._owner = None
        if self._waiters:
            self._line.give()
            return
        self._free.append(None)
        if self._waiters:
            self._line.settle()

    def acquire(self, *, timeout_s: float | None = None) -> None:
        """Enter, as `with` does, waiting at most `timeout_s` seconds. To be followed by `release`.

        Raises DeadlineExceeded, Deadlock, LockOrderViolation or Misuse; nothing is taken then.
        """
        try:
            self._take()
            self._owner = get_ident()
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        except BaseException:
            self._take_back()
            raise
        else:
            return
        self._wait_in_thread(timeout_s)
        self._owner = get_ident()

    async def acquire_async(self, *, timeout_s: float | None = None) -> None:
        """Enter, as `async with` does, waiting at most `timeout_s` seconds. To be followed by `release`.

        Raises DeadlineExceeded, Deadlock or LockOrderViolation; nothing is taken then, nor when cancelled.
        """
        owner = this_task()
        try:
            self._take()
            self._owner = owner
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        except BaseException:
            self._take_back()
            raise
        else:
            return
        await self._wait_in_task(owner, timeout_s)
        self._owner = owner

    def try_acquire(self) -> bool:
        """Enter if that needs no wait. Never blocks, never raises. Owned by the running task, else by the thread."""
        try:
            self._take()
        except IndexError:
            return False
        self._owner = get_ident() if running_loop() is None else current_task() or get_ident()
        return True

    def release(self) -> None:
        """Leave. Never blocks. Raises Misuse where neither this thread nor the running task is the one inside."""
        owner = self._owner
        if not self._is_mine():
            if FORFEITED and self._is_forfeited():
                return
            holder = "nobody holds it" if owner is None else f"{name_of(owner)} holds it"
            raise Misuse(
                f"{self.name}: released by someone who does not hold it ({holder}); to signal, use a Semaphore"
            )
        self.__exit__(None, None, None)

    def locked(self) -> bool:
        """Whether someone is inside. Never blocks; may be out of date when it returns."""
        return not self._free

    def statistics(self) -> LockStatistics:
        """Who is inside, who waits, and what waiting and holding came to (seconds). Never blocks."""
        owner = self._owner
        return LockStatistics(
            name=self.name,
            holders=() if owner is None else (name_of(owner),),
            waiters=waiting_of(self._line),
            waits_total=self._tally.waits_total,
            wait_s_total=self._tally.wait_s_total,
            waits=self._tally.waits(),
            holds=self._tally.holds(),
        )

    def _take_back(self) -> None:
        """Free the permit that was just taken: a signal's handler has raised before its owner could be noted."""
        self._owner = None
        self._line.give()

    def _forget_times(self) -> None:
        self._since_s = None

    def _is_mine(self) -> bool:
        owner = self._owner
        return owner is not None and (owner == get_ident() or (running_loop() is not None and owner is current_task()))

    def _is_held_by(self, owner: Owner) -> bool:
        """See `locks.order.Held`."""
        return self._owner == owner

    def _give_up(self, waiter: Waiter) -> None:
        """See `locks.waiting.Waitable`."""
        self._line.give()

    def _reenter(self, owner: Owner) -> None:
        """Note that `owner`, who has the permit, is back inside after a `Condition.wait`."""
        self._owner = owner

    def _need(self) -> OwnerNeed | None:
        """See `locks.waiting.Waitable`."""
        owner = self._owner
        blockers = (owner,) if owner is not None else tuple(receivers(self._line))
        return Need(self.name, blockers, 1, None) if blockers else None

    def _permits_outside(self, loop: Loop) -> int:
        """See `locks.waiting.Waitable`."""
        owner = self._owner
        if in_transit_to(self._line, loop) or (owner is not None and is_of(owner, loop)):
            return 0
        return 1

    def _wait_in_thread(self, timeout_s: float | None) -> None:
        self._refuse_reentry(get_ident())
        wait_in_thread(self, timeout_s)

    async def _wait_in_task(self, owner: Owner, timeout_s: float | None) -> None:
        self._refuse_reentry(owner)
        loop = running_loop()
        assert loop is not None
        await wait_in_task(self, loop, timeout_s)

    def _refuse_reentry(self, owner: Owner) -> None:
        # What this very thread or task wrote when it entered it clears when it leaves, so no race can fool it.
        held_by = self._owner
        if held_by is not None and (held_by == owner or held_by == get_ident()):
            stack = stack_of(get_ident())
            raise found_deadlock((Wait(self.name, name_of(owner), (name_of(held_by),), stack, (stack,)),))
        if held_by is not None and not isinstance(held_by, int) and held_by.done() and self._owner is held_by:
            # It ended without leaving, and nobody else may leave for it.
            raise found_deadlock((Wait(self.name, name_of(owner), (name_of(held_by),), stack_of(get_ident())),))

    def _is_forfeited(self) -> bool:
        """Whether there is nothing to leave, since a `Condition.wait` could not get back in. Else raises Misuse."""
        me = (id(self), current_task() if running_loop() is not None else None, get_ident())
        if FORFEITED.pop(me, None):
            return True
        if self._owner is None:
            raise Misuse(f"{self.name}: left by someone who does not hold it (nobody holds it)")
        return False


FORFEITED: dict[tuple[int, object, int], Mutex] = {}
"""Those who are inside a `with` whose mutex they have lost: a deadlock kept them from getting it back in time."""
