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
from seawall.pools.awaited import AwaitedWork
from seawall.pools.crew import Crew
from seawall.pools.future import PoolFuture
from seawall.pools.work import TaskWork
from seawall.runtime.deadline import wait_limit_s
from seawall.runtime.name import checked_name
from seawall.runtime.wakeups import wakeups_of
from seawall.runtime.who import this_task

CLEANUP_LIMIT = 100_000
"""Clean-up is never refused because much else waits; so much of it at once is a leak of something else."""

P = ParamSpec("P")
T = TypeVar("T")


class ThreadPool(Executor):
    """Up to `max_threads` threads that take work from one queue, first come, first served.

    Elastic: about one thread a core starts on demand, more only where work waits and threads would help it (never
    where they would only fight for the GIL), and idle ones end; `statistics().decisions` says why. Work that waits for
    queued work of the same full pool carries it out itself; where all threads wait for each other in other ways, up to
    `spare_threads` are added, and beyond these the work that cannot begin raises `Deadlock`.

    The queue holds at most `queue_limit`; beyond that `submit` and `run` raise `Overloaded` and never block. Context
    variables travel, and with them the deadline: work whose deadline passes in the queue is not begun. Clean-up
    (rollback, release) goes through `submit_cleanup` and `run_cleanup`, a lane with a thread of its own.

    >>> with ThreadPool("hashing", max_threads=2) as pool:
    ...     pool.submit(pow, 2, 10).result()
    1024
    """

    def __init__(
        self,
        name: str,
        *,
        min_threads: int = 1,
        max_threads: int,
        queue_limit: int = 10_000,
        spare_threads: int = 8,
    ) -> None:
        if not 0 <= min_threads <= max_threads or max_threads < 1 or queue_limit < 0 or spare_threads < 0:
            raise Misuse(
                f"pool {name}: needs 0 <= min_threads <= max_threads, 1 <= max_threads, 0 <= queue_limit and "
                f"0 <= spare_threads, not {min_threads}, {max_threads}, {queue_limit}, {spare_threads}"
            )
        self.name = checked_name(name)
        # One thread that is always there for clean-up; the others take it first, too, when they come to look.
        self._cleanup = Crew(f"{name}-cleanup", 0, 1, CLEANUP_LIMIT, spare_threads)
        self._crew = Crew(name, min_threads, max_threads, queue_limit, spare_threads, urgent=self._cleanup.queue)
        for crew in (self._crew, self._cleanup):
            finalize(self, crew.close).atexit = False  # _finish_all does it, and waits
        REGISTRY.add(self)
        _OPEN.add(self)

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """Queue `fn(*args, **kwargs)` and return its future. Never blocks.

        Raises Overloaded when the queue is full, Closed after `shutdown`. A future cancelled before its work began
        leaves the queue at once. The future raises DeadlineExceeded where the ambient deadline passed in the queue.
        """
        work = PoolFuture(self._crew, fn, args, kwargs)
        self._crew.take_on(work)
        return cast("Future[T]", work)

    def submit_cleanup(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `submit`, on the lane for clean-up: begins even where every other thread waits for what it gives back.

        For what is short and frees something: commit, rollback, release. It is carried out without a deadline, since
        it must happen also where the deadline of the work before it has passed.
        """
        return self._submit_first(fn, args, kwargs, is_cleanup=True)

    def submit_next(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """As `submit`, for whoever has had work done here and may hold something that others wait for.

        It goes before all that is queued by newcomers, and with clean-up has a thread that newcomers cannot take up:
        who is inside finishes first. Otherwise the last step of a request can wait behind the first steps of others,
        which wait for what that request holds.
        """
        return self._submit_first(fn, args, kwargs, is_cleanup=False)

    async def run_cleanup(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """As `run`, on the lane for clean-up; see `submit_cleanup`. Carried out also where the caller is cancelled."""
        return await self._run_on(self._cleanup, fn, args, kwargs)

    async def run(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Run `fn(*args, **kwargs)` on a thread and return what it returns, or raise what it raises.

        Raises Overloaded when the queue is full, Closed after `shutdown`, and DeadlineExceeded at the ambient
        deadline. When cancelled or late, work that has not begun is removed from the queue; work that has begun
        cannot be stopped and runs to its end, unheard. All that is done by the time the loop looks wakes it once.
        """
        return await self._run_on(self._crew, fn, args, kwargs)

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
        if wait:
            self._crew.join_all()  # before the lane for clean-up closes: the last work may need it
        self._cleanup.close(cancel_futures)
        REGISTRY.remove(self)
        if wait:
            self._cleanup.join_all()
            _OPEN.discard(self)

    @property
    def is_idle(self) -> bool:
        """Whether no work runs or waits. Costs less than `statistics`."""
        return self._crew.is_idle()

    def statistics(self) -> PoolStatistics:
        """Size, busy and blocked threads, queue length and age, totals since the pool was made, and the last decisions."""
        return self._crew.statistics()

    def _submit_first(
        self, fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object], is_cleanup: bool
    ) -> Future[T]:
        work = PoolFuture(self._cleanup, fn, args, kwargs, is_cleanup)
        self._cleanup.take_on(work)
        self._crew.wake_one()
        return cast("Future[T]", work)

    async def _run_on(self, crew: Crew, fn: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[object] = loop.create_future()
        is_cleanup = crew is self._cleanup
        limit_s = None if is_cleanup else wait_limit_s(None)
        work = TaskWork(crew.name, fn, args, kwargs, future, wakeups_of(loop), is_cleanup)
        crew.take_on(work)
        if is_cleanup:
            self._crew.wake_one()
        timer = None if limit_s is None else loop.call_later(limit_s, self._expire, work)
        try:
            with AwaitedWork(crew, work, future, this_task()):
                return cast("T", await future)
        except BaseException:
            if not work.is_begun and not is_cleanup:
                crew.withdraw(work)
            raise
        finally:
            if timer is not None:
                timer.cancel()

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
