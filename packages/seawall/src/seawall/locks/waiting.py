"""How a thread or a task waits in a line: the slow path that all locks share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Protocol

from seawall.clock import SYSTEM_CLOCK
from seawall.core.line import Line
from seawall.core.waiting import Waiting
from seawall.errors import DeadlineExceeded, Misuse
from seawall.observe.server_timing import note_wait
from seawall.observe.tally import Tally
from seawall.observe.waits import WAITS, OwnerNeed
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.park import TaskWaiter, ThreadWaiter
from seawall.runtime.who import Loop, Owner, loop_of, name_of, running_loop

Waiter = ThreadWaiter | TaskWaiter


class Queue(Protocol):
    """What the slow path needs of a `core.line.Line`, or of what stands in for one."""

    def join(self, waiter: Waiter, /) -> None:
        """Queue `waiter`; it may be granted before this returns."""
        ...

    def leave(self, waiter: Waiter, /) -> None:
        """Take `waiter`, which has given up, out again."""
        ...

    def arrived(self, waiter: Waiter, /) -> None:
        """Note that `waiter` is awake."""
        ...

    def queued(self) -> Iterator[object]:
        """The waiters, first in line first."""
        ...


class Waitable(Protocol):
    """What the slow path needs to know of a lock."""

    name: str

    @property
    def _kind(self) -> str:
        """The word before its name in a request's timing."""
        ...

    @property
    def _tally(self) -> Tally:
        """Where its waits are counted."""
        ...

    @property
    def _line(self) -> Queue:
        """Where its waiters queue."""
        ...

    @property
    def _is_watched(self) -> bool:
        """Whether its waits are to be found by others."""
        ...

    def _give_up(self, waiter: Waiter) -> None:
        """Give back what `waiter` was granted and will not use."""
        ...

    def _need(self) -> OwnerNeed | None:
        """Who stands in the way of whoever waits in the line; see `observe.waits`."""
        ...

    def _permits_outside(self, loop: Loop) -> int:
        """How many permits are out with others than tasks of `loop`."""
        ...


def wait_in_thread(lock: Waitable, timeout_s: float | None) -> None:
    """Queue the calling thread and block until it is given a permit.

    Raises DeadlineExceeded after `timeout_s` seconds or at the ambient deadline, Deadlock where that could never be,
    and Misuse on an event loop's thread where the permit can only come from a task of that loop.
    """
    queue_thread(lock, ThreadWaiter(), wait_limit_s(timeout_s))


async def wait_in_task(lock: Waitable, loop: Loop, timeout_s: float | None) -> None:
    """Queue the running task and wait until it is given a permit; see `wait_in_thread`."""
    await queue_task(lock, TaskWaiter(loop), wait_limit_s(timeout_s))


def queue_thread(lock: Waitable, waiter: ThreadWaiter, limit_s: float | None) -> None:
    """As `wait_in_thread`, with a waiter and a limit of the caller's own."""
    loop = running_loop()
    is_watched = lock._is_watched and limit_s != 0  # who does not wait closes no deadlock
    if is_watched:
        WAITS.begin(waiter, lock._need, loop)
    try:
        lock._line.join(waiter)
        if not waiter.is_decided():
            if loop is not None:
                _refuse_to_block_own_loop(lock, waiter, loop)
            if is_watched:
                WAITS.refuse_deadlock(waiter, loop)
        granted = waiter.wait(limit_s)
    except BaseException:
        give_up(lock, waiter)
        raise
    finally:
        if is_watched:
            WAITS.end(waiter, loop)
    _end_wait(lock, waiter, granted)


async def queue_task(lock: Waitable, waiter: TaskWaiter, limit_s: float | None) -> None:
    """As `wait_in_task`, with a waiter and a limit of the caller's own."""
    is_watched = lock._is_watched and limit_s != 0
    if is_watched:
        WAITS.begin(waiter, lock._need)
    try:
        lock._line.join(waiter)
        if is_watched and not waiter.is_decided():
            WAITS.refuse_deadlock(waiter)
        granted = await waiter.wait(limit_s)
    except BaseException:
        give_up(lock, waiter)
        raise
    finally:
        if is_watched:
            WAITS.end(waiter)
    _end_wait(lock, waiter, granted)


def give_up(lock: Waitable, waiter: Waiter) -> None:
    """Leave the line; what was given meanwhile goes to the next."""
    if waiter.claim():
        lock._line.leave(waiter)
    else:
        lock._line.arrived(waiter)
        lock._give_up(waiter)


def _end_wait(lock: Waitable, waiter: Waiter, granted: bool) -> None:
    waited_s = SYSTEM_CLOCK.monotonic() - waiter.since_s
    lock._tally.add(waited_s)
    note_wait(f"{lock._kind}.{lock.name}", waited_s)
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
        raise misuse_of_loop(lock.name)


def misuse_of_loop(name: str) -> Misuse:
    """What to raise where a thread would wait for a task of the loop that it runs."""
    return Misuse(
        f"{name}: `with` on an event loop's thread would wait for a task of that same loop, for ever; "
        "use `async with`, or leave the event loop's thread first (`await pool.run(...)`)"
    )


def waiting_of(line: Line) -> tuple[Waiting, ...]:
    """The line as people read it, first in line first."""
    now_s = SYSTEM_CLOCK.monotonic()
    return tuple(
        Waiting(who=name_of(waiter.owner), waited_s=max(0.0, now_s - waiter.since_s))
        for waiter in line.queued()
        if isinstance(waiter, Waiter)
    )


def receivers(line: Line, kinds: tuple[type[Waiter], ...] = (ThreadWaiter, TaskWaiter)) -> list[Owner]:
    """Those who were given a permit and have not woken yet: they have it, though they do not know."""
    return [w.owner for w in line.in_transit() if isinstance(w, kinds) and w.is_decided() and not w.over]


def in_transit_to(line: Line, loop: Loop) -> int:
    """How many permits are on their way to tasks of `loop`."""
    return sum(1 for w in line.in_transit() if isinstance(w, TaskWaiter) and w.loop is loop and not w.over)


def is_of(owner: Owner, loop: Loop) -> bool:
    """Whether `owner` is a task of `loop`."""
    return loop_of(owner) is loop
