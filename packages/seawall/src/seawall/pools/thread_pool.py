"""A thread pool that is a `concurrent.futures.Executor`, with a bounded queue and a fast way from asyncio."""

from __future__ import annotations

import asyncio
import atexit
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import ParamSpec, TypeVar, cast
from weakref import WeakSet, finalize

from seawall.clock import SYSTEM_CLOCK
from seawall.core.statistics import PoolStatistics
from seawall.errors import DeadlineExceeded, Misuse
from seawall.observe.registry import REGISTRY
from seawall.pools.crew import Crew
from seawall.pools.work import Call, PoolFuture, TaskWork
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.wakeups import wakeups_of

P = ParamSpec("P")
T = TypeVar("T")


class ThreadPool(Executor):
    """Up to `max_threads` threads, started on demand, that take work from one queue, first come, first served.

    The queue holds at most `queue_limit`; beyond that `submit` and `run` raise `Overloaded` and never block. Context
    variables travel, and with them the deadline: work whose deadline passes in the queue is not begun.

    >>> with ThreadPool("hashing", max_threads=2) as pool:
    ...     pool.submit(pow, 2, 10).result()
    1024
    """

    def __init__(self, name: str, *, min_threads: int = 1, max_threads: int, queue_limit: int = 10_000) -> None:
        if not 0 <= min_threads <= max_threads or max_threads < 1 or queue_limit < 0:
            raise Misuse(
                f"pool {name}: needs 0 <= min_threads <= max_threads, 1 <= max_threads and 0 <= queue_limit, "
                f"not {min_threads}, {max_threads}, {queue_limit}"
            )
        self.name = name
        self._crew = Crew(name, min_threads, max_threads, queue_limit)
        self._finalizer = finalize(self, self._crew.close)
        self._finalizer.atexit = False  # _finish_all does it, and waits
        REGISTRY.add(self)
        _OPEN.add(self)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue `fn(*args, **kwargs)` and return its future. Never blocks.

        Raises Overloaded when the queue is full, Closed after `shutdown`. A future cancelled before its work began
        leaves the queue at once. The future raises DeadlineExceeded where the ambient deadline passed in the queue.
        """
        work = PoolFuture(Call(self.name, fn, args, kwargs), self._crew.withdraw)
        self._crew.take_on(work)
        return cast("Future[T]", work)

    async def run(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(*args, **kwargs)` on a thread and return what it returns, or raise what it raises.

        Raises Overloaded when the queue is full, Closed after `shutdown`, and DeadlineExceeded at the ambient
        deadline. When cancelled or late, work that has not begun is removed from the queue; work that has begun
        cannot be stopped and runs to its end, unheard. All that is done by the time the loop looks wakes it once.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        work = TaskWork(Call(self.name, fn, args, kwargs), future, wakeups_of(loop))
        limit_s = wait_limit_s(None)
        self._crew.take_on(work)
        timer = None if limit_s is None else loop.call_later(limit_s, self._expire, work)
        try:
            return cast("T", await future)
        except BaseException:
            self._crew.withdraw(work)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def resize(self, max_threads: int) -> None:
        """Let there be up to `max_threads` threads. Surplus ones end when they have finished what they are at."""
        if max_threads < 1:
            raise Misuse(f"pool {self.name}: max_threads must be 1 or more, not {max_threads}")
        self._crew.resize(max_threads)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Take on no more work; what is queued is carried out, or cancelled with `cancel_futures`.

        `wait` blocks until the threads have ended. As the standard library's; may be called again.
        """
        self._crew.close(cancel_futures)
        REGISTRY.remove(self)
        if wait:
            self._crew.join_all()
            _OPEN.discard(self)

    def statistics(self) -> PoolStatistics:
        """Size, busy threads, queue length and age, and totals since the pool was made."""
        return self._crew.statistics()

    def _expire(self, work: TaskWork) -> None:
        if not work.future.done():
            waited_s = SYSTEM_CLOCK.monotonic() - work.since_s
            work.future.set_exception(DeadlineExceeded(f"pool {self.name}", waited_s))


_OPEN: WeakSet[ThreadPool] = WeakSet()


@atexit.register
def _finish_all() -> None:
    # The threads are daemons, so that a forgotten pool blocks no exit by itself; but what was submitted is carried out
    # before the interpreter ends, as with the standard library's executors.
    for pool in list(_OPEN):
        pool.shutdown()
