"""A pool's queue and threads, apart from its public face, so that a pool nobody holds any more can end."""

from __future__ import annotations

from collections import OrderedDict

from seawall.clock import SYSTEM_CLOCK
from seawall.core.statistics import PoolStatistics
from seawall.errors import Closed, Overloaded
from seawall.pools.work import Work
from seawall.runtime.park import Parker
from seawall.runtime.threads import RawRLock, Thread, join, spawn
from seawall.runtime.who import get_ident

IDLE_S = 30.0
"""A thread above `min_threads` that had nothing to do for so long ends."""


class Crew:
    """Threads that take work from one queue, first come, first served. No method but `join_all` blocks."""

    def __init__(self, name: str, min_threads: int, max_threads: int, queue_limit: int) -> None:
        self.name = name
        self.min_threads = min_threads
        self.max_threads = max_threads
        self.queue_limit = queue_limit
        # Guards all below; held for a few steps only, never while work is carried out. Re-entrant, because the garbage
        # collector may close the crew of a forgotten pool at any allocation, also inside one of these steps.
        self._guard = RawRLock()
        self._queue: OrderedDict[Work, None] = OrderedDict()  # not a deque: cancelled work leaves from the middle
        self._idle: list[Parker] = []  # the newest at the end is taken first, so that the rest retire
        self._threads: dict[int, Thread | None] = {}
        self._started_total = 0
        self._busy = 0
        self._is_closed = False
        self._done_total = 0
        self._refused_total = 0
        self._cancelled_total = 0

    def take_on(self, work: Work) -> None:
        """Queue `work`. Raises Overloaded when the queue is full, Closed after `close`."""
        with self._guard:
            if self._is_closed:
                raise Closed(f"pool {self.name}")
            queue = self._queue
            if len(queue) >= self.queue_limit and not self._idle and len(self._threads) >= self.max_threads:
                self._refused_total += 1
                raise Overloaded(f"pool {self.name}: its queue of {self.queue_limit} is full", self._drain_s())
            queue[work] = None
            if self._idle:
                parker = self._idle.pop()
            else:
                if len(self._threads) < self.max_threads:
                    self._start_thread_for(work)
                return
        parker.unpark()

    def withdraw(self, work: Work) -> bool:
        """Take `work` out of the queue. False where it has begun, or was never there."""
        with self._guard:
            if work not in self._queue:
                return False
            del self._queue[work]
            self._cancelled_total += 1
            return True

    def resize(self, max_threads: int) -> None:
        """Let there be up to `max_threads`. Threads above that end when they have finished what they are at."""
        with self._guard:
            self.max_threads = max_threads
            self.min_threads = min(self.min_threads, max_threads)
            for _ in range(min(len(self._queue), max_threads - len(self._threads))):
                self._start_thread()
            woken = self._idle[:] if len(self._threads) > max_threads else []
            del self._idle[: len(woken)]
        for parker in woken:
            parker.unpark()

    def close(self, cancel_queued: bool = False) -> None:
        """Take on no more. The threads end when the queue is empty; `cancel_queued` empties it."""
        with self._guard:
            self._is_closed = True
            dropped = list(self._queue) if cancel_queued else []
            if cancel_queued:
                self._queue.clear()
                self._cancelled_total += len(dropped)
            woken, self._idle = self._idle, []
        for parker in woken:
            parker.unpark()
        for work in dropped:
            work.drop()

    def join_all(self) -> None:
        """Block until every thread has ended; the calling one does not wait for itself."""
        with self._guard:
            threads = list(self._threads.values())
        for thread in threads:
            if thread is not None and thread.ident != get_ident():
                join(thread, None)

    def statistics(self) -> PoolStatistics:
        """See `ThreadPool.statistics`."""
        with self._guard:
            oldest = next(iter(self._queue), None)
            return PoolStatistics(
                name=self.name,
                threads=len(self._threads),
                max_threads=self.max_threads,
                busy=self._busy,
                queued=len(self._queue),
                queue_limit=self.queue_limit,
                queue_age_s=0.0 if oldest is None else max(0.0, SYSTEM_CLOCK.monotonic() - oldest.since_s),
                done_total=self._done_total,
                refused_total=self._refused_total,
                cancelled_total=self._cancelled_total,
            )

    def _drain_s(self) -> float:
        # The age of the oldest is how long the queue takes now; a hint is all that is asked for.
        oldest = next(iter(self._queue), None)
        return 1.0 if oldest is None else max(0.1, SYSTEM_CLOCK.monotonic() - oldest.since_s)

    def _start_thread_for(self, work: Work) -> None:
        try:
            self._start_thread()
        except RuntimeError:  # the system gives us no more threads
            if not self._threads:
                del self._queue[work]
                raise

    def _start_thread(self) -> None:
        number = self._started_total
        self._started_total += 1
        self._threads[number] = None  # its place, while it starts
        try:
            self._threads[number] = spawn(f"{self.name}-{number}", lambda: self._work(number))
        except BaseException:
            del self._threads[number]
            raise

    def _work(self, number: int) -> None:
        parker = Parker()
        was_busy = False
        while True:
            with self._guard:
                if was_busy:
                    self._busy -= 1
                    self._done_total += 1
                    was_busy = False
                if len(self._threads) > self.max_threads or (self._is_closed and not self._queue):
                    del self._threads[number]
                    return
                work = None
                if self._queue:
                    work, _ = self._queue.popitem(last=False)
                    self._busy += 1
                elif parker not in self._idle:  # it may be there still, after a wake-up that came twice
                    self._idle.append(parker)
            if work is not None:
                work.carry_out()
                was_busy = True
                del work  # or the last result would be kept alive while idle
            elif not parker.park(IDLE_S) and self._retires(number, parker):
                return

    def _retires(self, number: int, parker: Parker) -> bool:
        with self._guard:
            if parker not in self._idle:
                return False  # woken just now
            self._idle.remove(parker)
            if len(self._threads) <= self.min_threads:
                return False
            del self._threads[number]
            return True
