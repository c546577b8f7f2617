"""How a thread or a task waits in a line: the slow path that all locks share."""

from __future__ import annotations

from typing import Protocol

from seawall.clock import SYSTEM_CLOCK
from seawall.core.line import Line
from seawall.core.statistics import Waiting
from seawall.errors import DeadlineExceeded, Misuse
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.park import TaskWaiter, ThreadWaiter
from seawall.runtime.threads import RawLock
from seawall.runtime.who import Loop, Owner, loop_of, name_of, running_loop


class Waitable(Protocol):
    """What the slow path needs to know of a lock."""

    name: str
    _line: Line
    _tally: Tally

    def _permits_outside(self, loop: Loop) -> int:
        """How many permits are out with others than tasks of `loop`."""
        ...


class Tally:
    """How many had to wait, and for how long together."""

    __slots__ = ("_guard", "wait_s_total", "waits_total")

    def __init__(self) -> None:
        self._guard = RawLock()
        self.waits_total = 0  # guarded by self._guard
        self.wait_s_total = 0.0  # guarded by self._guard

    def add(self, waited_s: float) -> None:
        """Count one wait."""
        with self._guard:
            self.waits_total += 1
            self.wait_s_total += waited_s


def wait_in_thread(lock: Waitable, timeout_s: float | None) -> None:
    """Queue the calling thread and block until it is given a permit.

    Raises DeadlineExceeded after `timeout_s` seconds or at the ambient deadline, and Misuse on an event loop's thread
    where the permit can only come from a task of that loop.
    """
    limit_s = wait_limit_s(timeout_s)
    waiter = ThreadWaiter()
    line = lock._line
    line.join(waiter)
    try:
        loop = running_loop()
        if loop is not None and not waiter.over:
            _refuse_to_block_own_loop(lock, waiter, loop)
        granted = waiter.wait(limit_s)
    except BaseException:
        give_up(line, waiter)
        raise
    _end_wait(lock, waiter, granted)


async def wait_in_task(lock: Waitable, loop: Loop, timeout_s: float | None) -> None:
    """Queue the running task and wait until it is given a permit; see `wait_in_thread`."""
    limit_s = wait_limit_s(timeout_s)
    waiter = TaskWaiter(loop)
    lock._line.join(waiter)
    try:
        granted = await waiter.wait(limit_s)
    except BaseException:
        give_up(lock._line, waiter)
        raise
    _end_wait(lock, waiter, granted)


def give_up(line: Line, waiter: ThreadWaiter | TaskWaiter) -> None:
    """Leave the line; what was given meanwhile goes to the next."""
    if waiter.claim():
        line.leave(waiter)
    else:
        line.arrived(waiter)
        line.give()


def _end_wait(lock: Waitable, waiter: ThreadWaiter | TaskWaiter, granted: bool) -> None:
    waited_s = SYSTEM_CLOCK.monotonic() - waiter.since_s
    lock._tally.add(waited_s)
    # A grant that came just after the time was up still counts: the permit is here.
    if not granted and waiter.claim():
        lock._line.leave(waiter)
        raise DeadlineExceeded(lock.name, waited_s)
    lock._line.arrived(waiter)


def _refuse_to_block_own_loop(lock: Waitable, waiter: ThreadWaiter, loop: Loop) -> None:
    """Raise Misuse where blocking this thread, which runs `loop`, would stop the very tasks it waits for.

    Permits that are out elsewhere come back one by one, and go first to the waiters in front. So one of them reaches
    this thread only if there are more of them than tasks of this loop in front. The waiter is queued already, hence
    nobody can slip in between the count and the wait; and a permit in transit still counts for its receiver.
    """
    ahead = 0
    for other in lock._line.queued():
        if other is waiter:
            break
        if isinstance(other, TaskWaiter) and other.loop is loop:
            ahead += 1
    else:
        return  # no longer queued: granted
    if lock._permits_outside(loop) <= ahead:
        raise Misuse(
            f"{lock.name}: `with` on an event loop's thread would wait for a task of that same loop, for ever; "
            "use `async with`, or leave the event loop's thread first (`await pool.run(...)`)"
        )


def waiting_of(line: Line) -> tuple[Waiting, ...]:
    """The line as people read it, first in line first."""
    now_s = SYSTEM_CLOCK.monotonic()
    return tuple(
        Waiting(who=name_of(waiter.owner), waited_s=max(0.0, now_s - waiter.since_s))
        for waiter in line.queued()
        if isinstance(waiter, ThreadWaiter | TaskWaiter)
    )


def in_transit_to(line: Line, loop: Loop) -> int:
    """How many permits are on their way to tasks of `loop`."""
    return sum(1 for w in line.in_transit() if isinstance(w, TaskWaiter) and w.loop is loop and not w.over)


def is_of(owner: Owner, loop: Loop) -> bool:
    """Whether `owner` is a task of `loop`."""
    return loop_of(owner) is loop
