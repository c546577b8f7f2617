"""The one thread that closes what has been idle for long, while there is any such."""

from __future__ import annotations

from typing import Protocol
from weakref import WeakSet

from seawall.clock import SYSTEM_CLOCK
from seawall.runtime.park import Parker
from seawall.runtime.threads import RawRLock, spawn_beside

LINGERS_S = 2.0
"""How long the thread outlasts the last idle resource."""


class Sweepable(Protocol):
    """What has idle things."""

    def sweep(self, now_s: float) -> float | None:
        """Close what is due. In how many seconds the next may be due, or None where nothing is idle."""
        ...


class Sweeper:
    """Asks each pool when its next idle resource is due, and sleeps until then."""

    def __init__(self) -> None:
        self._guard = RawRLock()  # re-entrant, since the garbage collector may end a pool inside
        self._pools: WeakSet[Sweepable] = WeakSet()  # guarded by self._guard
        self._is_running = False  # guarded by self._guard
        self._parker = Parker()

    def watch(self, pool: Sweepable) -> None:
        """Sweep `pool` until nothing in it is idle."""
        with self._guard:
            self._pools.add(pool)
            starts = not self._is_running
            self._is_running = True
        if not starts:
            self._parker.unpark()
            return
        try:
            spawn_beside("seawall-sweeper", self._run)
        except RuntimeError:  # no more threads: the next to watch tries again
            with self._guard:
                self._is_running = False

    def _run(self) -> None:
        while True:
            with self._guard:
                pools = list(self._pools)
            waits_s = [self._sweep(pool) for pool in pools]
            due_s = min((wait_s for wait_s in waits_s if wait_s is not None), default=None)
            del pools
            if not self._parker.park(LINGERS_S if due_s is None else due_s) and due_s is None and self._ends():
                return

    def _sweep(self, pool: Sweepable) -> float | None:
        with self._guard:
            self._pools.discard(pool)  # before the look: who puts something idle there after it adds it again
        wait_s = pool.sweep(SYSTEM_CLOCK.monotonic())
        if wait_s is not None:
            with self._guard:
                self._pools.add(pool)
        return wait_s

    def _ends(self) -> bool:
        with self._guard:
            if self._pools:
                return False
            self._is_running = False
            return True


SWEEPER = Sweeper()
"""The sweeper of this process."""
