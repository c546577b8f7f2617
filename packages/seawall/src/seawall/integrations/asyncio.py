"""A `ThreadPool` as an event loop's default executor, for `asyncio.to_thread` and `loop.run_in_executor(None, …)`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import ParamSpec, TypeVar

from seawall.pools.thread_pool import ThreadPool

P = ParamSpec("P")
T = TypeVar("T")


def use_as_default_executor(pool: ThreadPool) -> None:
    """Have the running loop carry out `asyncio.to_thread` and the like in `pool`. Call it before their first use.

    The pool stays yours: the loop's end does not shut it down. A full queue raises `Overloaded` out of `to_thread`.
    Raises RuntimeError where no loop runs. For code of your own, `await pool.run(…)` is the faster way.
    """
    asyncio.get_running_loop().set_default_executor(_DefaultExecutor(pool))


class _DefaultExecutor(ThreadPoolExecutor):
    """Loops accept nothing but a `ThreadPoolExecutor`. This one has no threads and passes everything on."""

    def __init__(self, pool: ThreadPool) -> None:
        # Not the base class's, which would make a queue and a lock for nothing.
        self._pool = pool

    def submit(self, fn: Callable[P, T], /, *args: P.args, **kwargs: P.kwargs) -> Future[T]:
        """See `ThreadPool.submit`."""
        return self._pool.submit(fn, *args, **kwargs)

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """Called at the loop's end. Nothing: the pool belongs to whoever made it."""
