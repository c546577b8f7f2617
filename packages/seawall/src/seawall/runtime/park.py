"""Waiting and waking: a thread waits on a private parker, a task on a future of its loop."""

from __future__ import annotations

import threading

from seawall.clock import SYSTEM_CLOCK
from seawall.runtime.blocking import BLOCKABLES
from seawall.runtime.threads import RawLock
from seawall.runtime.who import Loop, Owner, get_ident, running_loop, this_task


class Parker:
    """A place where one thread sleeps until another wakes it. A wake-up before the sleep is kept, as one."""

    __slots__ = ("_lock",)

    def __init__(self) -> None:
        self._lock = RawLock()
        self._lock.acquire()

    def park(self, timeout_s: float | None) -> bool:
        """Sleep. False when `timeout_s` seconds passed without a wake-up."""
        if timeout_s is None:
            return self._lock.acquire()
        return self._lock.acquire(timeout=min(timeout_s, threading.TIMEOUT_MAX))

    def unpark(self) -> None:
        """Wake the sleeper, or let its next sleep end at once."""
        try:
            self._lock.release()
        except RuntimeError:
            pass  # a wake-up is already there


class ThreadWaiter:
    """A thread in a line."""

    __slots__ = ("__weakref__", "_parker", "_ticket", "over", "owner", "since_s")

    loop: Loop | None = None

    def __init__(self) -> None:
        self.owner: Owner = get_ident()
        self.since_s = SYSTEM_CLOCK.monotonic()
        self.over = False
        self._parker = Parker()
        # Whoever pops it decides how the wait ends: a giver with a grant, or the waiter itself by giving up.
        self._ticket = [None]

    def claim(self) -> bool:
        """Decide how the wait ends. True for exactly one caller."""
        try:
            self._ticket.pop()
        except IndexError:
            return False
        return True

    def is_decided(self) -> bool:
        """Whether it has been granted or has given up."""
        return not self._ticket

    def grant(self) -> bool:
        """See `core.line.Waiter`."""
        self._before_grant()
        if not self.claim():
            self._undo_grant()
            return False
        self._parker.unpark()
        return True

    def _before_grant(self) -> None:
        """What has to be noted by the time the waiter can find itself granted. Nothing here."""

    def _undo_grant(self) -> None:
        """Undo `_before_grant`: the waiter has left."""

    def wait(self, timeout_s: float | None) -> bool:
        """Block until granted. False after `timeout_s` seconds."""
        blockable = BLOCKABLES.get(get_ident())
        if blockable is None:
            return self._parker.park(timeout_s)
        blockable.blocks()
        try:
            return self._parker.park(timeout_s)
        finally:
            blockable.resumes()


class TaskWaiter:
    """A task in a line. Made on its loop's thread; granted from any."""

    __slots__ = ("__weakref__", "_future", "_ticket", "loop", "over", "owner", "since_s")

    def __init__(self, loop: Loop) -> None:
        self.loop: Loop | None = loop
        self.owner: Owner = this_task()
        self.since_s = SYSTEM_CLOCK.monotonic()
        self.over = False
        self._future = loop.create_future()
        self._ticket = [None]

    def claim(self) -> bool:
        """See `ThreadWaiter.claim`."""
        try:
            self._ticket.pop()
        except IndexError:
            return False
        return True

    def is_decided(self) -> bool:
        """See `ThreadWaiter.is_decided`."""
        return not self._ticket

    def grant(self) -> bool:
        """See `core.line.Waiter`. False where the loop is closed: the task will never run again."""
        self._before_grant()
        if not self.claim():
            self._undo_grant()
            return False
        loop = self.loop
        assert loop is not None
        if running_loop() is loop:
            self._end(True)
            return True
        try:
            loop.call_soon_threadsafe(self._end, True)
        except RuntimeError:
            self._undo_grant()
            return False
        return True

    def _before_grant(self) -> None:
        """See `ThreadWaiter._before_grant`."""

    def _undo_grant(self) -> None:
        """Undo `_before_grant`: the task has left, or will never run."""

    async def wait(self, timeout_s: float | None) -> bool:
        """Wait until granted. False after `timeout_s` seconds."""
        loop = self.loop
        assert loop is not None
        timer = None if timeout_s is None else loop.call_later(timeout_s, self._end, False)
        try:
            return bool(await self._future)
        finally:
            if timer is not None:
                timer.cancel()

    def _end(self, granted: bool) -> None:
        if not self._future.done():
            self._future.set_result(granted)
