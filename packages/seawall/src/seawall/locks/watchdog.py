"""A thread that tells who keeps others waiting for long, and what stalls an event loop, with the frame that does it."""

from __future__ import annotations

from dataclasses import dataclass, field

from seawall.clock import SYSTEM_CLOCK, Clock
from seawall.errors import DeadlineExceeded, Misuse
from seawall.observe.events import EVENTS, Event, LongHold, LoopStall
from seawall.observe.loop_lag import LoopLag
from seawall.observe.registry import REGISTRY
from seawall.observe.waits import WAITS
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.park import Parker
from seawall.runtime.stacks import stack_of, stack_of_thread
from seawall.runtime.threads import Thread, join, spawn
from seawall.runtime.who import Owner, get_ident, name_of


@dataclass(slots=True)
class _Hold:
    """Someone in the way, seen at each look since `since_s` by at least one waiter that was there at the look before."""

    since_s: float
    waiters: set[object] = field(default_factory=set)
    told_s: float = 0.0


class Watchdog:
    """Looks every `every_s` seconds at who waits for what, and at each loop that has a `LoopLag`.

    A holder that keeps somebody waiting for `hold_s` seconds is told to observers as `LongHold`, a loop that has run
    nothing else for `stall_s` seconds as `LoopStall`; again each time the time has doubled. Both carry the stack as it
    is then. Locks pay nothing for it: since lines are first come, first served, one who is in the way of the same waiter
    at two looks has been there all the time between. Waits at level *named* are not seen. Observers are called on the
    watchdog's thread.

    >>> watchdog = Watchdog(hold_s=1.0, stall_s=0.5)
    >>> watchdog.start()
    >>> watchdog.stop(timeout_s=5)
    """

    def __init__(
        self, *, every_s: float = 0.25, hold_s: float = 1.0, stall_s: float = 0.5, clock: Clock = SYSTEM_CLOCK
    ) -> None:
        if every_s <= 0 or hold_s < 0 or stall_s < 0:
            raise Misuse("watchdog: every_s must be above 0, hold_s and stall_s 0 or more")
        self._every_s = every_s
        self._hold_s = hold_s
        self._stall_s = stall_s
        self._clock = clock
        self._holds: dict[tuple[str, Owner], _Hold] = {}  # the thread's, as is the next
        self._stalls_told_s: dict[str, float] = {}
        self._parker = Parker()
        self._is_stopping = False
        self._thread: Thread | None = None
        self.failures_total = 0

    def start(self) -> None:
        """Start the thread. Does not block. Raises Misuse the second time: make a new one."""
        if self._thread is not None:
            raise Misuse("watchdog: started twice; make a new one")
        self._thread = spawn("seawall-watchdog", self._run)

    def stop(self, timeout_s: float | None = None) -> None:
        """End the thread, blocking for at most `timeout_s` seconds and within the ambient deadline.

        Raises DeadlineExceeded when it still runs then. Harmless when it never started or has ended.
        """
        self._is_stopping = True
        self._parker.unpark()
        thread = self._thread
        if thread is not None and thread.ident != get_ident():
            began_s = SYSTEM_CLOCK.monotonic()
            if not join(thread, wait_limit_s(timeout_s)):
                raise DeadlineExceeded("watchdog", SYSTEM_CLOCK.monotonic() - began_s)

    def look(self) -> None:
        """Look once, now; what the thread does again and again. Not to be called while the thread runs."""
        for event in (*self._long_holds(), *self._loop_stalls()):
            EVENTS.emit(event)

    def _run(self) -> None:
        while not self._is_stopping:
            try:
                self.look()
            except Exception:  # noqa: BLE001 - it must outlive a look that went wrong; the count shows
                self.failures_total += 1
            self._parker.park(self._every_s)

    def _long_holds(self) -> list[Event]:
        now_s = self._clock.monotonic()
        before, self._holds = self._holds, self._in_the_way(now_s)
        found: list[Event] = []
        for (resource, owner), hold in self._holds.items():
            earlier = before.get((resource, owner))
            if earlier is not None and not earlier.waiters.isdisjoint(hold.waiters):
                hold.since_s, hold.told_s = earlier.since_s, earlier.told_s
            held_s = now_s - hold.since_s
            if held_s > 0 and held_s >= max(self._hold_s, 2 * hold.told_s):
                hold.told_s = held_s
                found.append(LongHold(resource, name_of(owner), held_s, len(hold.waiters), stack_of(owner)))
        return found

    def _in_the_way(self, now_s: float) -> dict[tuple[str, Owner], _Hold]:
        # Thousands may wait for the same thousand (the seats of a gate): each side is gone through once.
        waiters: dict[tuple[str, int], tuple[tuple[Owner, ...], set[object]]] = {}
        needs = WAITS.needs()
        for need in needs:
            waiters.setdefault((need.resource, id(need.blockers)), (need.blockers, set()))[1].add(need.wait)
        holds: dict[tuple[str, Owner], _Hold] = {}
        for (resource, _), (blockers, waits) in waiters.items():
            for owner in blockers:
                hold = holds.get((resource, owner))
                holds[resource, owner] = _Hold(now_s, waits if hold is None else hold.waiters | waits)
        return holds

    def _loop_stalls(self) -> list[Event]:
        found: list[Event] = []
        stalled: dict[str, float] = {}
        for lag in REGISTRY.living():
            if not isinstance(lag, LoopLag):
                continue
            overdue_s, ident = lag.overdue()
            if ident is None or overdue_s < self._stall_s or overdue_s <= 0:
                continue
            told_s = self._stalls_told_s.get(lag.name, 0.0)
            if told_s > overdue_s:
                told_s = 0.0  # another stall than the one told before
            if overdue_s >= 2 * told_s:
                told_s = overdue_s
                found.append(LoopStall(lag.name, overdue_s, stack_of_thread(ident)))
            stalled[lag.name] = told_s
        self._stalls_told_s = stalled
        return found
