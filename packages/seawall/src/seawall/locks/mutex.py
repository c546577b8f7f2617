"""A fair mutual exclusion lock for threads and tasks at once."""

from __future__ import annotations

from types import TracebackType

from seawall.core.line import Line
from seawall.core.statistics import LockStatistics
from seawall.errors import Deadlock, Misuse, Wait
from seawall.locks.waiting import Tally, in_transit_to, is_of, wait_in_task, wait_in_thread, waiting_of
from seawall.observe.registry import REGISTRY
from seawall.runtime.who import Loop, Owner, current_task, get_ident, name_of, running_loop, this_task


class Mutex:
    """At most one thread or task is inside. First come, first served, threads and tasks in one line.

    `with mutex:` blocks the thread; `async with mutex:` lets the loop run on. A `with` belongs to the thread, an
    `async with` to the task; entering again what one already holds raises `Deadlock` at once, since it would wait for
    itself. `with` on an event loop's thread raises `Misuse` at once where it would wait for a task of that loop. A
    waiter that is cancelled or runs out of time passes on what it was given. Every wait ends with the ambient
    deadline (`DeadlineExceeded`).

    >>> mutex = Mutex("accounts")
    >>> with mutex:
    ...     mutex.locked()
    True
    """

    __slots__ = ("__weakref__", "_free", "_line", "_owner", "_take", "_tally", "_waiters", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._line = Line(1)
        self._tally = Tally()
        self._free = self._line.free
        self._take = self._line.free.pop
        self._waiters = self._line.waiters
        self._owner: Owner | None = None  # written by whoever holds the permit, and only then
        REGISTRY.add(self)

    def __enter__(self) -> None:
        try:
            self._take()
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        else:
            self._owner = get_ident()
            return
        self._wait_in_thread(None)
        self._owner = get_ident()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
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
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        else:
            self._owner = owner
            return
        await self._wait_in_task(owner, None)
        self._owner = owner

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        # As __exit__, written out: a call more would cost a tenth of the whole.
        self._owner = None
        if self._waiters:
            self._line.give()
            return
        self._free.append(None)
        if self._waiters:
            self._line.settle()

    def acquire(self, *, timeout_s: float | None = None) -> None:
        """Enter, as `with` does, waiting at most `timeout_s` seconds. To be followed by `release`.

        Raises DeadlineExceeded, Deadlock or Misuse; nothing is held then.
        """
        try:
            self._take()
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        else:
            self._owner = get_ident()
            return
        self._wait_in_thread(timeout_s)
        self._owner = get_ident()

    async def acquire_async(self, *, timeout_s: float | None = None) -> None:
        """Enter, as `async with` does, waiting at most `timeout_s` seconds. To be followed by `release`."""
        owner = this_task()
        try:
            self._take()
        except IndexError:
            pass  # and wait below, out of this handler, so that its error is in no one's traceback
        else:
            self._owner = owner
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
        """Leave. Raises Misuse where neither this thread nor the running task is the one inside."""
        owner = self._owner
        if owner is None or (owner != get_ident() and (running_loop() is None or owner is not current_task())):
            holder = "nobody holds it" if owner is None else f"{name_of(owner)} holds it"
            raise Misuse(f"{self.name}: released by someone who does not hold it ({holder})")
        self.__exit__(None, None, None)

    def locked(self) -> bool:
        """Whether someone is inside."""
        return not self._free

    def statistics(self) -> LockStatistics:
        """Who is inside, who waits, and what waiting came to."""
        owner = self._owner
        return LockStatistics(
            name=self.name,
            holders=() if owner is None else (name_of(owner),),
            waiters=waiting_of(self._line),
            waits_total=self._tally.waits_total,
            wait_s_total=self._tally.wait_s_total,
        )

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
            raise Deadlock((Wait(resource=self.name, waiter=name_of(owner), holders=(name_of(held_by),)),))
