"""A `ThreadPool` under anyio, and so under Starlette's and FastAPI's synchronous handlers.

Stock anyio lets 40 tasks of a loop be on threads at once, and a 41st waits in silence. Handlers, dependencies, file
responses and background tasks all share these 40; when each waits for another of them, everything stands still.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import copy_context
from typing import Any, TypeVar, cast
from weakref import WeakSet

import anyio
import anyio.lowlevel
import anyio.to_thread
from anyio._core._eventloop import (
    claim_worker_thread,
    current_async_library,
    get_async_backend,
    set_current_async_library,
    threadlocals,
)

from seawall.pools.thread_pool import ThreadPool
from seawall.runtime.wakeups import wakeups_of

T = TypeVar("T")


@contextmanager
def use_pool(pool: ThreadPool) -> Iterator[None]:
    """Have `anyio.to_thread.run_sync` carry out everything in `pool` while inside, in this whole process.

    A task that has had a call carried out goes before those that have not (`ThreadPool.submit_next`): a request whose
    dependency holds a connection must not wait behind the dependencies of others, which wait for that connection.

    What asks for a limiter of its own keeps to anyio's threads, but for one thing: leaving a context manager
    (`__exit__`), as FastAPI does for each dependency with `yield`, goes to the pool's lane for clean-up. `Overloaded`
    comes out of `run_sync` when the queue is full: answer it with a 503. As in anyio, a call that has begun is waited
    for when its task is cancelled, unless `abandon_on_cancel`; one that has not is taken out of the queue.
    """
    stock = anyio.to_thread.run_sync
    inside: WeakSet[asyncio.Task[Any]] = WeakSet()  # the tasks that have had something done

    async def run_sync(
        func: Callable[..., T],
        *args: object,
        abandon_on_cancel: bool = False,
        cancellable: bool | None = None,
        limiter: Any = None,
    ) -> T:
        is_exit = getattr(func, "__name__", "") == "__exit__"
        if (limiter is not None and not is_exit) or current_async_library() != "asyncio":
            return await stock(
                func, *args, abandon_on_cancel=abandon_on_cancel, cancellable=cancellable, limiter=limiter
            )
        await anyio.lowlevel.checkpoint()
        task = asyncio.current_task()
        submit = pool.submit_cleanup if is_exit else pool.submit_next if task in inside else pool.submit
        result = await _run(submit, func, args, abandon_on_cancel if cancellable is None else cancellable)
        if task is not None:
            inside.add(task)
        return result

    anyio.to_thread.run_sync = cast("Any", run_sync)
    try:
        yield
    finally:
        anyio.to_thread.run_sync = stock


async def _run(submit: Any, func: Callable[..., T], args: tuple[object, ...], abandons: bool) -> T:
    loop = asyncio.get_running_loop()
    backend = get_async_backend()  # with this module's other private names: what anyio's own threads are set up with
    scope = anyio.CancelScope()
    ended: asyncio.Future[None] = loop.create_future()

    def on_thread() -> T:
        # What anyio's own threads have, so that `anyio.from_thread` works there.
        with claim_worker_thread(backend, loop):
            threadlocals.current_cancel_scope = scope
            try:
                context = copy_context()
                context.run(set_current_async_library, None)
                return context.run(func, *args)
            finally:
                del threadlocals.current_cancel_scope

    def tell() -> None:
        if not ended.done():
            ended.set_result(None)

    with scope:
        work = submit(on_thread)
        work.add_done_callback(lambda _: wakeups_of(loop).call(tell))
        try:
            await asyncio.shield(ended)
        except asyncio.CancelledError:
            if not work.cancel() and not abandons:
                with anyio.CancelScope(shield=True):
                    await ended
            raise
        return cast("T", work.result(0))
    raise AssertionError("a scope that nobody cancels swallows nothing")
