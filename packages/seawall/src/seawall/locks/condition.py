"""A condition variable over a mutex, for threads and tasks at once."""

from __future__ import annotations

import asyncio
from collections import deque

from seawall.clock import SYSTEM_CLOCK
from seawall.core.line import copy_of
from seawall.errors import DeadlineExceeded, Deadlock, Misuse
from seawall.locks.mutex import FORFEITED, Mutex
from seawall.locks.order import check_order
from seawall.locks.waiting import Waiter, queue_task, queue_thread
from seawall.observe.settings import SETTINGS
from seawall.observe.waits import WAITS
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.park import TaskWaiter, ThreadWaiter
from seawall.runtime.who import Owner, current_task, get_ident, name_of, running_loop, this_task


class _Sleeper:
    """Someone who waits to be notified; then the same waiter stands in the mutex's line."""

    __slots__ = ("_ticket", "waiter")

    def __init__(self, waiter: Waiter) -> None:
        self.waiter = waiter
        self._ticket = [None]

    def rouse(self) -> bool:
        """Decide how the sleep ends: by a notification, or by the sleeper itself. True for exactly one caller."""
        try:
            self._ticket.pop()
        except IndexError:
            return False
        return True


class Condition:
    """Waiting, inside a mutex, for something that others bring about inside the same mutex.

    `wait` leaves the mutex, waits for a `notify`, and is back inside when it returns or raises. The first to wait is
    the first to be notified, threads and tasks in one line, and `notify` puts it in the mutex's line at once, where it is
    behind those who came before. So what was true at the `notify` may be so no longer: `while not ready:
    condition.wait()`. A waiter that was notified and is cancelled passes the notification on.

    Unlike the standard library's, `wait` never returns False: it raises `DeadlineExceeded`. There is no lock of its
    own making, and no way in but through the mutex. Condition variables are Hoare's (1974), with Mesa's semantics
    (Lampson and Redell, 1980).

    >>> mutex = Mutex("inbox")
    >>> arrived = Condition(mutex)
    >>> with mutex:
    ...     arrived.notify()
    """

    __slots__ = ("_mutex", "_sleepers", "name")

    def __init__(self, mutex: Mutex) -> None:
        self.name = mutex.name
        self._mutex = mutex
        self._sleepers: deque[_Sleeper] = deque()

    def wait(self, *, timeout_s: float | None = None) -> None:
        """Leave the mutex, block the thread until notified, and enter again.

        Raises DeadlineExceeded after `timeout_s` seconds or at the ambient deadline, once the mutex is entered again:
        that last step takes as long as it takes. Raises Misuse where this thread is not inside by a `with`, and on an
        event loop's thread, whose tasks may be the ones that notify; LockOrderViolation, still inside, where another
        lock is held that comes after the mutex. If entering again closes a deadlock, `Deadlock` is raised *outside* the
        mutex, and the `with` around it ends as if it had been left.
        """
        owner = get_ident()
        self._refuse_misuse(owner)
        if running_loop() is not None:
            raise Misuse(f"condition {self.name}: wait would block an event loop; use `await wait_async(...)`")
        limit_s = wait_limit_s(timeout_s)
        waiter = ThreadWaiter()
        sleeper = self._fall_asleep(waiter)
        try:
            was_granted = waiter.wait(limit_s)
        except BaseException:
            if self._end_sleep(sleeper):
                self._wake(1)
            self._reenter_thread(owner, waiter)
            raise
        was_notified = was_granted or self._end_sleep(sleeper)
        self._reenter_thread(owner, waiter)
        if not was_notified:
            raise DeadlineExceeded(f"condition {self.name}", SYSTEM_CLOCK.monotonic() - waiter.since_s)

    async def wait_async(self, *, timeout_s: float | None = None) -> None:
        """As `wait`, in the running task, which is inside by an `async with`. Cancellation waits for the mutex too."""
        owner = this_task()
        self._refuse_misuse(owner)
        limit_s = wait_limit_s(timeout_s)
        waiter = TaskWaiter(owner.get_loop())
        sleeper = self._fall_asleep(waiter)
        try:
            was_granted = await waiter.wait(limit_s)
        except BaseException as error:
            if self._end_sleep(sleeper):
                self._wake(1)
            if isinstance(error, GeneratorExit):  # the coroutine is thrown away, and may not wait any more
                self._forfeit(waiter)
            else:
                await self._reenter_task(owner, waiter)
            raise
        was_notified = was_granted or self._end_sleep(sleeper)
        await self._reenter_task(owner, waiter)
        if not was_notified:
            raise DeadlineExceeded(f"condition {self.name}", SYSTEM_CLOCK.monotonic() - waiter.since_s)

    def notify(self, n: int = 1) -> None:
        """Wake up to `n` waiters, first come, first served. Never blocks. Raises Misuse outside the mutex."""
        if n < 0:
            raise Misuse(f"condition {self.name}: n must be 0 or more, not {n}")
        self._refuse_outside()
        self._wake(n)

    def notify_all(self) -> None:
        """Wake all who wait by now. Never blocks. Raises Misuse outside the mutex."""
        self._refuse_outside()
        self._wake(len(self._sleepers))

    def waiters(self) -> tuple[str, ...]:
        """Who waits to be notified, first in line first. Never blocks."""
        return tuple(name_of(sleeper.waiter.owner) for sleeper in copy_of(self._sleepers))

    def _fall_asleep(self, waiter: Waiter) -> _Sleeper:
        sleeper = _Sleeper(waiter)
        self._sleepers.append(sleeper)
        self._mutex.__exit__(None, None, None)
        return sleeper

    def _wake(self, n: int) -> None:
        mutex = self._mutex
        while n > 0:
            try:
                sleeper = self._sleepers.popleft()
            except IndexError:
                return
            waiter = sleeper.waiter
            if not sleeper.rouse() or (waiter.loop is not None and waiter.loop.is_closed()):
                continue
            n -= 1
            # From now on it waits for whoever is inside. That one runs just now, so no deadlock can be closed by this,
            # and if it is closed later, whoever does it finds the wait.
            if mutex._is_watched:
                WAITS.begin_for(waiter, mutex._need)
            mutex._line.join(waiter)
            if waiter.over:
                WAITS.end(waiter)

    def _end_sleep(self, sleeper: _Sleeper) -> bool:
        """End the sleep of one that was not let in. True where it has been notified all the same."""
        if not sleeper.rouse():
            return True
        try:
            self._sleepers.remove(sleeper)
        except ValueError:
            pass  # a notifier has just taken it, and will find that it has left
        return False

    def _has_arrived(self, waiter: Waiter) -> bool:
        """Whether the mutex was handed to `waiter`; else it is in no line any more."""
        has_left = waiter.claim()
        if has_left:
            self._mutex._line.leave(waiter)
        else:
            self._mutex._line.arrived(waiter)
        WAITS.end(waiter)
        return not has_left

    def _reenter_thread(self, owner: Owner, waiter: ThreadWaiter) -> None:
        # Without a limit: whoever is in a `with` must be inside when the wait is over, however late it is.
        mutex = self._mutex
        if not self._has_arrived(waiter):
            try:
                queue_thread(mutex, ThreadWaiter(), None)
            except Deadlock:
                FORFEITED[id(mutex), None, get_ident()] = mutex
                raise
        mutex._reenter(owner)

    async def _reenter_task(self, owner: asyncio.Task[object], waiter: TaskWaiter) -> None:
        mutex, loop = self._mutex, owner.get_loop()
        cancelled: asyncio.CancelledError | None = None
        is_inside = self._has_arrived(waiter)
        while not is_inside:
            try:
                await queue_task(mutex, TaskWaiter(loop), None)
                is_inside = True
            except asyncio.CancelledError as error:
                cancelled = error
            except Deadlock:
                FORFEITED[id(mutex), current_task(), get_ident()] = mutex
                raise
        mutex._reenter(owner)
        if cancelled is not None:
            raise cancelled

    def _forfeit(self, waiter: Waiter) -> None:
        mutex = self._mutex
        if self._has_arrived(waiter):
            mutex._line.give()
        task = current_task() if running_loop() is not None else None
        FORFEITED[id(mutex), task, get_ident()] = mutex

    def _refuse_misuse(self, owner: Owner) -> None:
        if not self._mutex._is_held_by(owner):
            raise Misuse(
                f"condition {self.name}: {name_of(owner)} waits without being inside its mutex; enter it first"
            )
        if SETTINGS.level in ("ordered", "timed"):
            check_order(self._mutex, owner)  # for entering again, while whatever else is held stays held

    def _refuse_outside(self) -> None:
        if not self._mutex._is_mine():
            raise Misuse(f"condition {self.name}: notified without being inside its mutex; enter it first")
